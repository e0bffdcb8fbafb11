"""``piyao clocks``: the rules tried out on a case that does not exist, and the log compared."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from config.clock_table import read_clocks
from config.holidays import load_holidays
from handlers import calendars
from handlers.services import Directory, Policy
from matrix.core.case import Grade
from matrix.core.deadline import Deadline, Stage
from matrix.core.directory import Post, Unit
from matrix.core.roles import Role
from matrix.ports import Work
from matrix.triage import replay
from matrix.triage.calendar import LOCAL, Calendar
from matrix.triage.timeline import Step, timeline

Say = Callable[..., str]
"""A sentence of the catalogue: table, key, placeholders."""
_GRADES = dict(zip("红橙黄蓝", Grade, strict=True))
_LEVELS = dict(zip("ⅠⅡⅢⅣ", Grade, strict=True))
_MOST_NEAR = 5
_WEEK = range(7)


class Unusable(ValueError):
    """An answer that cannot be used; ``key`` is under ``clocks`` in the catalogue."""

    def __init__(self, key: str, value: str = "", near: tuple[str, ...] = ()) -> None:
        """``near`` are names that may have been meant."""
        super().__init__(key)
        self.key = key
        self.value = value
        self.near = near


def parse_grade(text: str) -> Grade:
    """红, Ⅰ or red. Raises Unusable."""
    value = text.strip().removesuffix("色").removesuffix("级").lower()
    known = {**_GRADES, **{k.lower(): v for k, v in _LEVELS.items()}}
    found = known.get(value) or next((one for one in Grade if one.value == value), None)
    if found is None:
        raise Unusable("bad_grade", text)
    return found


def parse_time(text: str) -> datetime:
    """A moment by the wall clock in Beijing. Raises Unusable."""
    try:
        return datetime.fromisoformat(text.strip().replace("/", "-")).replace(tzinfo=LOCAL)
    except ValueError:
        raise Unusable("bad_time", text) from None


def find_unit(directory: Directory, text: str) -> Unit:
    """By code, short or full name. Raises Unusable, with what is near."""
    units = [one for one in directory.units.values() if not one.ended]
    if not units:
        raise Unusable("no_units")
    value = text.strip()
    found = [one for one in units if value in {one.id, one.name, one.short_name}]
    if len(found) == 1:
        return found[0]
    near = [one.short_name for one in units if value and value in one.name + one.short_name]
    raise Unusable("bad_unit", text, tuple(near[:_MOST_NEAR]))


@dataclass(frozen=True, slots=True)
class _Whose:
    """Who answers for a stage of a case of this unit."""

    directory: Directory
    policy: Policy
    unit: str

    def __call__(self, stage: Stage) -> tuple[str, Calendar]:
        code = self._code(stage)
        return code, calendars.of_unit(self.directory, self.policy, code)

    def _code(self, stage: Stage) -> str:
        match stage:
            case Stage.FILE:
                return calendars.of_desk(self.directory)
            case Stage.REVIEW:
                return self._holding(Role.REVIEWER_1)
            case Stage.CHECK:
                return self._holding(Role.PUBLISHER)
            case _:
                return self.unit

    def _holding(self, role: Role) -> str:
        posts: Iterator[Post] = (one for one in self.directory.posts if one.role is role)
        return next((one.unit for one in posts if one.unit), "")


def simulate(
    directory: Directory, grade: Grade, start: datetime, unit: Unit, say: Say
) -> Iterator[str]:
    """The timeline of a case, line by line, in Chinese."""
    policy = Policy(short_name="", clocks=read_clocks(), holidays=load_holidays())
    whose = _Whose(directory, policy, unit.id)
    steps = timeline(policy.clocks, grade, start, whose)
    yield say(
        "clocks", "head", grade=say("grade", grade.value), unit=unit.name, at=_when(start, say)
    )
    yield say("clocks", "assumed")
    if not unit.calendar:
        name = whose(Stage.VERIFY)[1].name or say("clocks", "office")
        yield say("clocks", "no_calendar", unit=unit.short_name, name=name)
    for step in steps:
        yield ""
        yield from _told(directory, step, say)
    shown = {_name(one.calendar, say): one.calendar for one in steps if one.calendar is not None}
    yield ""
    for name, calendar in shown.items():
        yield _hours(name, calendar, say)
    for year in sorted({year for step in steps for year in step.unknown}):
        yield say("clocks", "unknown", year=year)


def _told(directory: Directory, step: Step, say: Say) -> Iterator[str]:
    clock = say("clocks", "wall")
    if step.calendar is not None:
        clock = say("clocks", "working", name=_name(step.calendar, say))
    stage = say("stage", f"stage_{step.stage.value.replace('-', '_')}")
    unit = directory.unit_name(step.unit) or say("ui", "system")
    key = "review" if step.review else "step"
    yield say("clocks", key, stage=stage, number=step.review, unit=unit, clock=clock)
    capped = say("clocks", "capped") if step.capped else ""
    quiet = "" if step.rungs else say("clocks", "no_watch")
    start, due = _when(step.starts_at, say), _when(step.due_at, say)
    yield say("clocks", "span", start=start, due=due, capped=capped + quiet)
    rungs = [_rung(*rung, say) for rung in step.rungs]
    if rungs:
        yield say("clocks", "rungs", rungs=" · ".join(rungs))


def _rung(number: int, at: datetime, said: datetime, say: Say) -> str:
    name = say("rung", f"rung_{number}")
    if said == at:
        return say("clocks", "rung", name=name, at=_short(at))
    return say("clocks", "held", name=name, at=_short(at), said=_short(said))


def _name(calendar: Calendar, say: Say) -> str:
    return calendar.name or say("clocks", "office")


def _hours(name: str, calendar: Calendar, say: Say) -> str:
    days = "、".join(say("weekday", str(one)) for one in sorted(calendar.weekdays))
    every = len(calendar.weekdays) == len(_WEEK)
    return say(
        "clocks", "hours", name=name, days=say("clocks", "every_day") if every else days,
        blocks="、".join(f"{begin:%H:%M}–{end:%H:%M}" for begin, end in calendar.blocks),
        statutory=say("clocks", "always" if calendar.years is None else "by_law"),
    )  # fmt: skip


def _when(at: datetime, say: Say) -> str:
    local = at.astimezone(LOCAL)
    day = say("weekday", str(local.isoweekday()))
    return f"{local.year} 年 {local.month} 月 {local.day} 日（{day}）{local:%H:%M}"


def _short(at: datetime) -> str:
    local = at.astimezone(LOCAL)
    return f"{local.month}-{local.day} {local:%H:%M}"


async def compare(work: Work) -> tuple[int, Mapping[str, tuple[Deadline, tuple[str, ...]]]]:
    """How many clocks the log knows, and those that are stored otherwise, with the fields.

    Clocks from before the log kept their times are left out.
    """
    told = replay.rebuild(await work.events(entity=replay.ENTITY))
    stored = {one.id: one for one in await work.deadlines.find()}
    names = [one.name for one in fields(Deadline) if one.name != "version"]
    differing = {}
    for deadline_id, one in told.items():
        kept = stored.get(deadline_id)
        wrong = tuple(
            name for name in names if kept is None or getattr(kept, name) != getattr(one, name)
        )
        if wrong:
            differing[deadline_id] = (one, wrong)
    return len(told), differing
