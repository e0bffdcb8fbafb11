"""The broadcast lane's chunks: many rows marked *sending* or settled in one statement.

The rules are the ledger's own (``ledger``); states and who may set them are the table's.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from handlers.context import Context
from handlers.housekeeping import ledger, outcomes
from handlers.housekeeping.ledger import Doubts, Result
from handlers.reposting import planning
from matrix.broadcast.plan import Job
from matrix.core.campaign import CampaignState
from matrix.core.delivery import DELIVERY, DeliveryState, Parcel
from matrix.core.roles import CLOCK
from matrix.ports import Mark, Verdict

_CLAIM = DELIVERY.rule(DeliveryState.PENDING, "claim")
_CANCEL = DELIVERY.rule(DeliveryState.PENDING, "cancel")
_OUTCOMES = [
    rule for rule in DELIVERY.rules if rule.source == _CLAIM.target and CLOCK.role in rule.roles
]
_TARGETS = {rule.action: rule.target for rule in _OUTCOMES}
_KNOWN = {str(rule.target): rule.action for rule in _OUTCOMES}


async def held(ctx: Context, subject: str) -> bool:
    """Whether nothing of this subject may go out now: the campaign does not run."""
    kind, _, campaign = subject.partition(":")
    if kind != "campaign":
        return False
    return not await ctx.work.campaigns.count(id=campaign, state=CampaignState.RUNNING)


def _mark(
    ctx: Context,
    job: Job,
    platforms: Collection[str],
    executor: str = "",
    attempt: str = "",
    limit: int = 0,
) -> Mark:
    return Mark(
        subject=job.subject, first=job.first, last=job.last, platforms=sorted(platforms),
        at=ctx.at, limit=limit, source=_CLAIM.source, target=_CLAIM.target,
        dropped=_CANCEL.target, reason="too-old", attempt_id=attempt,
        executor=executor,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What goes out now; ``full`` when there may be more."""

    going: Sequence[Parcel]
    full: bool


async def claim(
    ctx: Context, job: Job, platforms: Collection[str], executor: str, attempt: str, limit: int
) -> Claimed:
    """Mark the next rows of a job under a new attempt id; the caller commits before it sends."""
    mark = _mark(ctx, job, platforms, executor, attempt, limit)
    rows = await ctx.work.ledger.mark(mark)
    going = [one for one in rows if one.state is DeliveryState.SENDING]
    dropped = len(rows) - len(going)
    await ctx.work.record(
        *ledger.chunk_event(ctx, attempt, "claim", mark.source, mark.target, len(going)),
        *ledger.chunk_event(ctx, attempt, "cancel", mark.source, mark.dropped, dropped),
    )
    await _follow(ctx, [one.id for one in rows if one.purpose])
    return Claimed(going=going, full=len(rows) == limit and rows[-1].id < job.last)


async def marked(ctx: Context, job: Job, attempt: str) -> list[Parcel]:
    """What an attempt has marked whose commit nobody answered: nothing of it has been sent."""
    rows = await ctx.work.ledger.marked(_mark(ctx, job, (), attempt=attempt))
    return [one for one in rows if one.state is DeliveryState.SENDING]


async def settle(ctx: Context, results: Sequence[Result], doubts: Doubts) -> None:
    """Write the outcomes; rows that somebody else has settled meanwhile are left alone."""
    verdicts = [_verdict(ctx, one, doubts) for one in results]
    written = await ctx.work.ledger.settle(_CLAIM.target, verdicts)
    counts = Counter((one.attempt_id, one.state) for one in verdicts if one.id in written)
    events = [
        ledger.chunk_event(ctx, attempt, _KNOWN[state], _CLAIM.target, state, count)
        for (attempt, state), count in counts.items()
    ]
    await ctx.work.record(*chain.from_iterable(events))
    meant = [one.delivery.id for one in results if one.delivery.purpose]
    await _follow(ctx, [one for one in meant if one in written])


def _verdict(ctx: Context, one: Result, doubts: Doubts) -> Verdict:
    """The row as its result leaves it: the state by the table."""
    verb, changes = ledger.verdict(ctx, one, doubts)
    sent = one.delivery
    return Verdict(
        sent.id, sent.attempt_id, _TARGETS[verb], changes.get("remote_id", ""),
        changes.get("error", ""), changes.get("sent_at"), changes.get("not_before"),
        changes.get("attempt", sent.attempt),
    )  # fmt: skip


async def _follow(ctx: Context, ids: Sequence[str]) -> None:
    """What these rows were for; whether their campaigns have come to an end is asked once."""
    if not ids:
        return
    rows = await ctx.work.deliveries.find(id__in=ids)
    await outcomes.settled_all(ctx, rows)
    for subject in dict.fromkeys(one.subject for one in rows):
        kind, _, campaign = subject.partition(":")
        if kind == "campaign":
            await planning.advance(ctx, campaign)


async def next_due(ctx: Context, job: Job, platforms: Collection[str]) -> datetime | None:
    """When the first row that was put off may go again."""
    return await ctx.work.ledger.next_due(_mark(ctx, job, platforms))
