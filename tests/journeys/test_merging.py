"""Several cases become one and part again: dates, credit, numbers and counts stay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.journeys import story
from tests.journeys.play import Play, stage


async def _three(p: Play) -> None:
    await story.filed(p)
    for text, reporter in ((story.WATER, "李敏"), (story.FEES, "张伟")):
        await story.filed(p, text, reporter)


async def _merge(p: Play) -> str:
    first, *others = [one.number for one in await p.all("cases")]
    await p.say("陈静", others[0])
    await p.press("陈静", "case_more")
    await p.press("陈静", "case_merge")
    shown = await p.say("陈静", f"{first}、{others[1]}")
    assert first in shown
    return await p.press("陈静", "confirm")


async def _picture(p: Play) -> list[Any]:
    """Everything a merge must not move."""
    cases = [
        (one.number, one.state, one.grade, one.received_at, one.merged_into)
        for one in await p.all("cases")
    ]
    leads = [(one.number, one.case, one.received_at) for one in await p.all("leads")]
    claims = [(one.key, one.first_lead) for one in await p.all("claims")]
    counts = [len(await p.all(kind)) for kind in ("leads", "claims", "sightings", "cases")]
    clocks = [
        (one.case, one.due_at)
        for one in await p.all("deadlines", stage="first-publication", closed_at=None)
    ]
    return [sorted(cases), sorted(leads), sorted(claims), sorted(clocks), counts]


async def test_merged_undone_and_merged_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_three) as p:
        before = await _picture(p)
        await _merge(p)
        first, *others = await p.all("cases")
        assert all(one.merged_into == first.id for one in others)
        assert set(await p.states("assignments", unit="swj")) == {"void"}
        merged = await _picture(p)
        for other in others:
            await p.press("陈静", "case_unmerge")
            assert other
        assert await _picture(p) == before
        assert "offered" in await p.states("assignments", unit="swj")
        assert await p.has("刘洋", "assignment_acknowledge")
        await _merge(p)
        assert await _picture(p) == merged


async def test_every_reporter_of_the_tree_is_told_once(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_three) as p:
        await p.say("喻耕读", story.WATER)
        await _merge(p)
        await p.press("范北辰", "assignment_acknowledge")
        await story.evidence(p, "范北辰", "合同第三条")
        await story.concluded(p, "范北辰", "false", "都不收费，也不停水。")
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "路灯与供水的几点说明", why=story.LAMPS_WHY)
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        told = await p.all("feedback")
        assert {one.person for one in told} == {
            p.ids[name] for name in ("王芳", "李敏", "张伟", "喻耕读")
        }
        assert len(told) == 4
        for name in ("王芳", "李敏", "张伟", "喻耕读"):
            assert "也不停水" in await p.last(name)


async def test_a_lead_about_something_else_is_split_off(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.say("张伟", story.LAMPS)
        lead = (await p.all("leads"))[-1]
        assert lead.state == "attached"
        number = await p.number()
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_split")
        await p.press("陈静", lead.number)
        split = (await p.all("leads"))[-1]
        assert (split.state, split.case) == ("queued", "")
        assert (await p.all("deadlines", subject=f"lead:{lead.id}", closed_at=None)) != []
        card = await p.press("陈静", "lead_open")
        assert "区城管局" in card
        await p.press("陈静", "lead_file")
        assert len(await p.all("cases")) == 2


async def test_an_upgrade_moves_dues_and_a_merge_moves_no_start(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_three) as p:
        case = (await p.all("cases"))[0]
        clock = await story.the(p, "deadlines", case=case.id, stage="first-publication")
        await p.say("陈静", case.number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_grade")
        await p.press("陈静", "grade_orange")
        after = await story.the(p, "deadlines", case=case.id, stage="first-publication")
        assert after.due_at < clock.due_at
        assert replace(after, due_at=clock.due_at).starts_at == clock.starts_at
        await p.press("陈静", "undo")
        back = await story.the(p, "deadlines", case=case.id, stage="first-publication")
        assert back.due_at == clock.due_at
