"""The publisher's hand on a broadcast: now or at T, hold, resume, abort, close."""

from handlers import matters
from handlers.context import Context
from handlers.feedback import closing
from handlers.replies import choose
from handlers.replies.shared import AskText, Confirm, Done, Settled
from handlers.reposting import jobs, planning
from handlers.reposting import tasks as tasking
from handlers.reposting.board import LACKING, board_choices, lacking, live
from handlers.reposting.hours import parse_time
from handlers.router import Args, action, answer
from matrix.core.campaign import (
    CAMPAIGN,
    Campaign,
    CampaignState,
)
from matrix.core.case import CASE
from matrix.core.conversation import Dialog, Inbound
from matrix.core.roles import Role
from matrix.triage.calendar import LOCAL


@action("campaign.start", Role.PUBLISHER)
async def start_now(ctx: Context, subject: str, args: Args) -> None:
    """现在开始: shown once with counts, then at once."""
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "arm" if campaign.state == "planned" else "start")
    if "sure" not in args:
        case = await matters.of(ctx, campaign.case)
        await ctx.reply(
            Confirm(
                what="broadcast", subject=case.number,
                count=len(campaign.accounts) - len(campaign.exempt),
            ),
            choose("campaign.start", campaign.id, label="confirm", sure="yes"),
            choose("dialog.cancel"),
        )  # fmt: skip
        return
    if campaign.state is CampaignState.PLANNED:
        campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, "arm", release_at=ctx.at)
    await start(ctx, campaign)
    await live(ctx, campaign.id, {})


async def start(ctx: Context, campaign: Campaign) -> Campaign:
    """All tasks are made in one transaction; cards and direct posts go out from the ledger."""
    campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, "start", started_at=ctx.at)
    case = await matters.of(ctx, campaign.case)
    if CASE.has(case.state, "repost"):
        case = await ctx.move(CASE, ctx.work.cases, case, "repost", stage_since=ctx.at)
    await ctx.settle_cards(
        f"campaign:{campaign.id}",
        Settled(what="started", who=ctx.person.name if ctx.person else "", at=ctx.at),
    )
    await tasking.expand(ctx, campaign, case)
    await planning.advance(ctx, campaign.id)
    return campaign


@action("campaign.arm", Role.PUBLISHER)
async def arm(ctx: Context, subject: str, args: Args) -> None:
    """定时: at what time."""
    del args
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "arm")
    case = await matters.of(ctx, campaign.case)
    await ctx.ask("campaign.arm", AskText(what="release_at", subject=case.number), id=campaign.id)


@answer("campaign.arm")
async def arm_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Armed: starts at T for everyone."""
    campaign = await ctx.work.campaigns.get(str(dialog.data["id"]))
    release_at = parse_time(message.text, ctx.at)
    campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, "arm", release_at=release_at)
    case = await matters.of(ctx, campaign.case)
    await ctx.reply(
        Done(
            what="armed",
            subject=case.number,
            detail=release_at.astimezone(LOCAL).strftime("%m-%d %H:%M"),
        ),
        choose("campaign.start", campaign.id),
        choose("campaign.disarm", campaign.id),
        subject=f"campaign:{campaign.id}",
    )


async def _simple(ctx: Context, subject: str, verb: str, what: str) -> Campaign:
    campaign = await ctx.work.campaigns.get(subject)
    campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, verb)
    case = await matters.of(ctx, campaign.case)
    await ctx.reply(
        Done(what=what, subject=case.number),
        *board_choices(campaign),
        subject=f"campaign:{campaign.id}",
    )
    return campaign


@action("campaign.disarm", Role.PUBLISHER)
async def disarm(ctx: Context, subject: str, args: Args) -> None:
    """取消定时."""
    del args
    await _simple(ctx, subject, "disarm", "disarmed")


@action("campaign.hold", Role.PUBLISHER)
async def hold(ctx: Context, subject: str, args: Args) -> None:
    """暂停: nothing more goes out after the chunk in hand."""
    del args
    await _simple(ctx, subject, "hold", "held")


@action("campaign.resume", Role.PUBLISHER)
async def resume(ctx: Context, subject: str, args: Args) -> None:
    """继续."""
    del args
    campaign = await _simple(ctx, subject, "resume", "resumed_campaign")
    await jobs.resume(ctx, f"campaign:{campaign.id}")


@action("campaign.none", Role.PUBLISHER)
async def none(ctx: Context, subject: str, args: Args) -> None:
    """不同步: published only; the case goes to checking."""
    del args
    campaign = await ctx.work.campaigns.get(subject)
    case = await matters.of(ctx, campaign.case)
    case = await ctx.move(CASE, ctx.work.cases, case, "check", stage_since=ctx.at)
    await planning.stop(ctx, campaign, "none")
    await ctx.settle_cards(
        f"campaign:{campaign.id}", Settled(what="no_campaign", who=ctx.me.name, at=ctx.at)
    )
    await closing.close_if_done(ctx, case.id)
    await ctx.reply(Done(what="no_campaign", subject=case.number))


@action("campaign.abort", Role.PUBLISHER)
async def abort(ctx: Context, subject: str, args: Args) -> None:
    """中止: asks once, with counts."""
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "abort")
    case = await matters.of(ctx, campaign.case)
    if "sure" not in args:
        open_ = await ctx.work.tasks.count(campaign=campaign.id, state__in=LACKING)
        await ctx.reply(
            Confirm(what="abort", subject=case.number, count=open_ or len(campaign.accounts)),
            choose("campaign.abort", campaign.id, label="confirm", sure="yes"),
            choose("dialog.cancel"),
        )
        return
    campaign = await planning.stop(ctx, campaign, "publisher")
    await ctx.settle_cards(
        f"campaign:{campaign.id}", Settled(what="aborted", who=ctx.me.name, at=ctx.at)
    )
    await planning.case_follows(ctx, campaign)
    await ctx.reply(Done(what="aborted", subject=case.number))


@action("campaign.close", Role.PUBLISHER)
async def close(ctx: Context, subject: str, args: Args) -> None:
    """结束（有缺口）: the list of gaps stays with the campaign."""
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "close")
    case = await matters.of(ctx, campaign.case)
    gaps = await lacking(ctx, campaign)
    if "sure" not in args:
        await ctx.reply(
            Confirm(what="close", subject=case.number, count=len(gaps)),
            choose("campaign.close", campaign.id, label="confirm", sure="yes"),
            choose("dialog.cancel"),
        )
        return
    campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, "close", ended_at=ctx.at)
    await planning.case_follows(ctx, campaign)
    await ctx.reply(
        Done(what="closed_with_gaps", subject=case.number, detail=str(len(gaps))),
        choose("campaign.list", campaign.id, keep=True),
    )
