"""复燃: a closed rumor that comes back is noticed while it is watched for, once per wave."""

from datetime import timedelta

from handlers import clocks
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import Done, Settled
from handlers.replies.triage import Alarm
from handlers.router import Args, action
from matrix.core.case import CaseState
from matrix.core.deadline import Stage
from matrix.core.roles import Role


async def noticed(ctx: Context, case_id: str) -> None:
    """A lead was answered with a case's rebuttal, or joined it: is it a wave again?

    Reports and areas are counted within the minutes of the clock table, from the closing on. The
    alarm ends the watch, so that one wave alarms once.
    """
    watch = await ctx.work.deadlines.find(
        subject=f"case:{case_id}", stage=Stage.WATCH, closed_at=None, limit=1
    )
    if not watch:
        return
    case = await ctx.work.cases.get(case_id)
    wave = ctx.policy.clocks.returned
    since = max(watch[0].starts_at, ctx.at - timedelta(minutes=wave.minutes))
    leads = await ctx.work.leads.find(case=case.id, received_at__gte=since)
    if case.bulletin:
        leads += await ctx.work.leads.find(bulletin=case.bulletin, received_at__gte=since)
    reports = {lead.id for lead in leads}
    areas = {lead.heard_area for lead in leads if lead.heard_area}
    if len(reports) < wave.reports or len(areas) < wave.areas:
        return
    await clocks.stop(ctx, f"case:{case.id}", Stage.WATCH)
    await ctx.note("case", case.id, "returned", case.id, reports=len(reports), areas=len(areas))
    alarm = Alarm(what="returned", number=case.number, detail=str(len(reports)))
    await ctx.tell_role(
        Role.DESK, alarm, choose("case.reopen", case.id), choose("case.watch", case.id),
        choose("case.open", case.id, keep=True), subject=f"returned:{case.id}",
    )  # fmt: skip
    if case.owner:
        await ctx.tell_role(
            Role.HANDLER, alarm, choose("case.open", case.id, keep=True), unit=case.owner
        )


@action("case.watch", Role.DESK)
async def watch_on(ctx: Context, subject: str, args: Args) -> None:
    """不处理: what was published suffices; the watch begins anew and the next wave alarms again."""
    del args
    case = await ctx.work.cases.get(subject)
    ctx.require("still_closed", holds=case.state is CaseState.CLOSED)
    await clocks.watch(ctx, case)
    await ctx.note("case", case.id, "watch", case.id)
    await ctx.settle_cards(
        f"returned:{case.id}", Settled(what="watched", who=ctx.me.name, at=ctx.at)
    )
    await ctx.reply(Done(what="watched", subject=case.number))
