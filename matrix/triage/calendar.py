"""Working time: pure arithmetic on blocks, weekdays, holidays and make-up days (domain §6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")
Block = tuple[time, time]
OFFICE: tuple[Block, ...] = ((time(9, 0), time(12, 0)), (time(13, 30), time(17, 30)))
"""Hours of a unit that names no calendar."""
WEEK = frozenset({1, 2, 3, 4, 5})
_DAY = timedelta(days=1)
# Ten years: who has not worked by then never will, and the search must end.
_HORIZON = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """Days that differ from their weekday by law, and the years of which that is known."""

    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working hours. ``days`` are holidays (False) and make-up days (True).

    ``years`` are those whose holidays are known, None where nothing depends on them. In any other
    year a weekday works; ``unknown`` says so to whoever must warn.
    """

    name: str = ""
    blocks: tuple[Block, ...] = OFFICE
    weekdays: frozenset[int] = WEEK
    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] | None = None

    def works(self, day: date) -> bool:
        """Whether that day is a working day."""
        return self.days.get(day, day.isoweekday() in self.weekdays)

    def unknown(self, start: datetime, end: datetime) -> tuple[int, ...]:
        """Years between two instants of which the holidays are not known, ascending."""
        if self.years is None:
            return ()
        first, last = (at.astimezone(LOCAL).year for at in (start, end))
        return tuple(year for year in range(first, last + 1) if year not in self.years)

    def day_length(self) -> timedelta:
        """Working time of one day."""
        return sum((end - begin for begin, end in self._of(date(2000, 1, 3))), timedelta())

    def open_at(self, at: datetime) -> bool:
        """Whether an instant is working time."""
        begin, end = next(self._from(at))
        return begin <= at < end

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which so much working time has passed; at once where it is none."""
        if span <= timedelta():
            return start
        left = span
        for begin, end in self._from(start):
            opens = max(begin, start)
            if left <= end - opens:
                return opens + left
            left -= end - opens
        raise AssertionError("unreachable: _from never ends")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two instants; none where the second is not later."""
        total = timedelta()
        for opens, closes in self._from(start):
            if opens >= end:
                return total
            total += max(timedelta(), min(closes, end) - max(opens, start))
        raise AssertionError("unreachable: _from never ends")

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of working time that end after an instant, in order, without end.

        Raises:
            ValueError: there is no working day.
        """
        # A stretch past midnight belongs to the day before.
        day = at.astimezone(LOCAL).date() - _DAY
        idle = 0
        while idle < _HORIZON:
            idle += 1
            for begin, end in self._of(day) if self.works(day) else ():
                if end > at:
                    idle = 0
                    yield begin, end
            day += _DAY
        raise ValueError("a calendar without working days")

    def _of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for begin, end in self.blocks:
            closes = day if end > begin else day + _DAY
            yield instant(day, begin), instant(closes, end)


def instant(day: date, moment: time) -> datetime:
    """An instant in UTC by the wall clock in Beijing."""
    return datetime.combine(day, moment, LOCAL).astimezone(UTC)


def day_end(day: date) -> datetime:
    """The last second of a day in Beijing, so that it is shown with its own date."""
    return instant(day, time(23, 59, 59))
