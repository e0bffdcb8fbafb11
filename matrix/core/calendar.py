"""Working hours as data: calendars, single days that differ, and who is on duty when."""

from dataclasses import dataclass

from matrix.core.entity import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar(Entity):
    """Working hours of a week. ``id`` is its code; units name theirs by it.

    ``blocks`` are ("HH:MM", "HH:MM") in Beijing time, ascending; the last may end past midnight.
    ``weekdays`` are 1 (Monday) to 7. ``statutory``: holidays and make-up days of the state apply.
    """

    name: str
    blocks: tuple[tuple[str, str], ...]
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    statutory: bool = True
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay(Entity):
    """A day (ISO date) that the district decides itself, for one calendar or for all ("")."""

    day: str
    works: bool
    calendar: str = ""
    note: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift(Entity):
    """A line of a unit's duty roster.

    ``begins`` and ``ends`` are "HH:MM" of that day in Beijing; an end that is not after the
    beginning belongs to the next day, so 00:00–00:00 is the whole day.
    """

    unit: str
    day: str
    begins: str = "00:00"
    ends: str = "00:00"
    person: str
    ended: bool = False
