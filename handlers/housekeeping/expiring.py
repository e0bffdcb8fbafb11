"""What happens by itself when a clock is over."""

from handlers import clocks
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies import choose
from handlers.replies.triage import Alarm
from handlers.triage import filing
from handlers.triage.families import inhibited
from handlers.verification.asking import mark_overdue
from matrix.core.case import ASSIGNMENT, Case, CaseState
from matrix.core.deadline import Deadline, Stage
from matrix.core.lead import LeadState
from matrix.core.roles import CLOCK, Role


async def expired(ctx: Context, one: Deadline, case: Case | None, *, first: bool) -> None:
    """What an expiry itself does, beyond reminding. ``first``: it was not due at the last rung."""
    kind, _, entity_id = one.subject.partition(":")
    match one.stage:
        case Stage.FILE:
            await _file_by_itself(ctx, one, kind, entity_id)
        case Stage.ACKNOWLEDGE:
            await _unacknowledged(ctx, entity_id, case)
        case Stage.STALE:
            await _stale(ctx, one, entity_id, case)
        case Stage.ANSWER:
            await mark_overdue(ctx, entity_id)
        case Stage.FIRST_PUBLICATION if first:
            await alarm(ctx, "publication_late", case, "")
        case _:
            pass


async def _unacknowledged(ctx: Context, assignment_id: str, case: Case | None) -> None:
    made = await ctx.work.assignments.get(assignment_id)
    if ASSIGNMENT.has(made.state, "expire"):
        await ctx.move(ASSIGNMENT, ctx.work.assignments, made, "expire", by=CLOCK)
        await alarm(ctx, "unacknowledged", case, ctx.directory.unit_name(made.unit))


async def _stale(ctx: Context, one: Deadline, assignment_id: str, case: Case | None) -> None:
    made = await ctx.work.assignments.get(assignment_id)
    await clocks.stop(ctx, one.subject, Stage.STALE)
    working = {CaseState.ACKNOWLEDGED, CaseState.VERIFYING, CaseState.CONSULTING}
    if case is None or case.state not in working or not ASSIGNMENT.has(made.state, "stale"):
        return
    made = await ctx.move(ASSIGNMENT, ctx.work.assignments, made, "stale", by=CLOCK, person="")
    await filing.start_offer(ctx, case, made)
    await alarm(ctx, "stale", case, ctx.directory.unit_name(made.unit))


async def _file_by_itself(ctx: Context, one: Deadline, kind: str, entity_id: str) -> None:
    """Red and orange dispatch themselves and tell the desk; others climb the ladder."""
    if kind == "case":
        case = await ctx.work.cases.get(entity_id)
        if case.state is CaseState.FILED and case.grade.urgent and case.owner:
            await clocks.stop(ctx, one.subject, Stage.FILE)
            case = await filing.dispatch(ctx, case)
            await alarm(ctx, "dispatched_itself", case, ctx.directory.unit_name(case.owner))
        return
    lead = await ctx.work.leads.get(entity_id)
    grade = proposals.grade_of(lead)
    if lead.state is not LeadState.QUEUED or not grade.urgent or not lead.proposal.get("owner"):
        return
    case = await filing.open_case(ctx, lead)
    case = await filing.dispatch(ctx, case)
    await alarm(ctx, "dispatched_itself", case, ctx.directory.unit_name(case.owner))


_CLIMBING = frozenset({"unacknowledged", "stale", "publication_late"})
"""Alarms that a main case raises for its children too."""


async def alarm(ctx: Context, what: str, case: Case | None, detail: str) -> None:
    """The desk must look."""
    if what in _CLIMBING and await inhibited(ctx, case):
        return
    buttons = [choose("case.open", case.id, keep=True)] if case is not None else []
    number = case.number if case is not None else ""
    await ctx.tell_role(Role.DESK, Alarm(what=what, number=number, detail=detail), *buttons)
