"""延期: asked with a reason, decided by another person; what moves, and what does not."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

HEAD = "潘东篱"


async def _taken(p: Play) -> None:
    await story.filed(p)
    await p.press("范北辰", "assignment_acknowledge")


async def _due(p: Play, stage_: str) -> str:
    (clock,) = await p.all("deadlines", stage=stage_, closed_at=None)
    return str(clock.due_at.isoformat())


async def _asked(p: Play, who: str = "范北辰", hours: str = "hours_4") -> str:
    await p.press(who, "case_extend")
    await p.press(who, hours)
    return await p.say(who, "要等检测中心出报告，明天上午才有。")


async def test_the_head_approves_and_only_the_stage_moves(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        before, whole = await _due(p, "verify"), await _due(p, "first-publication")
        assert "等待批准" in await _asked(p)
        card = await p.last(HEAD)
        assert "检测中心" in card
        assert "原来截止：明天 14:05" in card, "6 working hours from 15:05"
        assert "同意后截止：11 月 11 日 08:05" in card, "four more would be 09:35: the cap"
        assert await _due(p, "verify") == before, "nothing moves before somebody approves"
        assert "首发时限不变" in await p.press(HEAD, "extension_approve")
        assert await _due(p, "verify") == "2026-11-11T00:05:00+00:00"
        assert await _due(p, "first-publication") == whole
        assert "已同意" in await p.last("范北辰")
        assert await p.states("extensions") == ["granted"]
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        assert "延期" in await p.press("陈静", "look_log")


async def test_a_refusal_leaves_everything_as_it_was(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        before = await _due(p, "verify")
        await _asked(p)
        assert "等在批" not in await p.press(HEAD, "extension_refuse")
        assert await _due(p, "verify") == before
        assert "没有同意" in await p.last("范北辰")
        assert await p.states("extensions") == ["not-granted"]


async def test_one_request_at_a_time_and_nobody_decides_their_own(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        await _asked(p)
        await p.say("范北辰", await p.number())
        await p.press("范北辰", "case_extend")
        assert "不用再提" in await p.press("范北辰", "hours_1", ok=False)
        assert not await p.has("范北辰", "extension_approve")
        assert not await p.has("穆南星", "extension_approve")


async def test_a_head_and_an_urgent_case_need_the_leader(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press(HEAD, "assignment_acknowledge")
        await _asked(p, HEAD)
        assert not await p.has(HEAD, "extension_approve")
        leader = story.name_of(p, "leader", "desk")
        await p.press(leader, "extension_approve")
        assert await p.states("extensions") == ["granted"]


async def test_first_publication_leaves_no_more_room(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        p.clock.forward(minutes=110)
        await p.press("王倩", "assignment_acknowledge")
        await p.press("王倩", "case_extend")
        assert "延不了" in await p.press("王倩", "hours_8", ok=False) or await p.has(
            "王倩", "dialog_cancel"
        )
        (clock,) = await p.all("deadlines", stage="verify", closed_at=None)
        assert clock.capped


async def test_a_clock_that_has_stopped_is_not_extended(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        await _asked(p)
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.concluded(p, "范北辰", "false", "由区财政出资。")
        assert "已经停了" in await p.press(HEAD, "extension_approve", ok=False)
        assert await p.states("extensions") == ["asked"]


async def test_a_pause_gives_back_what_was_left_and_never_the_cap(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_pause")
        await p.press("陈静", "pause_lab")
        p.clock.forward(hours=3)
        await p.press("陈静", "case_unpause")
        assert await _due(p, "verify") == "2026-11-10T08:30:00+00:00", (
            "2 h 25 min of the pause were working time"
        )
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_pause")
        await p.press("陈静", "pause_lab")
        p.clock.forward(hours=60)
        await p.press("陈静", "case_unpause")
        (clock,) = await p.all("deadlines", stage="verify", closed_at=None)
        (whole,) = await p.all("deadlines", stage="first-publication", closed_at=None)
        assert clock.capped
        assert clock.due_at < whole.due_at


async def test_a_stage_that_begins_during_a_pause_waits(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_taken) as p:
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_pause")
        await p.press("陈静", "pause_outside")
        await p.say("范北辰", await p.number())
        await story.concluded(p, "范北辰", "false", "由区财政出资。")
        (draft,) = await p.all("deadlines", stage="draft", closed_at=None)
        assert draft.paused_at is not None
        await p.tick(hours=10)
        assert (await p.all("deadlines", id=draft.id))[0].rung == 0
        await p.press("陈静", "case_unpause")
        (draft,) = await p.all("deadlines", id=draft.id)
        assert draft.paused_at is None
        assert draft.next_at is not None
