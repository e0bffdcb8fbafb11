"""Whose work a clock measures."""

from dataclasses import dataclass

from handlers import calendars
from handlers.context import Context
from matrix.core.case import Assignment, AssignmentState, Case, CaseState
from matrix.core.deadline import Deadline, Stage
from matrix.core.roles import OWNERS, Role

_REVIEWING = {
    "review-1": (Role.REVIEWER_1,),
    "review-2": (Role.REVIEWER_2,),
    "review-3": (Role.REVIEWER_3,),
    "signed-urgent": (Role.REVIEWER_1,),
    "signed": (Role.PUBLISHER,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A person who is spoken to, in which post."""

    person: str
    role: Role
    unit: str = ""


def holding(ctx: Context, *roles: Role, unit: str = "") -> list[Answering]:
    """Everybody who holds one of the roles today."""
    return [
        Answering(person=post.person, role=post.role, unit=post.unit)
        for post in ctx.posts_held(*roles, unit=unit)
    ]


def one_of(ctx: Context, person: str, unit: str) -> Answering:
    """A person of a unit in the post in which they work there."""
    held = [post for post in ctx.posts_held(*OWNERS, unit=unit) if post.person == person]
    return Answering(person=person, role=held[0].role if held else Role.HANDLER, unit=unit)


async def assignees(ctx: Context, one: Deadline, case: Case) -> list[Answering]:
    """Whose work the clock measures."""
    kind, _, entity_id = one.subject.partition(":")
    if kind == "revision":
        revision = await ctx.work.revisions.get(entity_id)
        return holding(ctx, *_REVIEWING.get(revision.state.value, (Role.HANDLER,)))
    if kind == "verification":
        unit = (await ctx.work.verifications.get(entity_id)).unit
        return holding(ctx, Role.HANDLER, unit=unit)
    if case.state is CaseState.APPROVED:
        return holding(ctx, Role.PUBLISHER)
    if kind == "assignment":
        return _working(ctx, await ctx.work.assignments.get(entity_id))
    lead = await ctx.work.assignments.one(
        case=case.id, lead=True, state=AssignmentState.ACKNOWLEDGED
    )
    if lead is not None:
        return _working(ctx, lead)
    return holding(ctx, Role.HANDLER, unit=case.owner) if case.owner else []


def _working(ctx: Context, made: Assignment) -> list[Answering]:
    """Who has taken it on, else all who may."""
    if made.person:
        return [one_of(ctx, made.person, made.unit)]
    return holding(ctx, Role.HANDLER, unit=made.unit)


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
    return next((one.unit for one in holding(ctx, *roles) if one.unit), "")
