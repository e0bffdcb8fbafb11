"""The ladder of a clock: which rungs have been reached, and when to look again. Pure."""

from datetime import datetime

from matrix.core.deadline import SILENT, Deadline

LADDER = (0.5, 0.8, 1.0, 1.5, 3.0)
"""提醒, 催办, 督办, 升级督办, 通报稿, as shares of the clock's length."""
DUE = LADDER.index(1.0) + 1
"""Rungs that have fired once a clock is due."""


def instants(one: Deadline) -> tuple[datetime, ...]:
    """When each rung is due; none for clocks that only end."""
    return () if one.stage in SILENT else tuple(map(datetime.fromisoformat, one.rungs))


def reached(one: Deadline, at: datetime) -> int:
    """How many rungs have fired once this moment is looked at; never fewer than before."""
    return max(one.rung, sum(rung <= at for rung in instants(one)))


def next_at(one: Deadline) -> datetime | None:
    """When the sweep must look at a clock again: its next rung, or its end where it is silent.

    None while it stands still, after it was stopped, and past the last rung.
    """
    if one.closed_at is not None or one.paused_at is not None:
        return None
    if one.stage in SILENT:
        return one.due_at
    rungs = instants(one)
    return rungs[one.rung] if one.rung < len(rungs) else None
