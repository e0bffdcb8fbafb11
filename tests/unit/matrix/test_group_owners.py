"""Owners of groups: pending = planned − returned, and no more reminders than allowed."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from matrix.broadcast.owners import REMINDER_SPAN, REMINDERS, GroupsSeen, may_remind

AT = datetime(2026, 11, 9, tzinfo=UTC)
names = st.sets(st.sampled_from("abcdefgh"))


@given(planned=names, sent=names, refused=names)
def test_pending_is_planned_without_what_was_returned(
    planned: set[str], sent: set[str], refused: set[str]
) -> None:
    seen = GroupsSeen(sent=dict.fromkeys(sent, AT), refused=dict.fromkeys(refused, "limit"))
    pending = seen.pending(planned)
    assert pending <= planned
    assert pending | ((sent | refused) & planned) == planned
    assert not pending & (sent | refused)


@given(minutes=st.lists(st.integers(0, 60), max_size=300), pause=st.integers(1, 120))
def test_reminders_never_exceed_what_is_allowed(minutes: list[int], pause: int) -> None:
    at, sent = AT, []
    for step in minutes:
        at += timedelta(minutes=step)
        if may_remind(sent, at, timedelta(minutes=pause)):
            sent.append(at)
    for one in sent:
        within = [other for other in sent if one <= other < one + REMINDER_SPAN]
        assert len(within) <= REMINDERS
    gaps = itertools.pairwise(sent)
    assert all(later - earlier >= timedelta(minutes=pause) for earlier, later in gaps)
