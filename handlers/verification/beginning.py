"""Verification begins with the first question or piece of evidence."""

from handlers.assignment.acting import progress
from handlers.context import Context
from matrix.core.case import CASE, Case, CaseState


async def begin(ctx: Context, case: Case) -> Case:
    """The first question or piece of evidence starts verification."""
    if case.state is CaseState.ACKNOWLEDGED:
        case = await ctx.move(CASE, ctx.work.cases, case, "verify", stage_since=ctx.at)
    await progress(ctx, case.id)
    return case
