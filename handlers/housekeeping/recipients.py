"""Who hears of a rung: 提醒 assignee → 催办 deputy → 督办 unit head → desk and leader."""

from handlers import access, duty
from handlers.context import Context
from handlers.responsible import Answering, assignees, holding
from matrix.core.case import Case
from matrix.core.deadline import Deadline
from matrix.core.roles import Role

DEPUTIES, HEADS, DESK = 2, 3, 4
"""Rungs from which these hear of it too."""


async def recipients(ctx: Context, one: Deadline, case: Case | None, rung: int) -> list[Answering]:
    """Each person once, in the post that is reminded. Un-owned cases climb too."""
    kind, _, entity_id = one.subject.partition(":")
    if kind in {"lead", "appeal"} or case is None:
        found = holding(ctx, Role.DESK)
        if rung >= HEADS:
            found += holding(ctx, Role.LEADER)
    elif kind == "task":
        found = await _checkers(ctx, entity_id, rung)
    else:
        found = await _owners(ctx, one, case, rung)
    return list({each.person: each for each in reversed(found)}.values())[::-1]


async def _owners(ctx: Context, one: Deadline, case: Case, rung: int) -> list[Answering]:
    found = await assignees(ctx, one, case)
    people = {each.person for each in found}
    found += stand_ins(ctx, one, case)
    if rung >= DEPUTIES:
        found += _deputies(ctx, people)
    if rung >= HEADS and case.owner:
        found += holding(ctx, Role.UNIT_HEAD, unit=case.owner)
    if rung >= DESK or not found:
        found += holding(ctx, Role.DESK, Role.LEADER)
    return found


def stand_ins(ctx: Context, one: Deadline, case: Case) -> list[Answering]:
    """Red and orange run through the night: whoever is on duty gets what the assignee gets.

    Where a unit that does not work now has nobody on duty, the standing desk hears at once.
    """
    if not case.grade.urgent or not one.unit or not duty.closed(ctx, one.unit):
        return []
    there = set(duty.on_duty(ctx, one.unit))
    found = [each for each in holding(ctx, *duty.HANDS, unit=one.unit) if each.person in there]
    return found or holding(ctx, Role.DESK)


def _deputies(ctx: Context, people: set[str]) -> list[Answering]:
    today = access.beijing_date(ctx.at)
    return [
        Answering(person=post.person, role=post.role, unit=post.unit)
        for post in ctx.directory.posts
        if post.deputy_of in people and access.in_force(post, today)
    ]


async def _checkers(ctx: Context, task_id: str, rung: int) -> list[Answering]:
    """A receipt is checked by publisher or desk, never by who posted."""
    task = await ctx.work.tasks.get(task_id)
    found = holding(ctx, Role.PUBLISHER)
    if rung >= HEADS or not found:
        found += holding(ctx, Role.DESK)
    if rung >= DESK:
        found += holding(ctx, Role.LEADER)
    return [each for each in found if each.person != task.operator]
