"""Each rung fires once, in its order and never early, whatever happens between the sweeps."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from config.clock_table import read_clocks
from config.holidays import load_holidays
from matrix.core.case import Grade
from matrix.core.deadline import Deadline, Stage
from matrix.core.events import Event
from matrix.triage import replay
from matrix.triage.calendar import Calendar
from matrix.triage.deadline import Facts, Timing
from matrix.triage.ladder import LADDER, instants, next_at, reached

TABLE = read_clocks()
HOLIDAYS = load_holidays()
CALENDAR = Calendar(days=HOLIDAYS.days, years=HOLIDAYS.years)
START = datetime(2026, 2, 13, 8, 0, tzinfo=UTC)
STAGES = (Stage.ACKNOWLEDGE, Stage.VERIFY, Stage.DRAFT, Stage.REVIEW, Stage.CHECK, Stage.STALE)
WHAT = st.sampled_from(["tick", "pause", "resume", "extend", "grade", "outage"])


def timing(one: Deadline) -> Timing:
    spans = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in one.pauses]
    timed = TABLE.timing(
        Facts(
            stage=one.stage, grade=one.grade, start=one.starts_at, business=one.business_at,
            calendar=CALENDAR, pauses=spans, extra=timedelta(minutes=one.extended),
            follows=one.follows,
        )
    )  # fmt: skip
    assert timed is not None
    return timed


class Clock:
    """One clock under sweeps, pauses, extensions and regrades; everything goes into a log."""

    def __init__(self, stage: Stage, grade: Grade, late: int) -> None:
        self.at = START + timedelta(minutes=late)
        self.log: list[Event] = []
        self.fired: list[int] = []
        made = Deadline(
            id="d", subject="case:c", stage=stage, grade=grade, starts_at=self.at,
            business_at=START, due_at=self.at,
        )  # fmt: skip
        self.one = self.keep(None, self.timed(made))

    def timed(self, one: Deadline) -> Deadline:
        found = timing(one)
        rungs = tuple(at.isoformat() for at in found.rungs)
        return replace(one, due_at=found.due_at, capped=found.capped, rungs=rungs)

    def keep(self, before: Deadline | None, after: Deadline) -> Deadline:
        after = replace(after, next_at=next_at(after))
        told = json.loads(json.dumps({"clock": replay.changes(before, after)}))
        self.log.append(
            Event(
                id=str(len(self.log)), at=self.at, entity="deadline", entity_id="d",
                action="x", data=told,
            )
        )  # fmt: skip
        return after

    def tick(self) -> None:
        due = self.one.next_at
        if due is None or due > self.at:
            return
        rung = reached(self.one, self.at)
        assert all(at <= self.at for at in instants(self.one)[self.one.rung : rung])
        self.fired += range(self.one.rung + 1, rung + 1)
        self.one = self.keep(self.one, replace(self.one, rung=rung))

    def happen(self, what: str, minutes: int) -> None:
        if what == "outage":
            self.at += timedelta(minutes=minutes * 20)
            return
        self.at += timedelta(minutes=minutes)
        one = self.one
        match what:
            case "tick":
                self.tick()
            case "pause" if one.paused_at is None:
                self.one = self.keep(one, replace(one, paused_at=self.at))
            case "resume" if one.paused_at is not None:
                span = (one.paused_at.isoformat(), self.at.isoformat())
                after = replace(one, paused_at=None, pauses=(*one.pauses, span))
                self.one = self.keep(one, self.timed(after))
            case "extend":
                self.one = self.keep(one, self.timed(replace(one, extended=one.extended + minutes)))
            case "grade":
                self.one = self.keep(one, self.timed(replace(one, grade=Grade.YELLOW)))
            case _:
                pass


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(STAGES), st.sampled_from(list(Grade)), st.integers(0, 3000),
    st.lists(st.tuples(WHAT, st.integers(1, 500)), max_size=25),
)  # fmt: skip
def test_every_rung_fires_once_and_the_log_gives_the_clock(
    stage: Stage, grade: Grade, late: int, story: list[tuple[str, int]]
) -> None:
    clock = Clock(stage, grade, late)
    for what, minutes in story:
        clock.happen(what, minutes)
        assert clock.fired == list(range(1, len(clock.fired) + 1)), "in order, none twice"
        if clock.one.paused_at is not None:
            assert clock.one.next_at is None, "who is paused is not reminded"
    clock.happen("resume", 1)
    clock.at += timedelta(days=60)
    clock.tick()
    assert clock.fired == list(range(1, len(LADDER) + 1))
    clock.tick()
    assert clock.fired == list(range(1, len(LADDER) + 1)), "and never again"
    (rebuilt,) = replay.rebuild(clock.log).values()
    assert replace(rebuilt, version=0) == clock.one
    assert clock.one.due_at == timing(clock.one).due_at


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(STAGES), st.sampled_from(list(Grade)), st.integers(0, 600), st.integers(1, 5000)
)
def test_a_pause_and_an_extension_never_move_the_cap(
    stage: Stage, grade: Grade, after: int, still: int
) -> None:
    clock = Clock(stage, grade, 0)
    before = clock.one.due_at
    clock.happen("pause", after)
    clock.happen("resume", still)
    clock.happen("extend", 400)
    facts = Facts(stage=stage, grade=grade, start=START, business=START, calendar=CALENDAR)
    cap = TABLE.cap(facts)
    assert clock.one.due_at >= before
    assert cap is None or clock.one.due_at <= cap
