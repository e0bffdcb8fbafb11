"""What a lead is like beside the bulletins: running cases, and claims of leads that still wait."""

from handlers.context import Context
from handlers.services import Beside, Found, Resemblance
from matrix.core.lead import Lead, LeadState

CLAIM = "claim"
"""What a link to a waiting lead's claim has as its target's kind."""


CASE = "case"


def beside(ctx: Context, lead: Lead, found: Found) -> Beside:
    """What waits and is alike; a drill is compared with nothing."""
    return Beside() if lead.drill else ctx.services.matching.beside(found)


def same_cases(ctx: Context, lead: Lead, found: Found) -> list[Resemblance]:
    """Cases of the very words of the lead, best first."""
    if lead.drill or not ctx.services.matching.repeats_case(found):
        return []
    return [one for one in beside(ctx, lead, found).alike if one.kind == CASE and one.identical]


async def worth_a_look(ctx: Context, lead: Lead, found: Found) -> list[Resemblance]:
    """Cases, then claims of other leads that have no case yet (同类线索); best first."""
    alike = beside(ctx, lead, found).alike
    return [one for one in alike if one.kind == CASE] + [
        one
        for one in alike
        if one.kind == CLAIM and one.target != lead.claim and await first_waiting(ctx, one.target)
    ]


async def first_waiting(ctx: Context, claim: str) -> Lead | None:
    """The oldest lead of a claim that is still queued."""
    leads = await ctx.work.leads.find(
        claim=claim, state=LeadState.QUEUED, order="received_at", limit=1
    )
    return leads[0] if leads else None
