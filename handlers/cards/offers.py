"""The card that asks a unit."""

from handlers import clocks
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies.assignment import OfferCard
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
        reasons=lead_cards.reasons(ctx, case.routing),
        leads=spread.leads,
        groups=spread.groups,
        areas=spread.areas,
        first_at=case.received_at,
        acknowledge_by=await clocks.due_of(ctx, f"assignment:{made.id}"),
        publish_by=await clocks.due_of(ctx, f"case:{case.id}"),
    )
