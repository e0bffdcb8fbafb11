"""At night and on holidays: who is on duty stands in, nobody on duty means the desk; and 值班表."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from handlers import clocks
from handlers.housekeeping import ticking
from matrix.core.calendar import Shift, SpecialDay, WorkCalendar
from matrix.core.case import Grade
from matrix.core.deadline import Stage
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.test_clocks import reminders

NIGHT = timedelta(hours=7)
"""From 15:05 to 22:05."""


async def roster(p: Play, *shifts: Shift) -> None:
    async with p.parts.store.work() as work:
        for one in shifts:
            await work.shifts.add(one)
        await work.commit()
    await p.parts.reload_directory()


def tonight(p: Play, who: str, unit: str = "jtj") -> Shift:
    return Shift(
        id=f"{who}-1", unit=unit, day="2026-11-09", begins="17:30", ends="09:00", person=p.ids[who]
    )


async def _school_at_night(p: Play) -> None:
    p.clock.forward(seconds=NIGHT.total_seconds())
    await story.school_filed(p)
    await p.press("王倩", "assignment_acknowledge")
    await p.press("王倩", "evidence_add")
    await p.say("王倩", "晨检记录。")
    await p.press("王倩", "public_yes")


async def test_at_night_who_is_on_duty_gets_what_the_assignee_gets(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await roster(p, tonight(p, "周磊"))
        await _school_at_night(p)
        before = {who: len(await reminders(p, who)) for who in ("王倩", "周磊", "陈静")}
        await p.tick(minutes=80)
        assert len(await reminders(p, "王倩")) > before["王倩"]
        assert len(await reminders(p, "周磊")) > before["周磊"]
        lines = [m["text"] for m in (await reminders(p, "陈静"))[before["陈静"] :]]
        assert not any("查证给结论" in one for one in lines), "somebody is on duty there"


async def test_with_nobody_on_duty_the_desk_hears_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _school_at_night(p)
        await p.tick(minutes=80)
        assert any("查证给结论" in m["text"] for m in await reminders(p, "陈静"))


async def test_by_day_the_roster_changes_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        day = Shift(id="d", unit="jtj", day="2026-11-09", person=p.ids["周磊"])
        await roster(p, day)
        await p.press("王倩", "assignment_acknowledge")
        await p.tick(minutes=76)
        assert any("查证给结论" in m["text"] for m in await reminders(p, "王倩"))
        assert not any("查证给结论" in m["text"] for m in await reminders(p, "周磊"))


async def test_the_roster_is_shown_to_desk_and_administrator(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        assert "没有排班" in await p.say("陈静", "值班表")
        await roster(p, tonight(p, "周磊"), tonight(p, "范北辰", "cgj"))
        said = await p.say("高原", "值班表")
        assert "共 2 班" in said
        assert "区教体局 周磊" in said
        assert "17:30 到 明天 09:00" in said
        assert "正在值班" not in said
        only = await p.say("陈静", "值班表 城管")
        assert "周磊" not in only
        assert "范北辰" in only
        p.clock.forward(hours=3)
        assert "正在值班" in await p.say("陈静", "值班表")
        p.clock.forward(hours=20)
        assert "没有排班" in await p.say("陈静", "值班表")


async def test_a_units_own_calendar_and_the_districts_days_count(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        async with p.parts.store.work() as work:
            await work.calendars.add(
                WorkCalendar(id="early", name="早班", blocks=(("07:00", "16:00"),))
            )
            await work.days.add(SpecialDay(id="x", day="2026-11-10", works=False))
            unit = await work.units.get("cgj")
            await work.units.save(replace(unit, calendar="early"))
            await work.commit()
        await p.parts.reload_directory()
        await story.filed(p)
        (clock,) = [one for one in await p.all("deadlines", stage="return") if one.unit == "cgj"]
        assert clock.due_at.isoformat() == "2026-11-11T07:05:00+00:00", (
            "a day of 9 h: 55 min until 16:00, the tenth is off, the rest from 7:00"
        )


async def test_a_year_without_holidays_is_an_alarm_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        p.clock.forward(days=52, hours=1)
        await story.filed(p)
        await story.filed(p, story.FEES, "李敏")
        told = [m["text"] for m in await p.heard("陈静") if "2027 年的节假日" in m["text"]]
        assert len(told) == 1


OUTAGE = 24
"""Clocks that fall due while nobody looks, a minute apart, made in another order."""


async def test_after_an_outage_what_fell_due_fires_once_in_order(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        async with p.parts.store.work() as work:
            ctx = ticking.clock_context(p.parts.services, work)
            case = (await work.cases.find())[0]
            for number in range(OUTAGE):
                due = ctx.at + timedelta(minutes=1 + (number * 7) % OUTAGE)
                await clocks.start(
                    ctx, f"case:{case.id}:{number}", Stage.HOLDING, Grade.ORANGE,
                    business=ctx.at, case=case.id, due_at=due,
                )  # fmt: skip
            await work.commit()
        await p.tick(minutes=OUTAGE + 1)
        async with p.parts.store.read() as work:
            rungs = [one for one in await work.events(entity="deadline") if "rung-" in one.action]
        mine = [one for one in rungs if one.action.endswith("holding")]
        assert len(mine) == OUTAGE, "each once, though several of its rungs were due"
        by_id = {one.id: one for one in await p.all("deadlines", stage="holding")}
        first = [by_id[one.entity_id].rungs[0] for one in mine]
        assert first == sorted(first), "in the order in which they fell due"
        await p.tick(seconds=15)
        async with p.parts.store.read() as work:
            again = [one for one in await work.events(entity="deadline") if "rung-" in one.action]
        assert len(again) == len(rungs)


async def test_identical_leads_that_fell_due_together_file_one_case(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for who in ("王芳", "李敏", "张伟"):
            await p.say(who, story.SCHOOL)
        await p.tick(hours=3)
        assert len(await p.all("cases")) == 1
        assert {one.state for one in await p.all("leads")} == {"attached"}
        assert await p.all("deadlines", stage="file", closed_at=None) == []
