"""Due times: pure functions of start, table and calendar (domain §6).

``Length.working`` counts in a unit's working blocks, otherwise on the wall clock. A stage is
capped by the latest moment that still lets the remaining stages meet first publication.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from matrix.core.case import Grade
from matrix.core.deadline import SILENT, Stage
from matrix.triage.relapse import Relapse

LOCAL = ZoneInfo("Asia/Shanghai")
ORDER = (Stage.FILE, Stage.ACKNOWLEDGE, Stage.VERIFY, Stage.DRAFT, Stage.REVIEW)
"""Stages before first publication; REVIEW stands three times."""
REVIEWS = 3
LADDER = (0.5, 0.8, 1.0, 1.5, 3.0)
"""提醒, 催办, 督办, 升级督办, 通报稿."""
DUE = LADDER.index(1.0) + 1
"""Rungs that have fired once a clock is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long. ``days`` are whole working days where ``working``, else 24 hours each."""

    minutes: int = 0
    days: int = 0
    working: bool = False

    @property
    def wall(self) -> timedelta:
        """On the wall clock; a working day counts 24 hours."""
        return timedelta(minutes=self.minutes, days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working blocks of a unit in Beijing time; ``overrides`` are holidays and make-up days."""

    blocks: tuple[tuple[time, time], ...] = (
        (time(9, 0), time(12, 0)),
        (time(13, 30), time(17, 30)),
    )
    overrides: Mapping[date, bool] = field(default_factory=dict)

    def works(self, day: date) -> bool:
        """Whether the unit works that day."""
        return self.overrides.get(day, day.weekday() < 5)  # noqa: PLR2004

    def day_length(self) -> timedelta:
        """Working time of one day."""
        return sum(
            (_span(day, a, b) for day in (date(2000, 1, 3),) for a, b in self.blocks), timedelta()
        )

    def add(self, start: datetime, length: Length) -> datetime:
        """The instant when the length is used up, counting only working blocks."""
        left = timedelta(minutes=length.minutes) + length.days * self.day_length()
        local = start.astimezone(LOCAL)
        day = local.date()
        for _ in range(3660):
            for begin, end in self.blocks if self.works(day) else ():
                opens = max(_at(day, begin), local)
                room = _at(day, end) - opens
                if room <= timedelta():
                    continue
                if left <= room:
                    return (opens + left).astimezone(start.tzinfo)
                left -= room
            day += timedelta(days=1)
        raise ValueError("a calendar without working days")


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, tzinfo=LOCAL)


def day_end(day: date) -> datetime:
    """The last second of a day in Beijing, so that it is shown with its own date."""
    return _at(day, time(23, 59, 59)).astimezone(UTC)


def _span(day: date, begin: time, end: time) -> timedelta:
    return _at(day, end) - _at(day, begin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTable:
    """Stage → grade → length. ``quiet`` are the hours (Beijing) that hold back reminders."""

    lengths: Mapping[Stage, Mapping[Grade, Length]]
    quiet: tuple[time, time] = (time(22, 0), time(7, 0))
    morning: time = time(7, 15)
    same_day: frozenset[str] = frozenset()
    relapse: Relapse

    def length(self, stage: Stage, grade: Grade) -> Length | None:
        """None where the stage has no clock for this grade."""
        return self.lengths.get(stage, {}).get(grade)

    def faults(self) -> list[str]:
        """Grades whose stages on the wall clock exceed first publication."""
        found = []
        for grade in Grade:
            whole = self.length(Stage.FIRST_PUBLICATION, grade)
            if whole is None or self._sum(ORDER, grade) > whole.wall:
                found.append(grade.value)
        return found

    def _sum(self, stages: Sequence[Stage], grade: Grade) -> timedelta:
        total = timedelta()
        for stage in stages:
            length = self.length(stage, grade)
            if length is not None:
                total += length.wall * (REVIEWS if stage is Stage.REVIEW else 1)
        return total

    def due(
        self, stage: Stage, grade: Grade, start: datetime, business: datetime, calendar: Calendar
    ) -> tuple[datetime, bool] | None:
        """Due time and whether the cap decided; None where there is no such clock.

        ``business`` is when the oldest lead was received.
        """
        length = self.length(stage, grade)
        if length is None:
            return None
        if stage is Stage.FIRST_PUBLICATION:
            return business + length.wall, False
        own = calendar.add(start, length) if length.working else start + length.wall
        whole = self.length(Stage.FIRST_PUBLICATION, grade)
        if stage not in ORDER or whole is None:
            return own, False
        after = ORDER[ORDER.index(stage) + 1 :]
        cap = business + whole.wall - self._sum(after, grade)
        return (cap, True) if cap < own else (own, False)

    def repost_due(
        self, grade: Grade, platform: str, start: datetime, calendar: Calendar, *, correction: bool
    ) -> datetime:
        """When an account must have posted. Source: domain §6, second force reposts.

        A correction spreads in half of the time, at least 15 minutes.
        """
        due = self.due(Stage.REPOST, grade, start, start, calendar)
        limit = due[0] if due is not None else start + timedelta(days=1)
        if grade is Grade.YELLOW and platform in self.same_day:
            day = start.astimezone(LOCAL).date()
            limit = max(limit, _at(day, time(23, 59)).astimezone(start.tzinfo))
        if correction:
            limit = start + max(timedelta(minutes=15), (limit - start) / 2)
        return limit

    def is_quiet(self, at: datetime) -> bool:
        """Whether reminders wait, by the wall clock in Beijing."""
        moment = at.astimezone(LOCAL).time()
        begin, end = self.quiet
        return moment >= begin or moment < end

    def next_morning(self, at: datetime) -> datetime:
        """The next end of the quiet hours, for feedback of yellow and blue cases."""
        local = at.astimezone(LOCAL)
        day = local.date() if local.time() < self.morning else local.date() + timedelta(days=1)
        return _at(day, self.morning).astimezone(at.tzinfo)


def rung_at(starts_at: datetime, due_at: datetime, rung: int) -> datetime | None:
    """When the ladder's rung (0-based) is due; None past the last."""
    if rung >= len(LADDER):
        return None
    return starts_at + (due_at - starts_at) * LADDER[rung]


def next_at(stage: Stage, starts_at: datetime, due_at: datetime, rung: int) -> datetime | None:
    """When the sweep must look at a clock again: its next rung, or its end where it is silent."""
    return due_at if stage in SILENT else rung_at(starts_at, due_at, rung)
