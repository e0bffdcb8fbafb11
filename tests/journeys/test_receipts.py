"""An operator's tasks: link, screenshot, later, cannot, undo, late; and who checks."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import stage


async def _open_gap(p, account: str) -> None:  # type: ignore[no-untyped-def]
    task = await story.task(p, account)
    name = (await p.all("accounts", id=account))[0].name
    await p.say("冯涛", "看板")
    await p.press("冯涛", "campaign_list")
    await p.press("冯涛", f"{task.serial} {name}")


async def test_later_at_a_typed_time_moves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        before = (await story.task(p, "a008")).due_at
        await p.press("华明川", "task_later")
        assert "没有看懂时间" in await p.say("华明川", "晚上吧", ok=False)
        assert "16:40" in await p.say("华明川", "16:40")
        task = await story.task(p, "a008")
        assert task.due_at == before
        assert task.snoozed_until is not None
        await p.press("华明川", "task_later")
        await p.press("华明川", "minutes_30")
        assert (await story.task(p, "a008")).snoozed_until < task.snoozed_until


async def test_a_link_is_checked_by_the_machine(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        assert (await story.task(p, "a008")).state == "posted"
        await p.tick(minutes=1)
        assert (await story.task(p, "a008")).state == "verified"
        assert "mp.weixin.qq.com" in await p.say("谢慎之", "https://evil.example/1", ok=False)
        assert (await story.task(p, "a030")).state == "delivered"


async def test_a_link_that_cannot_be_read_goes_to_a_person(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        p.links.default = "unreachable"
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        await p.tick(minutes=1)
        assert (await story.task(p, "a008")).state == "posted"
        await p.press("陈静", "task_reject")
        assert (await story.task(p, "a008")).state == "seen"
        assert "健康云江" in await p.last("华明川")
        await p.say("华明川", "https://mp.weixin.qq.com/s/h2")
        await p.tick(minutes=1)
        await p.press("陈静", "task_verify")
        assert (await story.task(p, "a008")).state == "verified"


async def test_a_link_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        p.links.default = "gone"
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        await p.tick(minutes=1)
        assert (await story.task(p, "a008")).state == "seen"
        assert "健康云江" in await p.last("华明川")


async def test_screenshots_are_checked_by_others_than_who_posted(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("邬沐阳", "", files=[await p.file()])
        assert (await story.task(p, "a049")).state == "posted"
        await p.press("陈静", "task_reject")
        assert (await story.task(p, "a049")).state == "seen"
        await p.say("邬沐阳", "", files=[await p.file(9)])
        await p.press("陈静", "task_verify")
        assert (await story.task(p, "a049")).state == "verified"
        assert not await p.has("冯涛", "task_verify")


async def test_a_receipt_is_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("华明川", "https://mp.weixin.qq.com/s/wrong")
        await p.press("华明川", "task_undo")
        task = await story.task(p, "a008")
        assert (task.state, task.url) == ("seen", "")
        await p.tick(minutes=1)
        assert (await story.task(p, "a008")).state == "seen", "its link is not checked any more"


async def test_declined_undone_declined_and_exempt(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("华明川", "task_cannot")
        await p.say("华明川", "账号正在年审。")
        assert (await story.task(p, "a008")).state == "declined"
        assert "年审" in await p.last("冯涛")
        await p.press("华明川", "undo")
        assert (await story.task(p, "a008")).state == "seen"
        await p.press("华明川", "task_cannot")
        await p.say("华明川", "账号正在年审。")
        await p.press("冯涛", "task_exempt")
        assert (await story.task(p, "a008")).state == "exempt"

        await p.press("谢慎之", "task_cannot")
        await p.say("谢慎之", "今天群发次数用完了。")
        await p.say("谢慎之", "https://mp.weixin.qq.com/s/after-all")
        assert (await story.task(p, "a030")).state == "posted"


async def test_the_publisher_asks_again_once_declined(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("华明川", "task_cannot")
        await p.say("华明川", "账号正在年审。")
        await p.press("冯涛", "task_open")
        assert "已再请" in await p.press("冯涛", "task_ask_again")
        assert (await story.task(p, "a008")).state == "seen"
        assert "再请您考虑一次" in await p.last("华明川")
        assert "不勉强" in await p.last("华明川")


async def test_an_ally_declines_without_an_exemption(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        heard = len(await p.heard("冯涛"))
        await p.press("邬沐阳", "task_cannot")
        await p.say("邬沐阳", "群里正在办喜事。")
        assert (await story.task(p, "a049")).state == "declined"
        assert len(await p.heard("冯涛")) == heard
        for who, url in (
            ("韩雪", "https://weibo.com/1/2"),
            ("华明川", "https://mp.weixin.qq.com/s/h"),
            ("谢慎之", "https://mp.weixin.qq.com/s/x"),
            ("卞秋实", "https://mp.weixin.qq.com/s/b"),
        ):
            await p.say(who, url)
        await p.tick(minutes=1)
        assert await p.states("campaigns") == ["converged"]


async def test_later_moves_no_due_time_and_a_late_post_is_marked(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        due = (await story.task(p, "a002")).due_at
        await p.press("韩雪", "task_later")
        await p.press("韩雪", "minutes_60")
        assert (await story.task(p, "a002")).due_at == due
        await p.tick(hours=25)
        assert any("转发" in m["text"] for m in (await p.heard("韩雪"))[-2:])
        await p.say("韩雪", "https://weibo.com/1/2")
        task = await story.task(p, "a002")
        assert (task.state, task.late) == ("posted", True)


async def test_nobody_to_reach_fails_and_the_publisher_posts(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("高原", "解绑 华明川")
        await p.say("高原", "解绑 谢慎之")
        await p.say("高原", "解绑 卞秋实")
        await story.started(p)
        assert (await story.task(p, "a008")).state == "failed"
        assert "健康云江" in "".join(m["text"] for m in await p.heard("冯涛"))
        await _open_gap(p, "a008")
        await p.press("冯涛", "task_post_for")
        await p.say("冯涛", "https://mp.weixin.qq.com/s/h")
        assert (await story.task(p, "a008")).state == "posted"
        await _open_gap(p, "a030")
        await p.press("冯涛", "task_exempt")
        assert (await story.task(p, "a030")).state == "exempt"
        await p.say("冯涛", "看板")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert (await story.task(p, "a043")).state == "void"


async def test_a_button_names_its_account_where_one_has_several(tmp_path: Path) -> None:
    accounts = ("a001", "a003", "a006")
    async with stage(tmp_path, accounts=accounts) as p:
        await story.lamps_running(p)
        await p.say("韩雪", "https://www.douyin.com/1")
        await p.press("韩雪", "云江融媒抖音号")
        assert (await story.task(p, "a006")).state == "posted"
        assert (await story.task(p, "a003")).state == "delivered"
        await p.press("韩雪", "copy_long")
        assert (await story.task(p, "a003")).state == "seen"
        await p.say("韩雪", "https://www.douyin.com/2")
        assert (await story.task(p, "a003")).state == "posted"
