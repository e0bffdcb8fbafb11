"""Due times: pure functions of start, table, calendar, pauses and extension (domain §6).

``Length.working`` counts in a unit's working blocks, otherwise on the wall clock. A stage is
capped by the latest moment that still lets the remaining stages meet first publication: neither
a working calendar, nor a pause, nor an extension moves that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from matrix.core.case import Grade
from matrix.core.deadline import Stage
from matrix.triage.calendar import LOCAL, Calendar, instant
from matrix.triage.ladder import LADDER
from matrix.triage.relapse import Relapse

ORDER = (Stage.FILE, Stage.ACKNOWLEDGE, Stage.VERIFY, Stage.DRAFT, Stage.REVIEW)
"""Stages before first publication; REVIEW stands three times."""
REVIEWS = 3
Pauses = Sequence[tuple[datetime, datetime]]
"""Spans in which a clock stood still, in their order."""


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

    def counted(self, calendar: Calendar) -> timedelta:
        """What is to pass on the clock that it is counted on."""
        if not self.working:
            return self.wall
        return timedelta(minutes=self.minutes) + self.days * calendar.day_length()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a clock is over, whether its cap decided, and the instants of its ladder."""

    due_at: datetime
    capped: bool
    rungs: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a clock depends on beside the table.

    ``business`` is when the oldest lead was received. ``extra`` is an approved extension,
    counted like the stage itself; ``follows`` is how many more of its kind come after it.
    """

    stage: Stage
    grade: Grade
    start: datetime
    business: datetime
    calendar: Calendar
    pauses: Pauses = ()
    extra: timedelta = timedelta()
    follows: int = 0


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

    def cap(self, facts: Facts) -> datetime | None:
        """Until when a stage may last at most; None where nothing limits it."""
        whole = self.length(Stage.FIRST_PUBLICATION, facts.grade)
        own = self.length(facts.stage, facts.grade)
        if facts.stage not in ORDER or whole is None or own is None:
            return None
        after = self._sum(ORDER[ORDER.index(facts.stage) + 1 :], facts.grade)
        return facts.business + whole.wall - after - own.wall * facts.follows

    def timing(self, facts: Facts) -> Timing | None:
        """Due time and ladder; None where there is no such clock.

        The ladder climbs in the time in which the clock runs. Where the cap decides, the rungs
        before it divide what is left of the wall clock, and those after it follow in shares of
        the stage's own length: whoever starts late is not three times late at once.
        """
        length = self.length(facts.stage, facts.grade)
        if length is None:
            return None
        if facts.stage is Stage.FIRST_PUBLICATION:
            return wall_timing(facts.business, facts.business + length.wall)
        calendar = facts.calendar if length.working else None
        span = length.counted(facts.calendar) + facts.extra
        own = tuple(_ends(calendar, facts.start, span * share, facts.pauses) for share in LADDER)
        due = _ends(calendar, facts.start, span, facts.pauses)
        cap = self.cap(facts)
        if cap is None or due <= cap:
            return Timing(due_at=due, capped=False, rungs=own)
        return _capped(facts, cap, length.wall)

    def repost_due(
        self, grade: Grade, platform: str, start: datetime, calendar: Calendar, *, correction: bool
    ) -> datetime:
        """When an account must have posted. Source: domain §6, second force reposts.

        A correction spreads in half of the time, at least 15 minutes.
        """
        timed = self.timing(
            Facts(stage=Stage.REPOST, grade=grade, start=start, business=start, calendar=calendar)
        )
        limit = timed.due_at if timed is not None else start + timedelta(days=1)
        if grade is Grade.YELLOW and platform in self.same_day:
            limit = max(limit, instant(start.astimezone(LOCAL).date(), time(23, 59)))
        if correction:
            limit = start + max(timedelta(minutes=15), (limit - start) / 2)
        return limit

    def is_quiet(self, at: datetime) -> bool:
        """Whether reminders wait, by the wall clock in Beijing."""
        moment = at.astimezone(LOCAL).time()
        begin, end = self.quiet
        return moment >= begin or moment < end

    def said_at(self, at: datetime, due_at: datetime, grade: Grade) -> datetime:
        """When a reminder is said: quiet hours hold it back, but for red, orange and the late."""
        if grade.urgent or due_at <= at or not self.is_quiet(at):
            return at
        return self.next_morning(at)

    def next_morning(self, at: datetime) -> datetime:
        """The next end of the quiet hours, for feedback of yellow and blue cases."""
        local = at.astimezone(LOCAL)
        day = local.date() if local.time() < self.morning else local.date() + timedelta(days=1)
        return instant(day, self.morning)


def wall_timing(start: datetime, due: datetime, pauses: Pauses = ()) -> Timing:
    """The ladder of a clock whose end was agreed, by the wall clock."""
    rungs = tuple(_ends(None, start, (due - start) * share, pauses) for share in LADDER)
    return Timing(due_at=_ends(None, start, due - start, pauses), capped=False, rungs=rungs)


def _capped(facts: Facts, cap: datetime, own: timedelta) -> Timing:
    start, pauses = facts.start, facts.pauses
    still = sum((max(timedelta(), min(b, cap) - max(a, start)) for a, b in pauses), timedelta())
    left = max(timedelta(), cap - start - still)
    over = max(cap, start)
    rungs = tuple(
        min(over, _ends(None, start, left * share, pauses))
        if share <= 1
        else _ends(None, over, own * (share - 1), pauses)
        for share in LADDER
    )
    return Timing(due_at=cap, capped=True, rungs=rungs)


def _ends(calendar: Calendar | None, start: datetime, span: timedelta, pauses: Pauses) -> datetime:
    """When a span has passed that began at ``start`` and stood still during the pauses."""
    at = _after(calendar, start, span)
    for begin, end in pauses:
        if begin < at and end > start:
            at = _after(calendar, end, _passes(calendar, max(begin, start), at))
    return at


def _after(calendar: Calendar | None, start: datetime, span: timedelta) -> datetime:
    return start + span if calendar is None else calendar.add(start, span)


def _passes(calendar: Calendar | None, start: datetime, end: datetime) -> timedelta:
    return end - start if calendar is None else calendar.between(start, end)
