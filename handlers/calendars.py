"""Whose working hours count, from what the district keeps and the state announces."""

from datetime import date, datetime, time, timedelta

from handlers.services import Directory, Policy
from matrix.core.calendar import WorkCalendar
from matrix.core.directory import UnitKind
from matrix.triage.calendar import Calendar

DEFAULT = "default"
"""The code of the calendar for units that name none; without it, office hours."""
_ENTERED = ("01-01", "10-01")
"""New Year's Day and National Day are holidays in every year: where the district's own days have
both, the year's schedule has been entered, and no warning is due."""
_OFFICE = Calendar()
_AHEAD = timedelta(days=60)
"""The next year's schedule is announced in November: in good time for who must enter it."""


def of_unit(directory: Directory, policy: Policy, unit: str) -> Calendar:
    """The working hours of a unit by its code; also of one that is unknown or names none."""
    found = directory.units.get(unit)
    code = found.calendar if found is not None and found.calendar else DEFAULT
    kept = directory.calendars.get(code) or directory.calendars.get(DEFAULT)
    if kept is None:
        return _made(directory, policy, code, _OFFICE, statutory=True)
    shape = Calendar(
        name=kept.name, blocks=tuple((_moment(a), _moment(b)) for a, b in kept.blocks),
        weekdays=frozenset(kept.weekdays),
    )  # fmt: skip
    return _made(directory, policy, kept.id, shape, statutory=kept.statutory)


def _made(
    directory: Directory, policy: Policy, code: str, shape: Calendar, *, statutory: bool
) -> Calendar:
    own = {date.fromisoformat(one.day): one.works for one in directory.days if one.calendar == code}
    common = {date.fromisoformat(one.day): one.works for one in directory.days if not one.calendar}
    return Calendar(
        name=shape.name, blocks=shape.blocks, weekdays=shape.weekdays,
        days={**(policy.holidays.days if statutory else {}), **common, **own},
        years=known_years(directory, policy) if statutory else None,
    )  # fmt: skip


def known_years(directory: Directory, policy: Policy) -> frozenset[int]:
    """Years whose holidays are known: by the package, or entered by the district."""
    entered: dict[int, set[str]] = {}
    for one in directory.days:
        if not one.calendar and not one.works:
            entered.setdefault(int(one.day[:4]), set()).add(one.day[5:])
    own = {year for year, days in entered.items() if days.issuperset(_ENTERED)}
    return policy.holidays.years | own


def missing(directory: Directory, policy: Policy, now: datetime) -> tuple[int, ...]:
    """Years that a clock started soon may reach without knowing their holidays."""
    calendar = Calendar(years=known_years(directory, policy))
    return calendar.unknown(now, now + _AHEAD)


def of_desk(directory: Directory) -> str:
    """The code of the duty desk's unit, empty when there is none."""
    desks = (one.id for one in directory.units.values() if one.kind is UnitKind.DESK)
    return next(desks, "")


def _moment(text: str) -> time:
    return time.fromisoformat(text)


def overlapping(kept: WorkCalendar) -> bool:
    """Whether two of its blocks are in each other's way, the last one's night included."""
    minutes = [(_minute(a), _minute(b)) for a, b in kept.blocks]
    ends = [b if b > a else b + 24 * 60 for a, b in minutes]
    begins = [a for a, _ in minutes]
    follows = [*begins[1:], begins[0] + 24 * 60]
    return any(end > begin for end, begin in zip(ends, follows, strict=True))


def _minute(text: str) -> int:
    moment = _moment(text)
    return moment.hour * 60 + moment.minute
