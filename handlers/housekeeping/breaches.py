"""Feedback that has not arrived in time: the desk sees it, once."""

import dataclasses
from datetime import timedelta

from handlers.context import Context
from handlers.feedback.closing import OPEN
from handlers.housekeeping.pages import every
from handlers.replies import choose
from handlers.replies.triage import Breach
from matrix.core.case import Case, Grade
from matrix.core.deadline import Stage
from matrix.core.delivery import Feedback
from matrix.core.roles import Role


async def report(ctx: Context) -> None:
    """One message to the desk for each case, or lead without one, with how many are not told."""
    late: dict[str, list[Feedback]] = {}
    async for one in every(
        ctx.work.feedback, state__in=OPEN, breached_at=None, due_at__lte=ctx.at - _shortest(ctx)
    ):
        case = await ctx.work.cases.maybe(one.case)
        if one.due_at + _length(ctx, case) > ctx.at:
            continue
        await ctx.work.feedback.save(dataclasses.replace(one, breached_at=ctx.at))
        await ctx.note("feedback", one.id, "breach", one.case, state=one.state.value)
        late.setdefault(one.case or one.lead, []).append(one)
    for some in late.values():
        await _tell_desk(ctx, some)


def _length(ctx: Context, case: Case | None) -> timedelta:
    grade = case.grade if case is not None else Grade.BLUE
    length = ctx.policy.clocks.length(Stage.FEEDBACK, grade)
    return length.wall if length is not None else timedelta.max


def _shortest(ctx: Context) -> timedelta:
    lengths = [ctx.policy.clocks.length(Stage.FEEDBACK, grade) for grade in Grade]
    return min((one.wall for one in lengths if one is not None), default=timedelta(days=1))


async def _tell_desk(ctx: Context, some: list[Feedback]) -> None:
    first = some[0]
    case = await ctx.work.cases.maybe(first.case)
    number = case.number if case is not None else (await ctx.work.leads.get(first.lead)).number
    buttons = [choose("desk.doubts", keep=True)]
    if case is not None:
        buttons.append(choose("case.open", case.id, keep=True))
    shown = Breach(number=number, count=len(some), due_at=min(one.due_at for one in some))
    await ctx.tell_role(Role.DESK, shown, *buttons)
