"""撤销 of owner, grade and merge at every stage; only while nothing has followed, for 30 minutes."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

LATE = "超过 30 分钟"
FOLLOWED = "后面已有新的动作"


async def _both(p: Play) -> None:
    """An older yellow case of another unit, and the blue one, filed but not dispatched."""
    await story.filed(p, story.WATER, "李敏")
    p.clock.forward(minutes=1)
    await p.say("王芳", story.LAMPS)
    await p.press("陈静", "lead_more", inside=story.LAMPS[:12])
    await p.press("陈静", "lead_file_only")


async def _more(p: Play, label: str) -> None:
    # Thirty messages a minute are all that one person may send.
    p.clock.forward(seconds=40)
    await p.say("陈静", (await _lamps(p)).number)
    await p.press("陈静", "case_more")
    await p.press("陈静", label)


async def _lamps(p: Play):  # type: ignore[no-untyped-def]
    return (await p.all("cases"))[-1]


async def _regrade(p: Play) -> None:
    await _more(p, "case_grade")
    await p.press("陈静", "grade_orange")


async def _give(p: Play, unit: str = "区住建局") -> None:
    await _more(p, "case_owner")
    await p.say("陈静", unit)


async def _merge(p: Play) -> None:
    await _more(p, "case_merge")
    await p.say("陈静", (await p.all("cases"))[0].number)
    await p.press("陈静", "confirm")


async def _open_stages(p: Play) -> set[str]:
    case = await _lamps(p)
    found = await p.all("deadlines", case=case.id, closed_at=None)
    return {str(one.stage) for one in found if not one.subject.startswith("assignment:")}


async def _there_and_back(p: Play, *, owner: bool) -> None:
    """Regraded, given away, merged; each undone at once: everything is as it was."""
    before, stages = await _lamps(p), await _open_stages(p)
    await _regrade(p)
    await p.press("陈静", "undo", inside="等级已改")
    if owner:
        await _give(p)
        assert (await _lamps(p)).owner == "zjj"
        assert "区城管局" in await p.press("陈静", "undo", inside="主办已改为区住建局")
    await _merge(p)
    assert (await _lamps(p)).merged_into
    assert await _open_stages(p) == set()
    await p.press("陈静", "case_unmerge")
    after = await _lamps(p)
    for field in ("state", "grade", "assessment", "owner", "co_units", "merged_into"):
        assert getattr(after, field) == getattr(before, field), field
    assert await _open_stages(p) == stages, "every clock that ran runs again"


async def test_undone_at_every_stage_before_anything_is_out(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_both) as p:
        seen = []

        async def here(*, owner: bool = False) -> None:
            seen.append(str((await _lamps(p)).state))
            await _there_and_back(p, owner=owner)

        await here(owner=True)
        await p.say("陈静", (await _lamps(p)).number)
        await p.press("陈静", "case_dispatch")
        await here(owner=True)
        await p.press("范北辰", "assignment_acknowledge")
        await here(owner=True)
        await p.press("范北辰", "assignment_acknowledge")
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await here(owner=True)
        await p.press("范北辰", "assignment_acknowledge")
        await p.press("范北辰", "case_consult")
        await p.say("范北辰", "合同怎样解释。")
        await here(owner=True)
        await p.press("范北辰", "assignment_acknowledge")
        await p.press("范北辰", "case_conclude")
        await p.press("范北辰", "verdict_false")
        await p.say("范北辰", "金穗家园路灯由区财政出资安装，不向住户收费。")
        await here()
        await p.say("范北辰", (await _lamps(p)).number)
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", why=story.LAMPS_WHY)
        await here()
        await p.press("范北辰", "draft_submit")
        await here()
        await story.signed(p)
        await here()
        assert seen == [
            "filed", "dispatched", "acknowledged", "verifying", "consulting", "concluded",
            "drafting", "in-review", "approved",
        ]  # fmt: skip


Do = Callable[[Play], Awaitable[None]]
DONE: dict[str, tuple[Do, str]] = {
    "owner": (_give, "undo"), "grade": (_regrade, "undo"), "merge": (_merge, "case_unmerge"),
}  # fmt: skip


async def _dispatched(p: Play) -> None:
    await _both(p)
    await p.say("陈静", (await _lamps(p)).number)
    await p.press("陈静", "case_dispatch")


async def test_after_thirty_minutes_nothing_is_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_dispatched) as p:
        for do, button in DONE.values():
            await do(p)
            before = await _lamps(p)
            p.clock.forward(minutes=31)
            assert LATE in await p.press("陈静", button, ok=False)
            assert await _lamps(p) == before
        assert LATE in await _unmerge_from_the_card(p)


async def _unmerge_from_the_card(p: Play) -> str:
    await p.say("陈静", (await _lamps(p)).number)
    return await p.press("陈静", "case_unmerge", ok=False)


async def test_what_has_followed_is_not_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_dispatched) as p:
        await _give(p)
        await p.press("吴凌波", "assignment_acknowledge")
        assert FOLLOWED in await p.press("陈静", "undo", inside="主办已改为", ok=False)
        assert (await _lamps(p)).owner == "zjj"

        await _regrade(p)
        await _more(p, "case_grade")
        await p.press("陈静", "grade_red")
        await p.press("陈静", "undo", inside="🔴 红")
        assert FOLLOWED in await p.press("陈静", "undo", inside="🟠 橙", ok=False)

        await _merge(p)
        await p.press("刘洋", "assignment_acknowledge")
        assert FOLLOWED in await p.press("陈静", "case_unmerge", ok=False)
        assert (await _lamps(p)).merged_into


async def test_a_look_at_the_card_is_nothing_done(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_dispatched) as p:
        await _give(p)
        await p.say("陈静", (await _lamps(p)).number)
        await p.press("陈静", "undo", inside="主办已改为")
        assert (await _lamps(p)).owner == "cgj"


async def test_the_co_unit_that_led_for_a_while_assists_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_dispatched) as p:
        before = await _lamps(p)
        name = p.parts.services.directory.unit_name(before.co_units[0])
        await _give(p, name)
        await p.press("陈静", "undo", inside="主办已改为")
        after = await _lamps(p)
        assert (after.owner, after.co_units) == (before.owner, before.co_units)
        live = [
            (one.unit, one.lead)
            for one in await p.all("assignments", case=before.id)
            if one.state == "offered"
        ]
        assert sorted(live) == sorted([(before.owner, True), (before.co_units[0], False)])


async def test_a_proposal_is_changed_and_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        before = (await p.all("leads"))[0].proposal
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_owner")
        await p.say("陈静", "区住建局")
        assert (await p.all("leads"))[0].proposal["owner"] == "zjj"
        await p.press("陈静", "undo")
        assert (await p.all("leads"))[0].proposal == before
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_grade")
        await p.press("陈静", "grade_yellow")
        await p.press("陈静", "undo")
        assert (await p.all("leads"))[0].proposal == before
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_grade")
        await p.press("陈静", "grade_yellow")
        p.clock.forward(minutes=31)
        assert LATE in await p.press("陈静", "undo", ok=False)


async def test_leads_and_receipts_too_end_after_thirty_minutes(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        p.links.default = "unreachable"
        await p.say("华明川", "https://mp.weixin.qq.com/s/wrong")
        await p.press("谢慎之", "task_cannot")
        await p.say("谢慎之", "账号正在年审。")
        await p.say("李敏", story.FEES)
        await p.press("陈静", "lead_more", inside="物业费")
        await p.press("陈静", "lead_reject")
        await p.press("陈静", "reason_unclear")
        p.clock.forward(minutes=31)
        assert LATE in await p.press("华明川", "task_undo", ok=False)
        assert LATE in await p.press("谢慎之", "undo", ok=False)
        assert LATE in await p.press("陈静", "lead_undo", ok=False)
        assert await p.states("leads", state="rejected") == ["rejected"]


async def test_what_is_out_is_not_merged_into_an_older_case(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        older = await story.filed(p, story.WATER, "李敏")
        p.clock.forward(minutes=1)
        await story.lamps_published(p)
        await _more(p, "case_merge")
        assert "不能并入" in await p.say("陈静", older, ok=False)
        assert (await _lamps(p)).merged_into == ""
