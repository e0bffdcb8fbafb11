"""A flood of leads: past so many cards in ten minutes the desk gets one card that counts them.

Each held-back lead stands in 待办 with its clock, opens by its number, and comes along when one of
the same words is filed; only its own card is not sent.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handlers import clocks
from handlers.context import Context
from handlers.proposing import alike, proposals
from handlers.replies import Choice, choose
from handlers.replies.triage import Flood, FloodLine
from matrix.core.case import Grade
from matrix.core.lead import Lead, LeadState
from matrix.core.roles import Role

_HELD = "leads-held-back"
"""The setting that keeps when a card was last held back, ISO."""
_LOOKED_AT = 200
"""Newest waiting leads among which the commonest rumors are looked for."""
_SHOWN = 3
"""Rumors of one card, with a button each beside 待办."""


async def holds_back(ctx: Context, lead: Lead) -> bool:
    """Whether a lead that is about to wait gets no card of its own; the digest owes it then.

    The first of a grave rumor always has its card, and a drill is no flood.
    """
    claim = await ctx.work.claims.maybe(lead.claim)
    first = claim is None or claim.first_lead == lead.id
    grave = proposals.grade_of(lead) in {Grade.RED, Grade.ORANGE}
    if lead.drill or (first and grave):
        return False
    before = await ctx.work.leads.find(
        state=LeadState.QUEUED, drill=False, received_at__gt=_since(ctx), order="-received_at",
        limit=1, offset=ctx.policy.cards_at_once - 1,
    )  # fmt: skip
    if before:
        await ctx.work.set_setting(_HELD, ctx.at.isoformat())
    return bool(before)


async def report(ctx: Context) -> None:
    """Tell the desk what was held back: a card in ten minutes, changed in place meanwhile."""
    held = await ctx.work.setting(_HELD)
    if held is None:
        return
    said: _Said | None = None
    for person in dict.fromkeys(ctx.holders(Role.DESK)):
        subject = f"flood:{person}"
        told = await ctx.work.deliveries.find(subject=subject, order="-id", limit=1)
        card = await ctx.work.deliveries.one(subject=subject, edits="", order="-id")
        recent = card is not None and card.created_at > _since(ctx)
        if not recent and card is not None and card.created_at >= datetime.fromisoformat(str(held)):
            continue
        said = said or await _said(ctx)
        if card is not None and recent:
            await ctx.rewrite(card, said.reply, told[0])
        else:
            await ctx.tell(person, said.reply, *said.choices, subject=subject, roles=(Role.DESK,))


def _since(ctx: Context) -> datetime:
    return ctx.at - timedelta(minutes=ctx.policy.bundle_minutes)


class _Said(NamedTuple):
    reply: Flood
    choices: list[Choice]


async def _said(ctx: Context) -> _Said:
    """How many wait, which rumors they are, and the nearest due time."""
    waiting: dict[str, Any] = {"state": LeadState.QUEUED, "drill": False}
    newest = await ctx.work.leads.find(order="-received_at", limit=_LOOKED_AT, **waiting)
    lines, opened = [], []
    for claim, _ in Counter(one.claim for one in newest if one.claim).most_common(_SHOWN):
        lead = await alike.first_waiting(ctx, claim)
        if lead is None:
            continue
        count = await ctx.work.leads.count(claim=claim, state=LeadState.QUEUED)
        lines.append(
            FloodLine(
                number=lead.number, grade=proposals.grade_of(lead), text=lead.text[:40], count=count
            )
        )
        opened.append(choose("lead.open", lead.id, text=lead.number, keep=True))
    nearest = await clocks.nearest(ctx, "lead", 1)
    return _Said(
        Flood(
            minutes=ctx.policy.bundle_minutes,
            fresh=await ctx.work.leads.count(received_at__gt=_since(ctx), **waiting),
            total=await ctx.work.leads.count(**waiting),
            lines=tuple(lines),
            due_at=nearest[0].due_at if nearest else None,
        ),
        [choose("desk.todo", keep=True), *opened],
    )
