"""交班: a summary of what is open, overdue, in doubt."""

from handlers.cards.lists import case_lines
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.triage import Handover
from handlers.router import Args, action
from matrix.core.appeal import AppealState
from matrix.core.case import CaseState
from matrix.core.delivery import DeliveryState, FeedbackState
from matrix.core.lead import LeadState
from matrix.core.roles import Role

OVER = (CaseState.CLOSED, CaseState.NOT_ACCEPTED, CaseState.REFERRED)


@action("desk.handover", Role.DESK)
async def handover(ctx: Context, subject: str, args: Args) -> None:
    """What the next shift must know."""
    del subject, args
    running = [state for state in CaseState if state not in OVER]
    cases = await ctx.work.cases.find(state__in=running, merged_into="", order="received_at")
    await ctx.reply(
        Handover(
            queued=await ctx.work.leads.count(state=LeadState.QUEUED),
            open_cases=len(cases),
            overdue=await ctx.work.deadlines.count(closed_at=None, due_at__lt=ctx.at),
            in_doubt=await ctx.work.deliveries.count(state=DeliveryState.IN_DOUBT),
            undeliverable=await ctx.work.feedback.count(state=FeedbackState.UNDELIVERABLE),
            appeals=await ctx.work.appeals.count(state=AppealState.OPEN),
            lines=await case_lines(ctx, cases[:10]),
        ),
        choose("desk.todo", keep=True),
        choose("desk.doubts", keep=True),
    )
