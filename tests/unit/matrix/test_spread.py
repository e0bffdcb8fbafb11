"""Times to 50, 80 and 95 per cent of a broadcast."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from matrix.broadcast.spread import SHARES, spread

START = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


def _at(*minutes: int) -> list[datetime]:
    return [START + timedelta(minutes=one) for one in minutes]


def test_shares_are_of_the_plan_not_of_what_was_posted() -> None:
    found = spread(10, START, _at(1, 2, 3, 4, 9))
    assert found.reached == {50: timedelta(minutes=9)}
    assert found.width == timedelta(minutes=8)
    assert (found.posted, found.planned) == (5, 10)


def test_nothing_posted_and_nothing_planned() -> None:
    assert spread(5, START, []).reached == {}
    assert spread(5, START, []).width is None
    assert spread(0, START, []).reached == {}


def test_a_post_before_the_start_counts_as_at_the_start() -> None:
    assert spread(1, START, _at(-30)).reached[95] == timedelta()


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(0, 60))
def test_each_time_is_the_first_at_which_its_share_had_posted(ages: list[int], more: int) -> None:
    planned = len(ages) + more
    found = spread(planned, START, _at(*ages))
    for share in SHARES:
        done = [age for age in sorted(ages) if 100 * sum(a <= age for a in ages) >= share * planned]
        expected = timedelta(minutes=done[0]) if done else None
        assert found.reached.get(share) == expected
