"""Working time against a slow count of minutes, 2022–2026, with holidays and make-up days."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.clock_table import read_clocks
from config.holidays import load_holidays
from matrix.core.case import Grade
from matrix.core.deadline import Stage
from matrix.triage.calendar import LOCAL, OFFICE, WEEK, Calendar, instant
from matrix.triage.deadline import ORDER, Facts
from matrix.triage.ladder import LADDER

HOLIDAYS = load_holidays()
TABLE = read_clocks()
MINUTE = timedelta(minutes=1)
NIGHT = ((time(9), time(12)), (time(13, 30), time(17, 30)), (time(20), time(2)))
CALENDARS = [
    Calendar(days=HOLIDAYS.days, years=HOLIDAYS.years),
    Calendar(
        blocks=((time(8, 30), time(17)),), weekdays=frozenset(range(1, 7)), days=HOLIDAYS.days
    ),
    Calendar(blocks=NIGHT, days=HOLIDAYS.days),
    Calendar(blocks=((time(), time()),), weekdays=frozenset(range(1, 8))),
    Calendar(blocks=((time(22), time(6)),), days=HOLIDAYS.days),
]
STARTS = st.integers(
    int(datetime(2022, 1, 1, tzinfo=UTC).timestamp()) // 60,
    int(datetime(2026, 12, 20, tzinfo=UTC).timestamp()) // 60,
).map(lambda minute: datetime.fromtimestamp(minute * 60, UTC))


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL).astimezone(UTC)


def works(calendar: Calendar, at: datetime) -> bool:
    """The slow way: which day and which minute is it, and does somebody work."""
    local = at.astimezone(LOCAL)
    for begin, end in calendar.blocks:
        today = begin <= local.time() < end if end > begin else local.time() >= begin
        if today and calendar.works(local.date()):
            return True
        before = local.date() - timedelta(days=1)
        if end <= begin and local.time() < end and calendar.works(before):
            return True
    return False


def counted(calendar: Calendar, start: datetime, minutes: int) -> datetime:
    at = start
    while minutes:
        minutes -= works(calendar, at)
        at += MINUTE
    return at


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(STARTS, st.integers(0, 900), st.sampled_from(CALENDARS))
@example(beijing("2022-12-31 17:29"), 600, CALENDARS[0])
@example(beijing("2024-12-31 23:59"), 1, CALENDARS[0])
@example(beijing("2026-02-13 17:30"), 900, CALENDARS[0])
@example(beijing("2025-01-27 12:00"), 450, CALENDARS[2])
@example(beijing("2025-09-30 21:15"), 900, CALENDARS[4])
def test_a_due_time_is_where_the_minutes_end(
    start: datetime, minutes: int, calendar: Calendar
) -> None:
    due = calendar.add(start, minutes * MINUTE)
    assert due == counted(calendar, start, minutes)
    assert calendar.between(start, due) == minutes * MINUTE
    assert calendar.open_at(start) == works(calendar, start)


@settings(deadline=None, max_examples=40)
@given(STARTS, st.integers(0, 20_000), st.sampled_from(CALENDARS))
def test_time_between_two_instants_is_what_the_minutes_say(
    start: datetime, minutes: int, calendar: Calendar
) -> None:
    slow = sum(works(calendar, start + one * MINUTE) for one in range(minutes))
    assert calendar.between(start, start + minutes * MINUTE) == slow * MINUTE


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(STARTS, st.sampled_from(list(Grade)), st.sampled_from(ORDER), st.data())
def test_a_stage_with_pauses_agrees_with_the_minutes_and_its_cap(
    start: datetime, grade: Grade, stage: Stage, data: st.DataObject
) -> None:
    calendar = CALENDARS[0]
    length = TABLE.length(stage, grade)
    assert length is not None
    gaps = data.draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 3000)), max_size=2))
    pauses, at = [], start
    for after, still in gaps:
        at += after * MINUTE
        pauses.append((at, at + still * MINUTE))
        at += still * MINUTE
    extra = data.draw(st.sampled_from([0, 60, 480]))
    facts = Facts(
        stage=stage, grade=grade, start=start, business=start, calendar=calendar,
        pauses=pauses, extra=extra * MINUTE,
    )  # fmt: skip
    timed = TABLE.timing(facts)
    cap = TABLE.cap(facts)
    assert timed is not None
    assert cap is not None
    left, at = int(length.counted(calendar) / MINUTE) + extra, start
    while left and at < cap:
        still = any(begin <= at < end for begin, end in pauses)
        left -= not still and (not length.working or works(calendar, at))
        at += MINUTE
    assert timed.due_at == min(at, cap)
    assert timed.capped == bool(left)
    assert timed.due_at <= cap


@settings(deadline=None, max_examples=200)
@given(STARTS, st.sampled_from(list(Grade)), st.sampled_from(CALENDARS))
@example(beijing("2025-12-31 23:59"), Grade.BLUE, CALENDARS[0])
@example(beijing("2026-02-13 17:29"), Grade.YELLOW, CALENDARS[0])
def test_stages_fit_into_first_publication_from_any_minute(
    start: datetime, grade: Grade, calendar: Calendar
) -> None:
    """Each tier uses up all it has, and the last is still in time with its own share left."""
    whole = TABLE.length(Stage.FIRST_PUBLICATION, grade)
    assert whole is not None
    at = start
    steps = [*((stage, 0) for stage in ORDER[:-1]), *((Stage.REVIEW, n) for n in (2, 1, 0))]
    for stage, follows in steps:
        length = TABLE.length(stage, grade)
        timed = TABLE.timing(
            Facts(
                stage=stage, grade=grade, start=at, business=start, calendar=calendar,
                follows=follows,
            )
        )  # fmt: skip
        assert timed is not None
        assert length is not None
        assert timed.due_at >= at + min(length.wall, length.counted(calendar))
        at = timed.due_at
    assert at <= start + whole.wall


@settings(deadline=None, max_examples=100)
@given(STARTS, st.sampled_from(list(Grade)), st.sampled_from(list(Stage)), st.integers(0, 4000))
def test_rungs_rise_and_the_third_is_the_due_time(
    business: datetime, grade: Grade, stage: Stage, later: int
) -> None:
    start = business + later * MINUTE
    timed = TABLE.timing(
        Facts(stage=stage, grade=grade, start=start, business=business, calendar=CALENDARS[0])
    )
    if timed is None:
        return
    assert list(timed.rungs) == sorted(timed.rungs)
    assert len(timed.rungs) == len(LADDER)
    begun = business if stage is Stage.FIRST_PUBLICATION else start
    assert timed.rungs[0] >= begun
    assert timed.rungs[2] == max(timed.due_at, begun)


def test_who_starts_late_is_not_three_times_late_at_once() -> None:
    start = beijing("2026-11-09 15:05")
    facts = Facts(
        stage=Stage.REVIEW, grade=Grade.RED, start=start, business=start - timedelta(hours=9),
        calendar=CALENDARS[0],
    )  # fmt: skip
    timed = TABLE.timing(facts)
    assert timed is not None
    assert timed.due_at < start
    assert timed.rungs[:3] == (start, start, start)
    assert timed.rungs[4] == start + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-02-14", True), ("2026-02-15", False), ("2026-02-23", False), ("2026-02-24", True),
        ("2026-10-10", True), ("2026-01-01", False), ("2026-01-04", True), ("2024-02-11", False),
    ],
)  # fmt: skip
def test_holidays_and_make_up_days(day: str, *, said: bool) -> None:
    assert CALENDARS[0].works(date.fromisoformat(day)) is said


def test_a_year_without_data_says_so_and_counts_weekdays() -> None:
    calendar = CALENDARS[0]
    assert set(range(2022, 2027)) <= HOLIDAYS.years
    assert 2027 not in HOLIDAYS.years, "read this test again when the package knows 2027"
    late = beijing("2026-12-31 16:00")
    due = calendar.add(late, timedelta(hours=8))
    assert due == beijing("2027-01-01 17:00"), "a Friday: nobody has said that it is a holiday"
    assert calendar.unknown(late, due) == (2027,)
    assert calendar.unknown(late, beijing("2026-12-31 23:59")) == ()
    assert Calendar().unknown(late, due) == ()


def test_the_usual_office_hours() -> None:
    assert Calendar().day_length() == timedelta(hours=7)
    assert (Calendar().blocks, Calendar().weekdays) == (OFFICE, WEEK)
    assert instant(date(2026, 2, 13), time(17, 30)) == beijing("2026-02-13 17:30")


def test_a_calendar_in_which_nobody_works_is_no_calendar() -> None:
    with pytest.raises(ValueError, match="without working days"):
        Calendar(weekdays=frozenset()).add(beijing("2026-02-13 17:30"), MINUTE)
