"""The ladder of a clock: rungs are fired here and owed to people; ``nudging`` says them."""

import dataclasses

from handlers import clocks, matters
from handlers.context import Context
from handlers.housekeeping import criticism, expiring
from handlers.housekeeping.recipients import recipients
from handlers.responsible import Answering
from matrix.core.case import Case
from matrix.core.deadline import SILENT, Deadline, Nudge
from matrix.triage.ladder import DUE, LADDER, reached

# Rungs fired in one transaction: after a flood thousands are due at once, and who writes to the
# bot meanwhile waits for no more than half a second.
AT_ONCE = 100


async def fire_deadlines(ctx: Context) -> bool:
    """The rungs that are due, each once, in the order of due times; whether that was all.

    Clocks are read one by one, since what one does may stop the next: a lead that files itself
    takes its identical leads along. What this sweep itself starts waits for the next.
    """
    for _ in range(AT_ONCE):
        found = await ctx.work.deadlines.find(
            closed_at=None, next_at__lte=ctx.at, starts_at__lt=ctx.at, order="next_at", limit=1
        )
        if not found:
            return True
        one = found[0]
        if one.stage in SILENT:
            await clocks.stop(ctx, one.subject, one.stage)
        else:
            await _fire(ctx, one)
    return False


async def _fire(ctx: Context, one: Deadline) -> None:
    before, rung = one.rung, reached(one, ctx.at)
    case = await matters.maybe(ctx, one.case)
    if muted(ctx, one, case):
        await clocks.hold(ctx, one, ctx.policy.clocks.next_morning(ctx.at))
        return
    one = await clocks.climbed(ctx, one, rung)
    if one.due_at <= ctx.at:
        await expiring.expired(ctx, one, case, first=before < DUE)
        one = await ctx.work.deadlines.get(one.id)
        if one.closed_at is not None:
            return
    if before < len(LADDER) <= rung:
        await criticism.draft(ctx, one, case)
    for told in await recipients(ctx, one, case, rung):
        await _owe(ctx, told, one)


async def _owe(ctx: Context, told: Answering, one: Deadline) -> None:
    """A later rung takes the place of one that is not said yet."""
    known = await ctx.work.nudges.one(person=told.person, deadline=one.id)
    if known is not None:
        await ctx.work.nudges.save(
            dataclasses.replace(known, rung=one.rung, role=told.role, unit=told.unit)
        )
        return
    await ctx.work.nudges.add(
        Nudge(
            id=ctx.services.ids.new(), person=told.person, deadline=one.id, rung=one.rung,
            role=told.role, unit=told.unit, created_at=ctx.at,
        )
    )  # fmt: skip


def muted(ctx: Context, one: Deadline, case: Case | None) -> bool:
    """Quiet hours hold back reminders except red and orange; what expires is never held."""
    grade = case.grade if case is not None else one.grade
    return ctx.policy.clocks.said_at(ctx.at, one.due_at, grade) > ctx.at
