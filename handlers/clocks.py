"""Starting and stopping clocks. Lengths and caps are the table's business (matrix.triage).

A clock is written here only, and every change is logged with what it changed, so that the log
alone gives every clock (``matrix.triage.replay``).
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers import calendars, responsible
from handlers.context import Context
from handlers.replies.triage import Alarm
from matrix.core.case import Case, Grade
from matrix.core.deadline import Deadline, Stage
from matrix.core.roles import Role
from matrix.triage import ladder, replay
from matrix.triage.calendar import Calendar
from matrix.triage.deadline import Facts, Timing, wall_timing

EXTENDABLE = (Stage.VERIFY, Stage.DRAFT)
"""Stages for which their owner may ask for more time."""


async def start(
    ctx: Context,
    subject: str,
    stage: Stage,
    grade: Grade,
    *,
    business: datetime,
    case: str = "",
    due_at: datetime | None = None,
    new: bool = False,
) -> Deadline | None:
    """Start a stage's clock on a subject; an open one of the same stage is closed first.

    ``new`` is a subject that has just been made: nothing runs on it. None where the grade has no
    such clock. ``business`` is when the oldest lead came; ``due_at`` an end that people agreed on.
    A clock of a paused case waits from its beginning.
    """
    if not new:
        await stop(ctx, subject, stage)
    found = await ctx.work.cases.maybe(case)
    paused = found is not None and found.paused_reason and stage is not Stage.FIRST_PUBLICATION
    made = Deadline(
        id=ctx.services.ids.new(), subject=subject, case=case, stage=stage, grade=grade,
        unit=await responsible.unit_of(ctx, subject, found, stage),
        starts_at=business if stage is Stage.FIRST_PUBLICATION else ctx.at,
        business_at=business, due_at=due_at or ctx.at, agreed_at=due_at,
        paused_at=ctx.at if paused else None,
        follows=await responsible.reviews_after(ctx, subject) if stage is Stage.REVIEW else 0,
    )  # fmt: skip
    timed = timing(ctx, made)
    if timed is None:
        return None
    made = await _write(ctx, None, _timed(made, timed), f"start-{stage}")
    await _warn(ctx, made)
    return made


def timing(ctx: Context, one: Deadline) -> Timing | None:
    """Due time and ladder of a clock, from what is kept with it and the table in force."""
    pauses = [tuple(map(datetime.fromisoformat, span)) for span in one.pauses]
    spans = [(begin, end) for begin, end in pauses]
    if one.agreed_at is not None:
        return wall_timing(one.starts_at, one.agreed_at, spans)
    facts = Facts(
        stage=one.stage, grade=one.grade, start=one.starts_at, business=one.business_at,
        calendar=calendar_of(ctx, one), pauses=spans, extra=timedelta(minutes=one.extended),
        follows=one.follows,
    )  # fmt: skip
    return ctx.policy.clocks.timing(facts)


def calendar_of(ctx: Context, one: Deadline) -> Calendar:
    """The working hours that a clock counts in."""
    return calendars.of_unit(ctx.directory, ctx.policy, one.unit)


def _timed(one: Deadline, timed: Timing) -> Deadline:
    return dataclasses.replace(
        one, due_at=timed.due_at, capped=timed.capped,
        rungs=tuple(at.isoformat() for at in timed.rungs),
    )  # fmt: skip


async def _write(ctx: Context, before: Deadline | None, after: Deadline, action: str) -> Deadline:
    after = dataclasses.replace(after, next_at=ladder.next_at(after))
    return await _keep(ctx, before, after, action)


async def _keep(ctx: Context, before: Deadline | None, after: Deadline, action: str) -> Deadline:
    kept = ctx.work.deadlines
    saved = await (kept.add(after) if before is None else kept.save(after))
    told = replay.changes(before, after)
    await ctx.note(replay.ENTITY, after.id, action, after.case, clock=told)
    return saved


async def _retime(ctx: Context, before: Deadline, after: Deadline, action: str) -> Deadline:
    """Write a clock whose facts have changed, with the times that follow from them."""
    timed = timing(ctx, after)
    after = await _write(ctx, before, _timed(after, timed) if timed else after, action)
    await _warn(ctx, after)
    return after


async def _warn(ctx: Context, one: Deadline) -> None:
    """Working time in a year without holidays is counted Monday to Friday: the desk hears, once."""
    length = ctx.policy.clocks.length(one.stage, one.grade)
    if length is None or not length.working or one.agreed_at is not None:
        return
    for year in calendar_of(ctx, one).unknown(one.starts_at, one.due_at):
        if await ctx.work.setting(f"holidays-missing:{year}") is None:
            await ctx.work.set_setting(f"holidays-missing:{year}", ctx.at.isoformat())
            await ctx.tell_role(Role.DESK, Alarm(what="no_holidays", detail=str(year)))


async def climbed(ctx: Context, one: Deadline, rung: int) -> Deadline:
    """So many rungs have fired; the next one is looked for."""
    after = dataclasses.replace(one, rung=rung)
    return await _write(ctx, one, after, f"rung-{rung}-{one.stage}")


async def hold(ctx: Context, one: Deadline, until: datetime) -> Deadline:
    """Look at a clock again later, because nobody is to be disturbed now."""
    return await _keep(ctx, one, dataclasses.replace(one, next_at=until), f"hold-{one.stage}")


async def mark(ctx: Context, one: Deadline, rung: int) -> None:
    """Remember on a clock without a ladder that something was said (复燃 alarms)."""
    await _write(ctx, one, dataclasses.replace(one, rung=rung), f"mark-{one.stage}")


async def stop(ctx: Context, subject: str, *stages: Stage) -> None:
    """Close the open clocks of a subject (all, or those of the given stages)."""
    for one in await ctx.work.deadlines.find(subject=subject, closed_at=None):
        if not stages or one.stage in stages:
            await _close(ctx, one)


async def _close(ctx: Context, one: Deadline) -> None:
    await _write(ctx, one, dataclasses.replace(one, closed_at=ctx.at), f"stop-{one.stage}")


async def stop_case(ctx: Context, case: Case) -> list[str]:
    """Close every clock of a case; returns which were running."""
    running = await ctx.work.deadlines.find(case=case.id, closed_at=None)
    for one in running:
        await _close(ctx, one)
    return [one.id for one in running]


async def due_of(ctx: Context, subject: str) -> datetime | None:
    """The nearest due time of a subject's open clocks."""
    found = await ctx.work.deadlines.find(subject=subject, closed_at=None, order="due_at", limit=1)
    return found[0].due_at if found else None


