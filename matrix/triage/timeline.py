"""The clocks of a case before there is one: what an office's rules come to. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from matrix.core.case import Grade
from matrix.core.deadline import SILENT, Stage
from matrix.triage.calendar import Calendar
from matrix.triage.deadline import REVIEWS, ClockTable, Facts
from matrix.triage.ladder import DUE

Whose = Callable[[Stage], tuple[str, Calendar]]
"""The unit (code) that answers for a stage, and its working hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One clock. ``review`` counts reviews from 1, 0 for other stages.

    ``rungs`` are (number, when it is due, when it is said: later where quiet hours hold it back);
    empty for clocks that only end. ``unknown`` are years counted without knowing their holidays.
    """

    stage: Stage
    review: int
    unit: str
    calendar: Calendar | None
    starts_at: datetime
    due_at: datetime
    capped: bool
    rungs: tuple[tuple[int, datetime, datetime], ...]
    unknown: tuple[int, ...]


def timeline(table: ClockTable, grade: Grade, start: datetime, whose: Whose) -> list[Step]:
    """Every clock of a case that was received at ``start``, each stage using up what it has."""
    return list(_Case(table, grade, start, whose).steps())


@dataclass(frozen=True, slots=True)
class _Case:
    table: ClockTable
    grade: Grade
    start: datetime
    whose: Whose

    def steps(self) -> Iterator[Step]:
        yield from self._one(Stage.FIRST_PUBLICATION, self.start)
        at = self.start
        for stage, beside in (
            (Stage.FILE, ()),
            (Stage.ACKNOWLEDGE, (Stage.RETURN,)),
            (Stage.VERIFY, (Stage.STALE, Stage.HOLDING)),
            (Stage.DRAFT, ()),
        ):
            found = [step for one in (stage, *beside) for step in self._one(one, at)]
            yield from found
            at = next((step.due_at for step in found if step.stage is stage), at)
        for number in range(1, REVIEWS + 1):
            for step in self._one(Stage.REVIEW, at, review=number):
                yield step
                at = step.due_at
        for stage in (Stage.REPOST, Stage.CHECK):
            for step in self._one(stage, at):
                yield step
                at = step.due_at
        yield from self._one(Stage.WATCH, at)

    def _one(self, stage: Stage, at: datetime, *, review: int = 0) -> Iterator[Step]:
        unit, calendar = self.whose(stage)
        length = self.table.length(stage, self.grade)
        timed = self.table.timing(
            Facts(
                stage=stage, grade=self.grade, start=at, business=self.start, calendar=calendar,
                follows=REVIEWS - review if review else 0,
            )
        )  # fmt: skip
        if timed is None or length is None:
            return
        due = timed.due_at
        rungs = [] if stage in SILENT else list(enumerate(timed.rungs, 1))
        if stage is Stage.REPOST:
            # Operators are reminded twice, at half time and when it is due.
            rungs = [(1, rung) for number, rung in rungs if number in {1, DUE}]
        yield Step(
            stage=stage, review=review, unit=unit, calendar=calendar if length.working else None,
            starts_at=at, due_at=due, capped=timed.capped,
            rungs=tuple(
                (number, rung, self.table.said_at(rung, due, self.grade)) for number, rung in rungs
            ),
            unknown=calendar.unknown(at, due) if length.working else (),
        )  # fmt: skip
