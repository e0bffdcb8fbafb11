"""Starting and stopping clocks. Lengths and caps are the table's business (matrix.triage)."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from handlers.context import Context
from matrix.core.case import Case, Grade
from matrix.core.deadline import Deadline, Stage
from matrix.triage.deadline import next_at


async def start(
    ctx: Context,
    subject: str,
    stage: Stage,
    grade: Grade,
    *,
    business: datetime,
    case: str = "",
    due_at: datetime | None = None,
) -> Deadline | None:
    """Start a stage's clock on a subject; an open one of the same stage is closed first.

    None where the grade has no such clock. ``business`` is when the oldest lead came.
    """
    await stop(ctx, subject, stage)
    capped = False
    if due_at is None:
        due = ctx.policy.clocks.due(stage, grade, ctx.at, business, ctx.policy.calendar)
        if due is None:
            return None
        due_at, capped = due
    starts_at = business if stage is Stage.FIRST_PUBLICATION else ctx.at
    deadline = Deadline(
        id=ctx.services.ids.new(),
        subject=subject,
        case=case,
        stage=stage,
        starts_at=starts_at,
        due_at=due_at,
        capped=capped,
        next_at=next_at(stage, starts_at, due_at, 0),
    )
    await ctx.work.deadlines.add(deadline)
    await ctx.note("deadline", deadline.id, f"start-{stage}", case, due=due_at.isoformat())
    return deadline


async def stop(ctx: Context, subject: str, *stages: Stage) -> None:
    """Close the open clocks of a subject (all, or those of the given stages)."""
    for one in await ctx.work.deadlines.find(subject=subject, closed_at=None):
        if not stages or one.stage in stages:
            await ctx.work.deadlines.save(dataclasses.replace(one, closed_at=ctx.at, next_at=None))
            await ctx.note("deadline", one.id, f"stop-{one.stage}", one.case)


async def stop_case(ctx: Context, case: Case) -> list[str]:
    """Close every clock of a case; returns which were running."""
    running = await ctx.work.deadlines.find(case=case.id, closed_at=None)
    for one in running:
        await ctx.work.deadlines.save(dataclasses.replace(one, closed_at=ctx.at, next_at=None))
    return [one.id for one in running]


async def due_of(ctx: Context, subject: str) -> datetime | None:
    """The nearest due time of a subject's open clocks."""
    found = await ctx.work.deadlines.find(subject=subject, closed_at=None, order="due_at", limit=1)
    return found[0].due_at if found else None


async def case_due(ctx: Context, case_id: str) -> datetime | None:
    """The nearest due time among a case's open clocks; watching a closed case asks nothing."""
    found = await ctx.work.deadlines.find(
        case=case_id, closed_at=None, stage__ne=Stage.WATCH, order="due_at", limit=1
    )
    return found[0].due_at if found else None


async def regrade(ctx: Context, case: Case) -> None:
    """Recompute the open clocks of a case after its grade changed."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None):
        due = ctx.policy.clocks.due(
            one.stage, case.grade, one.starts_at, case.received_at, ctx.policy.calendar
        )
        if due is not None:
            await ctx.work.deadlines.save(
                dataclasses.replace(
                    one,
                    due_at=due[0],
                    capped=due[1],
                    next_at=next_at(one.stage, one.starts_at, due[0], one.rung),
                )
            )


async def pause(ctx: Context, case: Case) -> None:
    """Stage clocks wait; the business clock runs on (domain §6)."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None):
        if one.stage is not Stage.FIRST_PUBLICATION:
            await ctx.work.deadlines.save(
                dataclasses.replace(one, next_at=None, paused_at=one.paused_at or ctx.at)
            )


async def unpause(ctx: Context, case: Case) -> None:
    """Stage clocks run on: start and due move by the span, never past the cap."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None):
        if one.paused_at is None:
            continue
        span = ctx.at - one.paused_at
        starts_at, due_at = one.starts_at + span, one.due_at + span
        await ctx.work.deadlines.save(
            dataclasses.replace(
                one,
                starts_at=starts_at,
                due_at=due_at,
                paused_at=None,
                next_at=next_at(one.stage, starts_at, due_at, one.rung),
            )
        )


async def restart_business(ctx: Context, case: Case) -> None:
    """After an undone merge the case's own business clock runs again from its own start."""
    await start(
        ctx,
        f"case:{case.id}",
        Stage.FIRST_PUBLICATION,
        case.grade,
        business=case.received_at,
        case=case.id,
    )


async def restart_stages(ctx: Context, case: Case, stopped: Sequence[str]) -> None:
    """After an undone merge each stage that was running has its own length again, from now.

    An assignment's clocks start with its new offer.
    """
    for deadline_id in stopped:
        one = await ctx.work.deadlines.get(deadline_id)
        if one.stage is Stage.FIRST_PUBLICATION or one.subject.startswith("assignment:"):
            continue
        agreed = None if ctx.policy.clocks.length(one.stage, case.grade) else one.due_at
        await start(
            ctx, one.subject, one.stage, case.grade, business=case.received_at, case=case.id,
            due_at=agreed and ctx.at + (agreed - one.starts_at),
        )  # fmt: skip


async def verify_again(ctx: Context, case: Case) -> None:
    """Opened again after its clocks were stopped: verification has its own length from now."""
    await start(
        ctx, f"case:{case.id}", Stage.VERIFY, case.grade, business=ctx.at, case=case.id
    )  # fmt: skip


async def watch(ctx: Context, case: Case) -> None:
    """A closed case is watched for a while: what was said may come back (复燃)."""
    await start(ctx, f"case:{case.id}", Stage.WATCH, case.grade, business=ctx.at, case=case.id)


async def publish_by(ctx: Context, case: Case) -> datetime | None:
    """When the business clock runs out; None when it has been stopped."""
    return await _due_at(ctx, case, Stage.FIRST_PUBLICATION)


async def watched_until(ctx: Context, case: Case) -> datetime | None:
    """Until when a closed case is watched; None when it is not."""
    return await _due_at(ctx, case, Stage.WATCH)


async def _due_at(ctx: Context, case: Case, stage: Stage) -> datetime | None:
    found = await ctx.work.deadlines.one(case=case.id, stage=stage, closed_at=None)
    return found.due_at if found is not None else None
