"""The card that asks a unit."""

from handlers import clocks
from handlers.context import Context
from handlers.replies.assignment import OfferCard
from handlers.triage import proposals
from matrix.core.case import Assignment, AssignmentState, Case


async def offer_card(ctx: Context, case: Case, made: Assignment) -> OfferCard:
    """What, why you, how grave, by when."""
    spread = await proposals.spread_of(ctx, case.claim, case.id)
    return OfferCard(
        number=case.number,
        grade=case.grade,
        part="lead" if made.lead else "co",
        designated="yes" if made.state is AssignmentState.DESIGNATED else "",
        wording=case.wording[:200],
        reasons=proposals.reasons(ctx, case.routing),
        leads=spread.leads,
        groups=spread.groups,
        areas=spread.areas,
        first_at=case.received_at,
        acknowledge_by=await clocks.due_of(ctx, f"assignment:{made.id}"),
        publish_by=await clocks.due_of(ctx, f"case:{case.id}"),
    )
