"""值班表: who of a unit is on duty when, and who stands in for it at night and on holidays."""

from datetime import date, datetime, timedelta

from handlers import calendars
from handlers.context import Context
from matrix.core.calendar import Shift
from matrix.core.roles import OWNERS, Role
from matrix.triage.calendar import instant

HANDS = (*sorted(OWNERS), Role.DESK)
"""Posts with which somebody on duty can do something."""


def span(shift: Shift) -> tuple[datetime, datetime]:
    """From when to when a shift lasts."""
    day = date.fromisoformat(shift.day)
    begin, end = (datetime.strptime(text, "%H:%M").time() for text in (shift.begins, shift.ends))  # noqa: DTZ007
    until = day if end > begin else day + timedelta(days=1)
    return instant(day, begin), instant(until, end)


def on_duty(ctx: Context, unit: str) -> list[str]:
    """Who of the unit is on duty now, by its roster; only who holds a post there."""
    able = set(ctx.holders(*HANDS, unit=unit))
    found = []
    for shift in ctx.directory.shifts:
        begin, end = span(shift)
        if shift.unit == unit and begin <= ctx.at < end and shift.person in able:
            found.append(shift.person)
    return list(dict.fromkeys(found))


def closed(ctx: Context, unit: str) -> bool:
    """Whether the unit does not work now: night, weekend, holiday."""
    return not calendars.of_unit(ctx.directory, ctx.policy, unit).open_at(ctx.at)