async def nearest(ctx: Context, kind: str, most: int) -> list[Deadline]:
    """Open clocks on subjects of one kind (``lead``, …), nearest due first."""
    return await ctx.work.deadlines.find(
        closed_at=None, subject__starts=f"{kind}:", order="due_at", limit=most
    )


async def case_due(ctx: Context, case_id: str) -> datetime | None:
    """The nearest due time among a case's open clocks; watching a closed case asks nothing."""
    found = await ctx.work.deadlines.find(
        case=case_id, closed_at=None, stage__ne=Stage.WATCH, order="due_at", limit=1
    )
    return found[0].due_at if found else None


async def regrade(ctx: Context, case: Case) -> None:
    """Recompute the open clocks of a case after its grade changed."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None):
        after = dataclasses.replace(one, grade=case.grade)
        await _retime(ctx, one, after, f"regrade-{one.stage}")


async def pause(ctx: Context, case: Case) -> None:
    """Stage clocks wait; the business clock runs on (domain §6)."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None, paused_at=None):
        if one.stage is not Stage.FIRST_PUBLICATION:
            after = dataclasses.replace(one, paused_at=ctx.at)
            await _write(ctx, one, after, f"pause-{one.stage}")


async def unpause(ctx: Context, case: Case) -> None:
    """Stage clocks run on with what was left of them, never past their caps."""
    for one in await ctx.work.deadlines.find(case=case.id, closed_at=None, paused_at__ne=None):
        span = ((one.paused_at or ctx.at).isoformat(), ctx.at.isoformat())
        after = dataclasses.replace(one, paused_at=None, pauses=(*one.pauses, span))
        await _retime(ctx, one, after, f"resume-{one.stage}")


def extended(ctx: Context, one: Deadline, minutes: int) -> Deadline:
    """A clock with so many more minutes of its own kind, up to its cap. Writes nothing."""
    after = dataclasses.replace(one, extended=one.extended + minutes)
    timed = timing(ctx, after)
    return _timed(after, timed) if timed is not None else one


async def extend(ctx: Context, one: Deadline, minutes: int) -> Deadline:
    """Give a stage more time. Rungs that were said stay said."""
    after = extended(ctx, one, minutes)
    return await _write(ctx, one, after, f"extend-{one.stage}")


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
        agreed = one.agreed_at
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
