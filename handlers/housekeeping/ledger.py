"""The delivery ledger: claimed and committed before the call, settled after it.

Rows are moved in chunks: one event per chunk and action (domain §3, Delivery).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handlers.context import Context
from handlers.housekeeping import outcomes
from matrix.broadcast.retry import after_failure
from matrix.core.delivery import DELIVERY, WAITS, Delivery, DeliveryState, Lane, Parcel
from matrix.core.errors import DeliveryError, StaleVersion
from matrix.core.events import Event
from matrix.core.roles import CLOCK, MACHINE

CHUNK = 50
ASK_AFTER = timedelta(seconds=30)
"""A platform is asked no sooner: what went out unanswered may still be on its way into it."""
LAST_TRY = timedelta(minutes=20)
"""A last try comes within so long after a failure (``matrix.broadcast.retry``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Platforms that drop a key they have seen, and platforms that can be asked what is there.

    With all others a delivery without an answer waits for a person. ``keyless`` says for which
    addresses of a keyed platform there is no key, ``key_lasts`` where keys are forgotten, and when.
    """

    keyed: frozenset[str] = frozenset()
    readable: frozenset[str] = frozenset()
    keyless: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    key_lasts: Mapping[str, timedelta] = field(default_factory=dict)

    def drops_repeats(self, one: Delivery | Parcel, at: datetime) -> bool:
        """Whether the platform would drop this delivery when it comes again."""
        excepted = self.keyless.get(one.platform)
        if one.platform not in self.keyed or (excepted and excepted(one.address)):
            return False
        lasts = self.key_lasts.get(one.platform)
        # When it was first tried is not kept; it was not before it was made.
        return lasts is None or (isinstance(one, Delivery) and at - one.created_at < lasts)


class Result(NamedTuple):
    """What the channel said of one delivery: a remote id, or an error. A tuple, as ``Parcel`` is.

    ``rest`` is what of its text waits for the person's next message, the beginning having arrived.
    """

    delivery: Delivery | Parcel
    remote_id: str = ""
    rest: str = ""
    error: DeliveryError | None = None


async def claim(
    ctx: Context,
    platforms: Sequence[str],
    executor: str,
    *,
    doubts: Doubts,
    apart: Collection[str] = (),
    one_each: Collection[str] = (),
) -> list[Delivery]:
    """Mark the next of the conversation lane as *sending*; the caller commits before it sends.

    ``apart`` are addresses to which nothing may go now; chats of the platforms in ``one_each``
    get one message at a time. What may have arrived and would be said twice is put in doubt.
    """
    criteria: dict[str, Any] = {"address__notin": apart} if apart else {}
    ready = await _ready(ctx, lane=Lane.CONVERSATION, platform__in=list(platforms), **criteria)
    if one_each:
        ready = _first_of_each_chat(ready, one_each)
    attempt = ctx.services.ids.new()
    moved = []
    for one in ready:
        verb, changes = _fate(ctx, one, doubts)
        marked, _ = DELIVERY.advance(one, verb, CLOCK, attempt_id=attempt, **changes)
        moved.append(replace(marked, attempt=one.attempt + 1, executor=executor))
    try:
        saved = await ctx.work.deliveries.save_all(moved)
    except StaleVersion:
        # Another process has them; what is left stands there at the next look.
        return []
    await outcomes.settled_all(ctx, saved)
    states = Counter(one.state for one in saved)
    for verb, target in _FATES.items():
        await log_chunk(ctx, attempt, verb, "pending", target, states[target])
    return [one for one in saved if one.state is DeliveryState.SENDING]


_FATES = {
    "claim": DeliveryState.SENDING, "cancel": DeliveryState.CANCELLED,
    "doubt": DeliveryState.IN_DOUBT,
}  # fmt: skip


def _fate(ctx: Context, one: Delivery, doubts: Doubts) -> tuple[str, dict[str, Any]]:
    """Whether what is due is sent, too old, or would perhaps be said twice."""
    if one.give_up_at is not None and one.give_up_at <= ctx.at:
        return "cancel", {"error": "too-old"}
    # A platform that forgets keys still knows those of a last try (``Limits.key_lasts``).
    if one.unsure and not _repeatable(one, doubts, ctx.at - LAST_TRY):
        return "doubt", {"not_before": _ask_at(ctx, one, doubts)}
    return "claim", {"error": ""}


async def _ready(ctx: Context, **criteria: Any) -> list[Delivery]:
    """Pending and due, oldest first. Asked apart: what was put off holds up nothing else."""
    found = [
        one
        for due in ({"not_before": None}, {"not_before__lte": ctx.at})
        for one in await ctx.work.deliveries.find(
            state=DeliveryState.PENDING, order="created_at", limit=CHUNK, **due, **criteria
        )
    ]
    return sorted(found, key=lambda one: (one.created_at, one.id))[:CHUNK]


def _first_of_each_chat(ready: Sequence[Delivery], platforms: Collection[str]) -> list[Delivery]:
    kept: dict[tuple[str, str], Delivery] = {}
    for one in ready:
        chat = one.address if one.platform in platforms else one.id
        kept.setdefault((one.platform, chat), one)
    return list(kept.values())


async def log_chunk(
    ctx: Context, attempt: str, verb: str, source: str, target: str, n: int
) -> None:
    """One event for the rows of one attempt that were moved alike."""
    await ctx.work.record(*chunk_event(ctx, attempt, verb, source, target, n))


def chunk_event(
    ctx: Context, attempt: str, verb: str, source: str, target: str, n: int
) -> list[Event]:
    """The event of ``log_chunk``; none for no rows."""
    one = Event(
        id=ctx.services.ids.new(), at=ctx.at, entity="delivery", entity_id=attempt,
        action=verb, source=source, target=target, role=CLOCK.role, data={"count": n},
    )  # fmt: skip
    return [one] if n else []


async def settle(ctx: Context, results: Sequence[Result], doubts: Doubts) -> None:
    """Write the outcomes; a row that somebody else has settled meanwhile is left alone."""
    counts: Counter[tuple[str, str, str]] = Counter()
    moved, rests = [], []
    await ctx.work.deliveries.load([one.delivery.id for one in results])
    for one in results:
        current = await ctx.work.deliveries.get(one.delivery.id)
        fenced = current.attempt_id != one.delivery.attempt_id
        if fenced or current.state is not DeliveryState.SENDING:
            continue
        verb, changes = verdict(ctx, one, doubts)
        if verb == "retry" and one.error is not None:
            changes["unsure"] = current.unsure or one.error.unknown
        after, step = DELIVERY.advance(current, verb, CLOCK, **changes)
        counts[current.attempt_id, verb, step.target] += 1
        moved.append(after)
        rests.append(one.rest)
    saved = await ctx.work.deliveries.save_all(moved)
    for begun, rest in zip(saved, rests, strict=True):
        if rest:
            await _rest_waits(ctx, begun, rest)
    await outcomes.settled_all(ctx, saved)
    for (attempt, verb, target), count in counts.items():
        await log_chunk(ctx, attempt, verb, "sending", target, count)


_LONG = timedelta(days=365)
"""Until the person's next message: by the clock alone it never goes."""


async def _rest_waits(ctx: Context, begun: Delivery, rest: str) -> None:
    """The rest of a text, as a message of its own that waits."""
    await ctx.work.deliveries.add(
        Delivery(
            id=ctx.services.ids.new(), platform=begun.platform, address=begun.address,
            person=begun.person, content={"plain": rest}, created_at=ctx.at,
            not_before=ctx.at + _LONG, error=WAITS,
        )
    )  # fmt: skip


async def release(ctx: Context) -> None:
    """The person has written: what waited for that goes together with the answer."""
    if ctx.person is None:
        return
    for one in await ctx.work.deliveries.find(
        person=ctx.person.id, state=DeliveryState.PENDING, error=WAITS, platform=ctx.platform,
        address=ctx.chat, not_before__gt=ctx.at, order="created_at", limit=CHUNK,
    ):  # fmt: skip
        await ctx.work.deliveries.save(replace(one, not_before=None))


def verdict(ctx: Context, one: Result, doubts: Doubts) -> tuple[str, dict[str, Any]]:
    """What the table calls this result, and the fields that it changes."""
    if one.error is None:
        return "sent", {"sent_at": ctx.at, "remote_id": one.remote_id, "error": ""}
    decision = after_failure(
        one.delivery.attempt, one.error.permanent, one.error.retry_after, one.delivery.id
    )
    again = decision is not None and _repeatable(one.delivery, doubts, ctx.at)
    if one.error.unknown and not again:
        return "doubt", {"error": one.error.code, "not_before": _ask_at(ctx, one.delivery, doubts)}
    if decision is None:
        return "fail", {"error": one.error.code}
    changes: dict[str, Any] = {"error": one.error.code, "not_before": ctx.at + decision}
    if one.error.retry_after is not None:
        # Not yet: by the platform's word or our own pacing. However often, it is no failure.
        changes["attempt"] = one.delivery.attempt - 1
    return "retry", changes


def _repeatable(one: Delivery | Parcel, doubts: Doubts, at: datetime) -> bool:
    """The platform drops the second; or single-use buttons, or the change of a message."""
    if doubts.drops_repeats(one, at):
        return True
    return isinstance(one, Delivery) and one.harmless and one.dedup is None


def _ask_at(ctx: Context, one: Delivery | Parcel, doubts: Doubts) -> datetime | None:
    """In doubt, ``not_before`` is when the platform is asked; None where a person decides."""
    return ctx.at + ASK_AFTER if one.platform in doubts.readable else None


async def abandon(ctx: Context, dead: Sequence[str] | None, mine: str, doubts: Doubts) -> int:
    """After a crash: what dead executors left *sending* is repeated, asked after, or held.

    ``dead`` None means every executor but ``mine`` is dead. Returns how many rows were found.
    """
    stuck = await ctx.work.deliveries.find(state=DeliveryState.SENDING, executor__ne=mine)
    found = [one for one in stuck if dead is None or one.executor in dead]
    moved = []
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        again = _repeatable(one, doubts, ctx.at)
        after, step = DELIVERY.advance(
            one, "retry" if again else "doubt", MACHINE, error="crash", unsure=again,
            not_before=None if again else _ask_at(ctx, one, doubts),
        )  # fmt: skip
        moved.append(after)
        counts[one.attempt_id, step.action, step.target] += 1
    await outcomes.settled_all(ctx, await ctx.work.deliveries.save_all(moved))
    for (attempt, verb, target), count in counts.items():
        await log_chunk(ctx, attempt, verb, "sending", target, count)
    return len(found)


async def to_ask(ctx: Context, doubts: Doubts) -> list[Delivery]:
    """In doubt where the platform can say, the longest waiting first."""
    return await ctx.work.deliveries.find(
        state=DeliveryState.IN_DOUBT, platform__in=sorted(doubts.readable),
        not_before__lte=ctx.at, order="not_before", limit=CHUNK,
    )  # fmt: skip


async def answered(ctx: Context, asked: Delivery, remote_id: str | None) -> None:
    """What the platform said of a delivery in doubt; a person may have been faster.

    A remote id: it is there. Empty: it is sent again. None: it waits for a person.
    """
    one = await ctx.work.deliveries.get(asked.id)
    if one.state is not DeliveryState.IN_DOUBT or one.attempt_id != asked.attempt_id:
        return
    if remote_id is None:
        await ctx.work.deliveries.save(replace(one, not_before=None))
        return
    await _resolve(
        ctx, one, "sent" if remote_id else "retry", remote_id=remote_id,
        sent_at=ctx.at if remote_id else None,
    )  # fmt: skip


async def refused(ctx: Context, asked: Delivery, code: str) -> None:
    """The platform said of a delivery in doubt that it has failed for good."""
    one = await ctx.work.deliveries.get(asked.id)
    if one.state is DeliveryState.IN_DOUBT and one.attempt_id == asked.attempt_id:
        await _resolve(ctx, one, "fail", error=code)


async def _resolve(ctx: Context, one: Delivery, verb: str, **changes: Any) -> None:
    moved, step = DELIVERY.advance(one, verb, MACHINE, not_before=None, unsure=False, **changes)
    saved = await ctx.work.deliveries.save(moved)
    await log_chunk(ctx, one.attempt_id, verb, "in-doubt", step.target, 1)
    await outcomes.resolved(ctx, saved, verb)


GRACE = timedelta(seconds=30)
"""Silence after which an executor counts as dead."""
