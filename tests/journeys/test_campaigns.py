"""The broadcast in the publisher's hand."""

from collections import Counter
from pathlib import Path

from handlers.housekeeping.ticking import clock_context
from matrix.core.campaign import TASK
from matrix.core.roles import MACHINE
from tests.journeys import story
from tests.journeys.play import Play, stage

POSTS = (
    ("韩雪", "https://weibo.com/1/2"),
    ("华明川", "https://mp.weixin.qq.com/s/h"),
    ("谢慎之", "https://mp.weixin.qq.com/s/x"),
    ("卞秋实", "https://mp.weixin.qq.com/s/b"),
)


async def _all_post(p: Play) -> None:
    for who, url in POSTS:
        await p.say(who, url)
    await p.say("邬沐阳", "", files=[await p.file()])


async def _sums(p: Play) -> None:
    for campaign in await p.all("campaigns"):
        tasks = await p.all("tasks", campaign=campaign.id)
        if tasks:
            assert len(tasks) == len(campaign.accounts) - len(campaign.exempt)
            assert max(Counter(task.account for task in tasks).values()) == 1


async def test_armed_disarmed_and_released_at_its_time(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_arm")
        assert "16:00" in await p.say("冯涛", "16:00")
        assert await p.states("campaigns") == ["armed"]
        await p.press("冯涛", "campaign_disarm")
        assert await p.states("campaigns") == ["planned"]
        await p.tick(minutes=60)
        assert await p.states("tasks") == []
        await p.press("冯涛", "campaign_arm")
        await p.say("冯涛", "明天 8:00")
        await p.tick(hours=15)
        assert await p.states("campaigns") == ["armed"]
        await p.tick(hours=2)
        assert await p.states("campaigns") == ["running"]
        assert (await story.task(p, "a001")).state == "verified"
        assert (await story.task(p, "a008")).state == "delivered"
        await _sums(p)


async def test_held_resumed_and_converged_while_held(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("冯涛", "campaign_hold")
        assert await p.states("campaigns") == ["held"]
        await p.press("冯涛", "campaign_resume")
        assert await p.states("campaigns") == ["running"]
        await p.press("冯涛", "campaign_hold")
        await _all_post(p)
        await p.tick(minutes=1)
        await p.press("冯涛", "task_verify")
        assert await p.states("campaigns") == ["converged"]
        await story.told(p)
        assert await p.states("cases") == ["closed"]
        await _sums(p)


async def test_the_end_that_two_processes_did_not_see_the_clock_sees(tmp_path: Path) -> None:
    """Each has settled its last task while the other's was not committed yet."""
    async with stage(tmp_path, after=story.lamps_running) as p:
        async with p.parts.store.work() as work:
            ctx = clock_context(p.parts.services, work)
            open_ = [one for one in await work.tasks.find() if TASK.has(one.state, "void")]
            await ctx.move_all(TASK, work.tasks, open_, "void", MACHINE)
            await work.commit()
        assert await p.states("campaigns") == ["running"]
        await p.tick(seconds=15)
        assert await p.states("campaigns") == ["converged"]
        assert await p.states("cases") == ["checking"]


async def test_closed_with_gaps_then_the_gaps_are_filled(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("冯涛", "campaign_close")
        assert "5" in await p.last("冯涛")
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["closed-with-gaps"]
        await story.told(p)
        assert await p.states("cases") == ["closed"]
        await _all_post(p)
        await p.tick(minutes=1)
        await p.press("冯涛", "task_verify")
        assert await p.states("campaigns") == ["converged"]


async def test_held_and_closed(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("冯涛", "campaign_hold")
        await p.press("冯涛", "campaign_close")
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["closed-with-gaps"]


async def test_aborted_when_planned(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("冯涛", "看板")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["aborted"]
        await story.told(p)
        assert await p.states("cases") == ["closed"]


async def test_aborted_when_armed(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_arm")
        await p.say("冯涛", "16:00")
        await p.say("冯涛", "看板")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["aborted"]
        await p.tick(hours=2)
        assert await p.states("tasks") == []


async def test_aborted_when_running_what_is_not_out_is_void(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("韩雪", "https://weibo.com/1/2")
        await p.press("华明川", "copy_short")
        await p.press("谢慎之", "task_cannot")
        await p.say("谢慎之", "账号年审中。")
        await p.press("冯涛", "campaign_abort", inside="同步转发")
        shown = await p.last("冯涛")
        assert "中止" in shown
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["aborted"]
        states = {one.account: str(one.state) for one in await p.all("tasks")}
        assert states == {
            "a001": "verified", "a002": "posted", "a008": "void", "a030": "void",
            "a043": "void", "a049": "void",
        }  # fmt: skip
        assert not await p.has("华明川", "task_cannot")
        await _sums(p)


async def test_aborted_when_held(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.press("冯涛", "campaign_hold")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert await p.states("campaigns") == ["aborted"]


async def test_only_those_who_lack_are_reminded(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        heard = {name: len(await p.heard(name)) for name in ("华明川", "谢慎之")}
        assert "4" in await p.press("冯涛", "campaign_remind")
        assert "0" in await p.press("冯涛", "campaign_remind"), "at most once in ten minutes"
        assert len(await p.heard("华明川")) == heard["华明川"]
        assert len(await p.heard("谢慎之")) == heard["谢慎之"] + 1


async def test_the_whole_sample_matrix_counts_sixty(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=()) as p:
        await story.lamps_running(p)
        assert Counter(await p.states("tasks")) == {"verified": 1, "delivered": 59}
        await _sums(p)
        assert "许晴" in p.ids
        assert "云溪在线" in await p.say("许晴", "镇街进度")


async def test_an_account_is_left_out_before_the_start_and_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        said = await p.press("冯涛", "campaign_targets")
        assert "已豁免 0 个" in said
        accounts = p.parts.services.directory.accounts
        assert not await p.has("冯涛", f"豁免 {accounts['a001'].name}"), "the main force is out"
        said = await p.press("冯涛", f"豁免 {accounts['a008'].name}")
        assert "已豁免 1 个" in said
        assert f"{accounts['a008'].name} · 豁免" in said
        await p.press("冯涛", f"豁免 {accounts['a030'].name}")
        said = await p.press("冯涛", f"恢复 {accounts['a030'].name}")
        assert "已豁免 1 个" in said
        assert "5 个账号" in await p.press("冯涛", "campaign_start")
        token = await p.button("冯涛", f"豁免 {accounts['a030'].name}")
        await p.press("冯涛", "confirm")
        assert "a008" not in {one.account for one in await p.all("tasks")}
        assert "5" in await p.last("冯涛")
        assert await p.token("冯涛", token, ok=False), "the list is closed now"
        assert (await story.the(p, "campaigns")).exempt == {"a008": "publisher"}
        await _sums(p)


async def test_sixty_accounts_are_looked_through_ten_a_page(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=()) as p:
        await story.lamps_published(p)
        await p.press("冯涛", "campaign_targets")
        await p.press("冯涛", "next_page")
        names = [a.name for a in p.parts.services.directory.accounts.values()]
        assert "已豁免 1 个" in await p.press("冯涛", f"豁免 {names[11]}")
        assert await p.has("冯涛", f"恢复 {names[11]}"), "still on the second page"


async def test_what_corrects_goes_to_everyone_who_posted(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await _all_post(p)
        await p.tick(minutes=1)
        await p.press("冯涛", "task_verify")
        await p.say("冯涛", "待发布")
        await p.press("冯涛", await p.number())
        await p.press("冯涛", "bulletin_correct")
        await p.say("冯涛", "费用一句写错了。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "金穗家园路灯改造由财政出资")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/again")
        await p.press("冯涛", "campaign_targets")
        assert not [
            b for m in await p.heard("冯涛") for b in m["buttons"] if b["label"].startswith("豁免 ")
        ]
