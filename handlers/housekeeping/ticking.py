"""What the clock does. Every sweep is idempotent: a restart fires what fell due once, in order."""

import dataclasses
from datetime import timedelta

from handlers import clocks
from handlers.cards.bulletins import shown
from handlers.context import Context
from handlers.feedback import closing, telling
from handlers.housekeeping import breaches, expiring, ladder, nudging, watching
from handlers.housekeeping.pages import every
from handlers.intake import flooding
from handlers.publishing.issuing import touch
from handlers.replies import choose
from handlers.replies.shared import Done
from handlers.reposting import campaigns, planning, reminding
from handlers.services import Services
from matrix.core.bulletin import BULLETIN, BulletinState
from matrix.core.campaign import Campaign, CampaignState, TaskState
from matrix.core.case import CASE, CaseState
from matrix.core.lead import LEAD, LeadState
from matrix.core.roles import CLOCK, Role
from matrix.ports import Work


def clock_context(services: Services, work: Work) -> Context:
    """A context in which the clock acts."""
    return Context(services=services, work=work, at=services.clock.now(), clock=True)


async def tick(ctx: Context) -> bool:
    """One sweep of everything that falls due, in the order of due times.

    Whether it came to its end: if not, commit and call it again.
    """
    if not await ladder.fire_deadlines(ctx):
        return False
    await flooding.report(ctx)
    await nudging.say(ctx)
    await lapse_leads(ctx)
    await expire_bulletins(ctx)
    await review_monitored(ctx)
    await release_campaigns(ctx)
    await end_campaigns(ctx)
    await remind_operators(ctx)
    await telling.send_due(ctx)
    await breaches.report(ctx)
    await watching.look(ctx)
    async for case in every(ctx.work.cases, state=CaseState.CHECKING):
        await closing.close_if_done(ctx, case.id)
    return True


async def lapse_leads(ctx: Context) -> None:
    """A lead whose reporter added nothing for thirty days lapses."""
    limit = ctx.at - timedelta(days=ctx.policy.lapse_days)
    async for lead in every(ctx.work.leads, state=LeadState.NEEDS_INFO, last_part_at__lt=limit):
        await ctx.move(LEAD, ctx.work.leads, lead, "lapse", by=CLOCK)


async def expire_bulletins(ctx: Context) -> None:
    """Bulletins past their expiry leave matching; a reviewer may prolong them."""
    async for bulletin in every(
        ctx.work.bulletins, state=BulletinState.CURRENT, expires_at__lte=ctx.at
    ):
        expired = await ctx.move(
            BULLETIN, ctx.work.bulletins, await touch(ctx, bulletin), "expire", by=CLOCK
        )
        await ctx.tell_role(
            Role.REVIEWER_2, await shown(ctx, expired), choose("bulletin.prolong", expired.id),
            subject=f"bulletin:{expired.id}",
        )  # fmt: skip


async def review_monitored(ctx: Context) -> None:
    """A monitored case whose review date has come is verified again."""
    async for case in every(ctx.work.cases, state=CaseState.MONITOR_ONLY, review_at__lte=ctx.at):
        resumed = await ctx.move(
            CASE, ctx.work.cases, case, "resume", by=CLOCK,
            verdict=None, review_at=None, stage_since=ctx.at,
        )  # fmt: skip
        await clocks.verify_again(ctx, resumed)
        if resumed.owner:
            await ctx.tell_role(
                Role.HANDLER, Done(what="monitor_over", subject=resumed.number),
                choose("case.open", resumed.id, keep=True), unit=resumed.owner,
            )  # fmt: skip
        await expiring.alarm(ctx, "monitor_review", resumed, "")


async def to_release(ctx: Context) -> list[Campaign]:
    """Armed campaigns whose T has come, in order."""
    return await ctx.work.campaigns.find(
        state=CampaignState.ARMED, release_at__lte=ctx.at, order="release_at"
    )


async def release_campaigns(ctx: Context) -> None:
    """Armed campaigns start at T."""
    for campaign in await to_release(ctx):
        await campaigns.start(ctx, campaign)


_LATE = timedelta(days=2)
"""So long after it was closed with gaps a broadcast is looked at whether they were filled."""


async def end_campaigns(ctx: Context) -> None:
    """Two processes that settle the last tasks at the same moment do not see each other's."""
    running = {"state__in": (CampaignState.RUNNING, CampaignState.HELD)}
    gaps = {"state": CampaignState.CLOSED_WITH_GAPS, "ended_at__gte": ctx.at - _LATE}
    for criteria in (running, gaps):
        async for campaign in every(ctx.work.campaigns, **criteria):
            await planning.advance(ctx, campaign.id)


async def remind_operators(ctx: Context) -> None:
    """Whoever lacks is reminded once at half time and once when it is due, and only they."""
    for campaign in await ctx.work.campaigns.find(state=CampaignState.RUNNING):
        begun = campaign.started_at or ctx.at
        open_ = await ctx.work.tasks.find(
            campaign=campaign.id, state__in=(TaskState.DELIVERED, TaskState.SEEN)
        )
        due = [
            task
            for task in open_
            if begun + (task.due_at - begun) / 2 <= ctx.at and task.reminders < 1
        ] + [task for task in open_ if task.due_at <= ctx.at and task.reminders < 2]  # noqa: PLR2004
        fresh = {task.id: task for task in due}
        if not fresh:
            continue
        await reminding.urge(ctx, campaign, list(fresh.values()))
        overdue = [task for task in fresh.values() if task.due_at <= ctx.at]
        await reminding.call_towns(ctx, campaign, overdue)
        for task in fresh.values():
            count = 2 if task.due_at <= ctx.at else 1
            await ctx.work.tasks.save(dataclasses.replace(task, reminders=count))
