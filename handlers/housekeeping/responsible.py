"""Whose work a clock measures."""

from handlers.context import Context
from matrix.core.case import AssignmentState, Case, CaseState
from matrix.core.deadline import Deadline
from matrix.core.roles import Role

_REVIEWING = {
    "review-1": (Role.REVIEWER_1,),
    "review-2": (Role.REVIEWER_2,),
    "review-3": (Role.REVIEWER_3,),
    "signed-urgent": (Role.REVIEWER_1,),
    "signed": (Role.PUBLISHER,),
}


async def assignees(ctx: Context, one: Deadline, case: Case) -> list[str]:
    """Whose work the clock measures."""
    kind, _, entity_id = one.subject.partition(":")
    if kind == "revision":
        revision = await ctx.work.revisions.get(entity_id)
        return ctx.holders(*_REVIEWING.get(revision.state.value, (Role.HANDLER,)))
    if kind == "verification":
        unit = (await ctx.work.verifications.get(entity_id)).unit
        return ctx.holders(Role.HANDLER, unit=unit)
    if case.state is CaseState.APPROVED:
        return ctx.holders(Role.PUBLISHER)
    if kind == "assignment":
        made = await ctx.work.assignments.get(entity_id)
        return [made.person] if made.person else ctx.holders(Role.HANDLER, unit=made.unit)
    lead = await ctx.work.assignments.one(
        case=case.id, lead=True, state=AssignmentState.ACKNOWLEDGED
    )
    if lead is not None and lead.person:
        return [lead.person]
    return ctx.holders(Role.HANDLER, unit=case.owner) if case.owner else []


async def unit_of(ctx: Context, one: Deadline, case: Case | None) -> str:
    """The unit that answers for it, as a code; empty when none can be named."""
    kind, _, entity_id = one.subject.partition(":")
    if kind == "assignment":
        return (await ctx.work.assignments.get(entity_id)).unit
    if kind == "verification":
        return (await ctx.work.verifications.get(entity_id)).unit
    if kind == "case" and case is not None and case.state is not CaseState.APPROVED:
        return case.owner or _post_unit(ctx, ctx.holders(Role.DESK))
    role = Role.DESK if kind == "lead" else Role.PUBLISHER
    if kind == "revision" and case is not None:
        return _post_unit(ctx, await assignees(ctx, one, case))
    return _post_unit(ctx, ctx.holders(role))


def _post_unit(ctx: Context, people: list[str]) -> str:
    return next((p.unit for p in ctx.directory.posts if p.person in people and p.unit), "")
