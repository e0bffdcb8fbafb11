"""Correction, update, withdrawal, expiry: silent at once, told to all that were reached."""

from dataclasses import replace
from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

FACT = "不向住户收费"


async def _spread(p: Play) -> None:
    """Posted by one, declined by one, and by an account that ends afterwards."""
    await story.lamps_running(p)
    await p.say("华明川", "https://mp.weixin.qq.com/s/h")
    await p.say("谢慎之", "https://mp.weixin.qq.com/s/x")
    await p.say("邬沐阳", "", files=[await p.file()])


async def _open(p: Play, verb: str, reason: str) -> None:
    await p.say("冯涛", "待发布")
    await p.press("冯涛", await p.number())
    await p.press("冯涛", f"bulletin_{verb}")
    await p.say("冯涛", reason)


async def test_a_withdrawal_is_silent_at_once_and_reaches_all(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_spread) as p:
        await story.told(p)
        assert FACT in await p.say("李敏", story.LAMPS)
        await _open(p, "withdraw", "合同已变更，原说明不再准确。")
        assert FACT not in await p.say("喻耕读", story.LAMPS), "doubted: only suggested"
        (ended,) = await p.all("accounts", id="a030")
        await p.change("accounts", replace(ended, ended=True, paused="closed"))
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "撤回关于金穗家园路灯的说明")
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("吴刚", "郑敏"))
        told = {name: len(await p.heard(name)) for name in ("王芳", "李敏")}
        await story.published(p, "https://mp.weixin.qq.com/s/withdrawn")
        await story.told(p)
        assert await p.states("bulletins", kind="first") == ["withdrawn"]
        for name, before in told.items():
            assert len(await p.heard(name)) == before + 1, f"{name} is told once"
            assert "撤回" in await p.last(name)
        assert FACT not in await p.say("张伟", story.LAMPS)

        original, successor = await p.all("campaigns")
        assert original.state == "aborted"
        assert set(successor.accounts) == {"a001", "a008", "a030", "a049"}
        await story.started(p)
        tasks = {one.account: one for one in await p.all("tasks", campaign=successor.id)}
        assert set(tasks) == set(successor.accounts), "also the account that has ended"
        assert all(one.predecessor for one in tasks.values())
        states = {one.account: str(one.state) for one in await p.all("tasks")}
        assert states["a002"] == "void"


async def test_an_update_supersedes(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _open(p, "update", "补充退费电话。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", todo="退费请拨打 12345。")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/update")
        await story.told(p)
        assert await p.states("bulletins", kind="first") == ["superseded"]
        assert await p.states("bulletins", kind="update") == ["current"]
        assert "s/update" in await p.last("王芳")
        assert "s/update" in await p.say("李敏", story.LAMPS)


async def test_a_correction_sent_back_is_written_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _open(p, "correct", "合同编号有误。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "更正：金穗家园路灯改造不收费")
        await p.press("范北辰", "draft_submit")
        await p.press("孙丽", "review_back")
        await p.say("孙丽", "请写明编号。")
        assert await p.states("cases") == ["published"], "the case does not go back"
        await p.press("范北辰", "draft_open")
        await story.written(p, "范北辰", "更正：路灯改造合同编号")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/right")
        assert await p.states("bulletins", kind="first") == ["corrected"]
        assert not (await story.the(p, "cases")).correction_open


async def test_a_correction_needs_the_sources_that_its_original_needed(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_grade")
        await p.press("陈静", "grade_orange")
        await _open(p, "correct", "合同编号有误。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "更正：路灯改造合同编号")
        assert "公开依据" in await p.press("范北辰", "draft_submit", ok=False)
        await story.evidence(p, "范北辰", "合同补充协议第一条")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/right")
        assert await p.states("bulletins", kind="correction") == ["current"]


async def test_a_verdict_that_was_taken_back_carries_no_correction(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_none")
        await story.told(p)
        assert await p.states("cases") == ["closed"]
        await _open(p, "correct", "合同编号有误。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "更正：路灯改造合同编号")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_reopen")
        assert "结论或公开依据与文种不符" in await p.press("冯涛", "publish_link", ok=False)
        assert await p.states("bulletins", kind="first") == ["current"]


async def test_expired_leaves_matching_and_is_prolonged(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.tick(minutes=1)
        (expired, *_) = await p.all("bulletins", state="expired")
        assert expired.title not in await p.say("王芳", expired.claim_text)
        await p.press("吴刚", "bulletin_prolong", inside=expired.title)
        (again,) = await p.all("bulletins", id=expired.id)
        assert again.state == "current"
        assert again.expires_at > p.clock.now()
        p.clock.forward(minutes=5)
        assert expired.short[:12] in await p.say("李敏", expired.claim_text)
