"""What is measured of a running district: how much waits, for how long, what nobody knows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import READ
from storage.tables import TABLES

_DELIVERY, _INBOX, _DEADLINE = (TABLES[name][1] for name in ("deliveries", "inbox", "deadlines"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts; ages are instants of the oldest, None where nothing waits.

    ``pending``: (lane, platform) → how many may go now, since when the oldest could. ``inbox`` are
    messages to be processed and those given up.
    """

    pending: dict[tuple[str, str], tuple[int, datetime]]
    in_doubt: dict[str, int]
    inbox: dict[str, int]
    inbox_oldest: datetime | None
    overdue: datetime | None


async def figures(engine: AsyncEngine, now: datetime) -> Figures:
    """Look once, without keeping any writer waiting."""
    ready = func.coalesce(_DELIVERY.c.not_before, _DELIVERY.c.created_at)
    pending = (
        select(_DELIVERY.c.lane, _DELIVERY.c.platform, func.count(), func.min(ready))
        .where(
            _DELIVERY.c.state == "pending",
            or_(_DELIVERY.c.not_before.is_(None), _DELIVERY.c.not_before <= now),
        )
        .group_by(_DELIVERY.c.lane, _DELIVERY.c.platform)
    )
    doubt = (
        select(_DELIVERY.c.platform, func.count())
        .where(_DELIVERY.c.state == "in-doubt")
        .group_by(_DELIVERY.c.platform)
    )
    inbox = (
        select(_INBOX.c.state, func.count(), func.min(_INBOX.c.received_at))
        .where(_INBOX.c.state.in_(("stored", "failed")))
        .group_by(_INBOX.c.state)
    )
    overdue = select(func.min(_DEADLINE.c.next_at)).where(
        _DEADLINE.c.closed_at.is_(None), _DEADLINE.c.next_at <= now
    )
    async with engine.connect() as connection:
        await connection.execution_options(**{READ: True})
        waiting = {row[0]: (row[1], row[2]) for row in await connection.execute(inbox)}
        return Figures(
            pending={(r[0], r[1]): (r[2], r[3]) for r in await connection.execute(pending)},
            in_doubt={row[0]: row[1] for row in await connection.execute(doubt)},
            inbox={state: count for state, (count, _) in waiting.items()},
            inbox_oldest=waiting.get("stored", (0, None))[1],
            overdue=(await connection.execute(overdue)).scalar_one(),
        )
