"""Whose work a clock measures."""

from handlers import calendars
from handlers.context import Context
from matrix.core.case import AssignmentState, Case, CaseState
from matrix.core.deadline import Deadline, Stage
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


async def unit_of(ctx: Context, subject: str, case: Case | None, stage: Stage) -> str:
    """The unit that answers for a clock, as a code; empty when none can be named."""
    kind, _, entity_id = subject.partition(":")
    if kind == "assignment":
        return (await ctx.work.assignments.get(entity_id)).unit
    if kind == "verification":
        return (await ctx.work.verifications.get(entity_id)).unit
    if kind == "lead" or stage is Stage.FILE:
        return calendars.of_desk(ctx.directory)
    if kind == "revision" and stage is not Stage.DRAFT:
        revision = await ctx.work.revisions.get(entity_id)
        return _unit_holding(ctx, *_REVIEWING.get(revision.state.value, (Role.HANDLER,)))
    if kind == "task" or (case is not None and case.state is CaseState.APPROVED):
        return _unit_holding(ctx, Role.PUBLISHER)
    return (case.owner if case is not None else "") or calendars.of_desk(ctx.directory)


async def reviews_after(ctx: Context, subject: str) -> int:
    """How many reviews are still to come after the one that a revision is at."""
    state = (await ctx.work.revisions.get(subject.partition(":")[2])).state.value
    steps = [step for step in _REVIEWING if step.startswith("review-")]
    return len(steps) - 1 - steps.index(state) if state in steps else 0


def _unit_holding(ctx: Context, *roles: Role) -> str:
    """The unit of the first who holds one of the roles today."""
    return next((post.unit for post in ctx.posts_held(*roles) if post.unit), "")
