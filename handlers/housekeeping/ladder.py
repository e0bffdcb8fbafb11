"""The ladder of a clock: 提醒 assignee → 催办 deputy → 督办 unit head → desk and leader → 通报稿.

Rungs are fired here and owed to people as nudges; ``nudging`` says them.
"""

import dataclasses

from handlers import clocks, matters
from handlers.context import Context
from handlers.housekeeping import criticism, expiring
from handlers.responsible import assignees
from matrix.core.case import Case
from matrix.core.deadline import SILENT, Deadline, Nudge
from matrix.core.roles import Role
from matrix.triage.ladder import DUE, LADDER, reached

_BATCH = 200
DEPUTIES, HEADS, DESK = 2, 3, 4
"""Rungs from which these hear of it too."""


async def fire_deadlines(ctx: Context) -> None:
    """The rungs that are due, each once, in the order of due times."""
    for one in await ctx.work.deadlines.find(
        closed_at=None, next_at__lte=ctx.at, order="next_at", limit=_BATCH
    ):
        if one.stage in SILENT:
            await clocks.stop(ctx, one.subject, one.stage)
        else:
            await _fire(ctx, one)


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
    for person in await recipients(ctx, one, case, rung):
        await _owe(ctx, person, one)


async def _owe(ctx: Context, person: str, one: Deadline) -> None:
    """A later rung takes the place of one that is not said yet."""
    known = await ctx.work.nudges.one(person=person, deadline=one.id)
    if known is not None:
        await ctx.work.nudges.save(dataclasses.replace(known, rung=one.rung))
        return
    await ctx.work.nudges.add(
        Nudge(
            id=ctx.services.ids.new(), person=person, deadline=one.id, rung=one.rung,
            created_at=ctx.at,
        )
    )  # fmt: skip


def muted(ctx: Context, one: Deadline, case: Case | None) -> bool:
    """Quiet hours hold back reminders except red and orange; what expires is never held."""
    grade = case.grade if case is not None else one.grade
    return ctx.policy.clocks.said_at(ctx.at, one.due_at, grade) > ctx.at


async def recipients(ctx: Context, one: Deadline, case: Case | None, rung: int) -> list[str]:
    """Who hears of a rung. Un-owned cases climb too."""
    kind, _, entity_id = one.subject.partition(":")
    if kind in {"lead", "appeal"} or case is None:
        people = ctx.holders(Role.DESK)
        return people if rung < HEADS else [*people, *ctx.holders(Role.LEADER)]
    if kind == "task":
        return await _checkers(ctx, entity_id, rung)
    people = await assignees(ctx, one, case)
    if rung >= DEPUTIES:
        deputies = [p.person for p in ctx.directory.posts if p.deputy_of in people]
        people = [*people, *deputies]
    if rung >= HEADS and case.owner:
        people = [*people, *ctx.holders(Role.UNIT_HEAD, unit=case.owner)]
    if rung >= DESK or not people:
        people = [*people, *ctx.holders(Role.DESK, Role.LEADER)]
    return list(dict.fromkeys(people))


async def _checkers(ctx: Context, task_id: str, rung: int) -> list[str]:
    """A receipt is checked by publisher or desk, never by who posted."""
    task = await ctx.work.tasks.get(task_id)
    people = ctx.holders(Role.PUBLISHER)
    if rung >= HEADS or not people:
        people += ctx.holders(Role.DESK)
    if rung >= DESK:
        people += ctx.holders(Role.LEADER)
    return [one for one in dict.fromkeys(people) if one != task.operator]
