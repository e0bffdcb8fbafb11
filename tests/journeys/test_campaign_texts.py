"""普法: made without a case, signed by three, published, broadcast, corrected, withdrawn."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

TITLE = "这样识别冒充客服退款的骗局"
FACT = "正规平台退款原路退回，不会让您下载软件或共享屏幕。"


async def _drafted(p: Play) -> str:
    assert "普法-0001 第 1 版 · 普法" in await p.say("范北辰", "普法")
    await story.written(p, "范北辰", TITLE, fact=FACT, todo="接到这类电话请挂断，拨打 96110 核实。")
    return "普法-0001"


async def _published(p: Play) -> None:
    await _drafted(p)
    await p.press("范北辰", "draft_submit")
    await story.signed(p)
    await story.published(p)


async def test_written_signed_by_three_and_published_without_a_case(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        number = await _drafted(p)
        await p.press("范北辰", "draft_submit")
        assert TITLE in await p.last("孙丽")
        assert "普法" in await p.last("孙丽")
        for reviewer in story.REVIEWERS[:2]:
            await p.press(reviewer, "review_pass")
        assert not await p.has("冯涛", "publish_link"), "two signatures are not three"
        await p.press("郑敏", "review_pass")
        assert number in await p.say("冯涛", "待发布")
        await story.published(p)
        made = await story.the(p, "bulletins", kind="campaign")
        assert (made.state, made.number, made.verdict) == ("current", number, None)
        assert await p.all("cases") == []
        assert await p.all("feedback") == []


async def test_broadcast_to_every_account_and_settled(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_published) as p:
        board = await story.started(p)
        assert "同步转发 1/6" in board
        assert TITLE in await p.last("华明川")
        await p.say("韩雪", "https://weibo.com/1/2")
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        await p.say("谢慎之", "https://mp.weixin.qq.com/s/x")
        await p.say("卞秋实", "https://mp.weixin.qq.com/s/b")
        await p.say("邬沐阳", "", files=[await p.file()])
        await p.tick(minutes=1)
        await p.press("冯涛", "task_verify")
        assert await p.states("campaigns") == ["converged"]


async def test_it_answers_no_report_and_a_report_makes_a_case_of_its_own(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_published) as p:
        assert FACT not in await p.say("王芳", "接到电话说客服退款，要我下载软件共享屏幕")


async def test_sent_back_and_taken_up_by_a_colleague(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        number = await _drafted(p)
        await p.press("范北辰", "draft_submit")
        await p.press("孙丽", "review_back")
        await p.say("孙丽", "请写明举报电话。")
        assert "请写明举报电话" in await p.last("范北辰")
        await p.say("穆南星", "普法")
        await p.press("穆南星", number)
        await p.press("穆南星", "edit_todo")
        await p.say("穆南星", "请拨打 96110。")
        await p.press("穆南星", "draft_submit")
        await story.signed(p)
        await story.published(p)
        assert await p.states("bulletins", kind="campaign") == ["current"]
        assert "没有" in await p.say("王倩", number, ok=False), "another unit sees no draft of it"


async def test_nobody_signs_what_they_wrote_and_it_is_withdrawn_in_public(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_published) as p:
        await story.started(p)
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        await p.say("冯涛", "待发布")
        await p.press("冯涛", (await story.the(p, "bulletins", kind="campaign")).number)
        await p.press("冯涛", "bulletin_withdraw")
        await p.say("冯涛", "电话号码写错。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "撤回关于退款骗局的提醒")
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("吴刚", "郑敏"))
        await story.published(p, "https://mp.weixin.qq.com/s/gone")
        assert await p.states("bulletins", kind="campaign") == ["withdrawn"]
        original, successor = await p.all("campaigns")
        assert original.state == "aborted"
        assert set(successor.accounts) == {"a001", "a008"}
        await story.started(p)
        assert "更正" in await p.last("华明川") or "撤回" in await p.last("华明川")
