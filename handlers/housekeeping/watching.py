"""复燃: closed cases are watched, and who must look is told when what was said comes back.

A watch is a clock on the case; its ``rung`` is 1 while the alarm of this episode has been given.
An episode is over when nothing was reported for the whole window.
"""

from collections.abc import Iterable
from typing import Any

from handlers import clocks
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import Done, Settled
from handlers.replies.triage import Relapsed
from handlers.router import Args, action
from matrix.core.case import Case
from matrix.core.deadline import Deadline, Stage
from matrix.core.lead import Lead, LeadState
from matrix.core.roles import Role
from matrix.triage.relapse import Returned, alarming, count

COUNTED = (LeadState.QUEUED, LeadState.ANSWERED, LeadState.ATTACHED, LeadState.NEEDS_INFO)
"""Not what the desk has rejected or the reporter taken back; what was answered counts."""


async def look(ctx: Context) -> None:
    """Every watched case: alarm once per episode, and see when an episode is over."""
    for one in await ctx.work.deadlines.find(stage=Stage.WATCH, closed_at=None, due_at__gt=ctx.at):
        case = await ctx.work.cases.get(one.case)
        found = count([(lead.reporter, lead.heard_area) for lead in await _seen(ctx, case, one)])
        if one.rung == 0 and alarming(ctx.policy.clocks.relapse, found):
            await clocks.mark(ctx, one, 1)
            await ctx.note("case", case.id, "relapse", case.id, reports=found.reports)
            await _alarm(ctx, case, found)
        elif one.rung == 1 and not found.reports:
            await clocks.mark(ctx, one, 0)


async def _seen(ctx: Context, case: Case, one: Deadline) -> Iterable[Lead]:
    """Leads about the claims of the merged tree since it was closed, within the window."""
    since = max(one.starts_at, ctx.at - ctx.policy.clocks.relapse.within)
    tree = await _tree(ctx, case)
    ids = [member.id for member in tree]
    bulletins = [b.id for b in await ctx.work.bulletins.find(case__in=ids)]
    claims = [member.claim for member in tree]
    found: dict[str, Lead] = {}
    abouts: tuple[dict[str, Any], ...] = (
        {"claim__in": claims}, {"bulletin__in": bulletins}, {"case__in": ids},
    )  # fmt: skip
    for about in abouts:
        for lead in await ctx.work.leads.find(
            received_at__gt=since, state__in=COUNTED, **about
        ):  # fmt: skip
            found[lead.id] = lead
    return found.values()


async def _tree(ctx: Context, case: Case) -> list[Case]:
    members, below = [case], [case]
    while below:
        below = await ctx.work.cases.find(merged_into__in=[member.id for member in below])
        members += below
    return members


async def _alarm(ctx: Context, case: Case, found: Returned) -> None:
    shown = Relapsed(
        number=case.number, wording=case.wording[:200], reports=found.reports, areas=found.areas,
        minutes=int(ctx.policy.clocks.relapse.within.total_seconds() // 60),
    )  # fmt: skip
    subject = f"watch:{case.id}"
    await ctx.tell_role(
        Role.DESK, shown,
        choose("case.reopen", case.id, label="watch_reopen"),
        choose("watch.leave", case.id),
        choose("case.open", case.id, keep=True),
        subject=subject,
    )  # fmt: skip
    for role in (Role.HANDLER, Role.UNIT_HEAD) if case.owner else ():
        await ctx.tell_role(
            role, shown, choose("case.open", case.id, keep=True), unit=case.owner, subject=subject
        )


@action("watch.leave", Role.DESK)
async def leave(ctx: Context, subject: str, args: Args) -> None:
    """不处理: looked at, nothing to be done."""
    del args
    case = await ctx.work.cases.get(subject)
    await ctx.note("case", case.id, "relapse-left", case.id)
    await ctx.settle_cards(f"watch:{case.id}", Settled(what="left", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="relapse_left", subject=case.number))
