"""How far a broadcast has come, and how fast it came there: derived from its tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SHARES = (50, 80, 95)
"""Per cent of the plan whose times are kept. Source: design of the broadcast, step 9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """``reached`` maps a share in ``SHARES`` to the time since the start, where it was reached.

    ``width`` lies between the first and the last post; None before there are any.
    """

    posted: int
    planned: int
    width: timedelta | None
    reached: dict[int, timedelta]


def spread(planned: int, started_at: datetime, posted: Sequence[datetime]) -> Spread:
    """The spread of ``planned`` posts that were to start at ``started_at``.

    A post from before the start (the main force has published already) counts as at the start.
    """
    ages = sorted(max(timedelta(), at - started_at) for at in posted)
    reached = {}
    for share in SHARES:
        needed = math.ceil(planned * share / 100)
        if 0 < needed <= len(ages):
            reached[share] = ages[needed - 1]
    return Spread(
        posted=len(ages),
        planned=planned,
        width=ages[-1] - ages[0] if ages else None,
        reached=reached,
    )
