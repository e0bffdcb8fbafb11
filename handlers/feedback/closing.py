"""When a case may close, and what its end settles."""

from handlers import clocks
from handlers.context import Context
from matrix.core.bulletin import RevisionState
from matrix.core.campaign import ENDED
from matrix.core.case import ASSIGNMENT, CASE, AssignmentState, Case, CaseState
from matrix.core.delivery import FeedbackState
from matrix.core.roles import CLOCK, MACHINE

OPEN = (FeedbackState.DUE, FeedbackState.IN_DOUBT, FeedbackState.FAILED)


async def open_of(ctx: Context, case: Case) -> tuple[str, ...]:
    """What keeps a case from closing, as codes."""
    found = []
    if await ctx.work.feedback.count(case=case.id, state__in=OPEN):
        found.append("feedback")
    campaigns = await ctx.work.campaigns.find(case=case.id)
    if any(campaign.state not in ENDED for campaign in campaigns):
        found.append("campaign")
    if await ctx.work.revisions.count(case=case.id, state=RevisionState.SIGNED_URGENT):
        found.append("ratification")
    return tuple(found)


async def close_if_done(ctx: Context, case_id: str) -> None:
    """Close a case in checking when nothing is open any more."""
    case = await ctx.work.cases.maybe(case_id)
    if case is None or case.state is not CaseState.CHECKING or case.correction_open:
        return
    open_ = await open_of(ctx, case)
    if open_:
        return
    await ctx.move(
        CASE, ctx.work.cases, case, "close", by=CLOCK if ctx.clock else MACHINE,
        facts={"open": open_}, stage_since=ctx.at,
    )  # fmt: skip
    await clocks.stop_case(ctx, case)
    await clocks.watch(ctx, case)


async def finish_assignments(ctx: Context, case: Case) -> None:
    """The units have done their part."""
    for one in await ctx.work.assignments.find(case=case.id):
        if one.state is AssignmentState.ACKNOWLEDGED:
            by = MACHINE if ctx.person is None else None
            await ctx.move(ASSIGNMENT, ctx.work.assignments, one, "finish", by=by)
        await clocks.stop(ctx, f"assignment:{one.id}")
