"""Reminders to one person come in bundles, at most one in ten minutes; red ones come at once."""

from datetime import timedelta

from handlers import matters
from handlers.context import Context
from handlers.housekeeping.ladder import muted
from handlers.replies import Choice, choose
from handlers.replies.triage import Digest, Reminder
from handlers.triage.families import inhibited
from matrix.core.case import Case, Grade
from matrix.core.deadline import Deadline, Nudge, Stage
from matrix.core.roles import Role
from matrix.triage.ladder import LADDER

MOST = 20
"""Lines of one message: more nobody reads on a telephone."""
MOST_BUTTONS = 3

Owed = tuple[Nudge, Deadline, Case | None]


async def say(ctx: Context) -> None:
    """What each person is to be reminded of, in one message, where the last is long enough ago."""
    waiting: dict[str, list[Owed]] = {}
    for nudge in await ctx.work.nudges.find(order="created_at"):
        deadline = await ctx.work.deadlines.get(nudge.deadline)
        case = await matters.maybe(ctx, deadline.case)
        if deadline.closed_at is not None or deadline.paused_at is not None:
            await ctx.work.nudges.remove(nudge.id)
        elif not muted(ctx, deadline, case) and not await inhibited(ctx, case):
            waiting.setdefault(nudge.person, []).append((nudge, deadline, case))
    for person, owed in waiting.items():
        red = [one for one in owed if one[2] is not None and one[2].grade is Grade.RED]
        if red:
            await _tell(ctx, person, red, subject="")
        rest = [one for one in owed if one not in red]
        if rest and not await _just_reminded(ctx, person):
            await _tell(ctx, person, rest, subject=f"remind:{person}")


async def _just_reminded(ctx: Context, person: str) -> bool:
    since = ctx.at - timedelta(minutes=ctx.policy.bundle_minutes)
    return bool(await ctx.work.deliveries.count(subject=f"remind:{person}", created_at__gt=since))


async def _tell(ctx: Context, person: str, owed: list[Owed], *, subject: str) -> None:
    owed.sort(key=lambda one: one[1].due_at)
    lines = [await _line(ctx, *one) for one in owed[:MOST]]
    more = len(owed) - len(lines)
    said = lines[0] if len(owed) == 1 else Digest(lines=tuple(lines), more=str(more or ""))
    await ctx.tell(person, said, *await _choices(ctx, person, owed), subject=subject)
    for nudge, _, _ in owed:
        await ctx.work.nudges.remove(nudge.id)


async def _line(ctx: Context, nudge: Nudge, one: Deadline, case: Case | None) -> Reminder:
    number, wording = "", ""
    if case is not None:
        number, wording = case.number, case.wording[:60]
    else:
        kind, _, entity_id = one.subject.partition(":")
        if kind == "appeal":
            appeal = await ctx.work.appeals.get(entity_id)
            number, wording = appeal.number, appeal.text[:60]
        lead = await ctx.work.leads.maybe(entity_id) if kind == "lead" else None
        if lead is not None:
            number, wording = lead.number, lead.text[:60]
    return Reminder(
        rung=f"rung_{min(nudge.rung, len(LADDER))}",
        stage=f"stage_{one.stage.value.replace('-', '_')}",
        number=number, wording=wording, due_at=one.due_at,
        post=ctx.post_line(nudge.person, (nudge.role,), nudge.unit),
    )  # fmt: skip


async def _choices(ctx: Context, person: str, owed: list[Owed]) -> list[Choice]:
    """Receipts to be checked: the list of each broadcast, for who may open it."""
    if person not in ctx.holders(Role.PUBLISHER, Role.DESK):
        return []
    found: dict[str, str] = {}
    for _, one, case in owed:
        if one.stage is Stage.CHECK and case is not None:
            task = await ctx.work.tasks.get(one.subject.partition(":")[2])
            found[task.campaign] = case.number
    return [
        choose("campaign.list", campaign, text=number, keep=True)
        for campaign, number in list(found.items())[:MOST_BUTTONS]
    ]
