"""同类线索: the claims of leads that still wait."""

from handlers.context import Context
from handlers.services import Found, Resemblance
from matrix.core.lead import Lead, LeadState

CLAIM = "claim"
"""What a link to a waiting lead's claim has as its target's kind."""


async def waiting(ctx: Context, lead: Lead, found: Found) -> list[Resemblance]:
    """Claims of other leads that still wait, and so have no case yet; best first."""
    return [
        one
        for one in found.alike
        if one.kind == CLAIM and one.target != lead.claim and await first_waiting(ctx, one.target)
    ]


async def first_waiting(ctx: Context, claim: str) -> Lead | None:
    """The oldest lead of a claim that is still queued."""
    leads = await ctx.work.leads.find(
        claim=claim, state=LeadState.QUEUED, order="received_at", limit=1
    )
    return leads[0] if leads else None
