"""The publisher's hand on a broadcast: now or at T, hold, resume, abort, close, remind."""

import re
from datetime import datetime, timedelta
from typing import Any

from handlers.context import Context
from handlers.housekeeping import chunks, feedback
from handlers.replies import Choice, choose
from handlers.replies.drafting import LiveBoard, RepostUrge
from handlers.replies.shared import AskText, Confirm, Done, Listing, Settled
from handlers.reposting import planning
from handlers.reposting import tasks as tasking
from handlers.router import Args, action, answer
from matrix.core.campaign import (
    CAMPAIGN,
    Campaign,
    CampaignState,
    RepostTask,
    TaskState,
)
from matrix.core.case import CASE
from matrix.core.conversation import Dialog, Inbound
from matrix.core.directory import Tier
from matrix.core.errors import NotFound, Refusal
from matrix.core.roles import Role
from matrix.triage.deadline import LOCAL

_AT = re.compile(r"(?:(今天|明天)\s*)?([01]?[0-9]|2[0-3])[:：点]([0-5][0-9])?分?")
LACKING = (TaskState.CREATED, TaskState.DELIVERED, TaskState.SEEN, TaskState.FAILED)


@action("campaign.start", Role.PUBLISHER)
async def start_now(ctx: Context, subject: str, args: Args) -> None:
    """现在开始: shown once with counts, then at once."""
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "arm" if campaign.state == "planned" else "start")
    if "sure" not in args:
        case = await ctx.work.cases.get(campaign.case)
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
    case = await ctx.work.cases.get(campaign.case)
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
    case = await ctx.work.cases.get(campaign.case)
    await ctx.ask("campaign.arm", AskText(what="release_at", subject=case.number), id=campaign.id)


def parse_time(text: str, now: datetime) -> datetime:
    """Read 16:30 or 明天 8:00 as Beijing time. Raises Refusal."""
    found = _AT.search(text)
    if found is None:
        raise Refusal("no_time")
    day, hour, minute = found.groups()
    local = now.astimezone(LOCAL).replace(
        hour=int(hour), minute=int(minute or 0), second=0, microsecond=0
    )
    if day == "明天":
        local += timedelta(days=1)
    if local <= now:
        raise Refusal("time_past")
    return local.astimezone(now.tzinfo)


@answer("campaign.arm")
async def arm_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Armed: starts at T for everyone."""
    campaign = await ctx.work.campaigns.get(str(dialog.data["id"]))
    release_at = parse_time(message.text, ctx.at)
    campaign = await ctx.move(CAMPAIGN, ctx.work.campaigns, campaign, "arm", release_at=release_at)
    case = await ctx.work.cases.get(campaign.case)
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
    case = await ctx.work.cases.get(campaign.case)
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
    await chunks.resume(ctx, f"campaign:{campaign.id}")


@action("campaign.none", Role.PUBLISHER)
async def none(ctx: Context, subject: str, args: Args) -> None:
    """不同步: published only; the case goes to checking."""
    del args
    campaign = await ctx.work.campaigns.get(subject)
    case = await ctx.work.cases.get(campaign.case)
    case = await ctx.move(CASE, ctx.work.cases, case, "check", stage_since=ctx.at)
    await planning.stop(ctx, campaign, "none")
    await ctx.settle_cards(
        f"campaign:{campaign.id}", Settled(what="no_campaign", who=ctx.me.name, at=ctx.at)
    )
    await feedback.close_if_done(ctx, case.id)
    await ctx.reply(Done(what="no_campaign", subject=case.number))


@action("campaign.abort", Role.PUBLISHER)
async def abort(ctx: Context, subject: str, args: Args) -> None:
    """中止: asks once, with counts."""
    campaign = await ctx.work.campaigns.get(subject)
    CAMPAIGN.rule(campaign.state, "abort")
    case = await ctx.work.cases.get(campaign.case)
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
    case = await ctx.work.cases.get(campaign.case)
    gaps = await _lacking(ctx, campaign)
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


async def _lacking(ctx: Context, campaign: Campaign) -> list[RepostTask]:
    tasks = await ctx.work.tasks.find(campaign=campaign.id, order="serial")
    return [task for task in tasks if not planning.is_settled(task)]


@action("campaign.live", Role.PUBLISHER, Role.DESK, Role.LEADER)
async def live(ctx: Context, subject: str, args: Args) -> None:
    """实时看板: the newest campaign, or the named one."""
    del args
    campaign = await ctx.work.campaigns.maybe(subject)
    if campaign is None:
        criteria: dict[str, Any] = {"bulletin": subject} if subject else {}
        newest = await ctx.work.campaigns.find(order="-created_at", limit=1, **criteria)
        if not newest:
            raise NotFound("campaign")
        campaign = newest[0]
    buttons = board_choices(campaign) if ctx.has(Role.PUBLISHER) else []
    await ctx.reply(await board(ctx, campaign), *buttons, subject=f"campaign:{campaign.id}")


def board_choices(campaign: Campaign) -> list[Choice]:
    """What the publisher may do to a campaign now."""
    names = {
        CampaignState.PLANNED: (
            "campaign.start", "campaign.arm", "campaign.targets", "campaign.abort",
        ),
        CampaignState.ARMED: (
            "campaign.start", "campaign.disarm", "campaign.targets", "campaign.abort",
        ),
        CampaignState.RUNNING: (
            "campaign.remind", "campaign.list", "campaign.hold", "campaign.close", "campaign.abort",
        ),
        CampaignState.HELD: (
            "campaign.resume", "campaign.list", "campaign.close", "campaign.abort",
        ),
        CampaignState.CLOSED_WITH_GAPS: ("campaign.list",),
    }  # fmt: skip
    return [choose(name, campaign.id, keep=True) for name in names.get(campaign.state, ())]


async def board(ctx: Context, campaign: Campaign) -> LiveBoard:
    """Counts derived from the task rows."""
    case = await ctx.work.cases.get(campaign.case)
    tasks = await ctx.work.tasks.find(campaign=campaign.id)
    done = {TaskState.POSTED, TaskState.VERIFIED}

    def tier(name: Tier) -> str:
        mine = [task for task in tasks if task.tier == name]
        return f"{sum(task.state in done for task in mine)}/{len(mine)}"

    count = {state: sum(task.state is state for task in tasks) for state in TaskState}
    finished = count[TaskState.POSTED] + count[TaskState.VERIFIED]
    total = len(tasks) or len(campaign.accounts)
    begun = campaign.started_at or ctx.at
    return LiveBoard(
        number=case.number,
        state=f"campaign_{campaign.state.value.replace('-', '_')}",
        done=finished,
        total=total,
        percent=100 * finished // max(1, total),
        minutes=int(((campaign.ended_at or ctx.at) - begun).total_seconds() // 60),
        main=tier(Tier.MAIN),
        second=tier(Tier.SECOND),
        ally=tier(Tier.ALLY),
        to_check=count[TaskState.POSTED],
        unknown=count[TaskState.UNKNOWN] + count[TaskState.SENDING],
        declined=count[TaskState.DECLINED],
        failed=count[TaskState.FAILED],
    )


@action("campaign.list", Role.PUBLISHER, Role.DESK)
async def gaps(ctx: Context, subject: str, args: Args) -> None:
    """看名单: who lacks, ten a page, with what the publisher may do."""
    campaign = await ctx.work.campaigns.get(subject)
    page = int(args.get("page") or 0)
    lacking = await _lacking(ctx, campaign)
    shown = lacking[page * 10 : page * 10 + 10]
    buttons = []
    for task in shown:
        name = ctx.directory.accounts[task.account].name
        buttons.append(choose("task.open", task.id, text=f"{task.serial} {name}", keep=True))
    if len(lacking) > page * 10 + 10:
        buttons.append(
            choose("campaign.list", campaign.id, label="next_page", keep=True, page=str(page + 1))
        )
    lines = tuple([await tasking.line(ctx, task) for task in shown])
    await ctx.reply(
        Listing(what="gaps", total=len(lacking), lines=lines, empty="" if lines else "yes"),
        *buttons,
    )


@action("campaign.remind", Role.PUBLISHER, Role.COORDINATOR)
async def remind(ctx: Context, subject: str, args: Args) -> None:
    """催未完成的: whoever lacks, and only they, at most once in ten minutes."""
    del args
    campaign = await ctx.work.campaigns.get(subject)
    open_ = await ctx.work.tasks.find(campaign=campaign.id, state__in=LACKING)
    mine = [task for task in open_ if _may_remind(ctx, task)]
    reminded = await urge(ctx, campaign, mine)
    await ctx.reply(Done(what="reminded", detail=str(reminded)))


def _may_remind(ctx: Context, task: RepostTask) -> bool:
    if ctx.has(Role.PUBLISHER):
        return True
    account = ctx.directory.accounts[task.account]
    return account.unit in own_units(ctx)


def own_units(ctx: Context) -> set[str]:
    """A coordinator's own unit and everything below it."""
    own = {post.unit for post in ctx.posts if post.role is Role.COORDINATOR}
    grown = True
    while grown:
        below = {u.id for u in ctx.directory.units.values() if u.parent in own}
        grown = not below <= own
        own |= below
    return own


async def urge(ctx: Context, campaign: Campaign, open_: list[RepostTask]) -> int:
    """One reminder per operator who lacks something; returns how many were reminded."""
    case = await ctx.work.cases.get(campaign.case)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    slot = int(ctx.at.timestamp() // (60 * ctx.policy.bundle_minutes))
    by_operator: dict[str, list[RepostTask]] = {}
    for task in open_:
        if task.snoozed_until is None or task.snoozed_until <= ctx.at:
            by_operator.setdefault(task.operator, []).append(task)
    reminded = 0
    for operator, lacking in by_operator.items():
        dedup = f"urge:{campaign.id}:{operator}:{slot}"
        if not operator or await ctx.work.deliveries.count(dedup=dedup):
            continue
        told = await ctx.tell(
            operator,
            RepostUrge(
                number=case.number, title=bulletin.title, count=len(lacking),
                due_at=min(task.due_at for task in lacking),
            ),
            choose("task.mine", keep=True),
            dedup=dedup, roles=(Role.OPERATOR,),
        )  # fmt: skip
        reminded += told is not None
    return reminded


@action("town.state", Role.COORDINATOR)
async def town(ctx: Context, subject: str, args: Args) -> None:
    """镇街进度: the state of the own subtree in the running broadcasts."""
    del subject, args
    own = own_units(ctx)
    lines, buttons = [], []
    for campaign in await ctx.work.campaigns.find(state=CampaignState.RUNNING, order="-created_at"):
        tasks = await ctx.work.tasks.find(campaign=campaign.id, order="serial")
        mine = [task for task in tasks if ctx.directory.accounts[task.account].unit in own]
        lines += [await tasking.line(ctx, task) for task in mine]
        case = await ctx.work.cases.get(campaign.case)
        buttons.append(
            choose("campaign.remind", campaign.id, "campaign_remind", case.number, keep=True)
        )
    await ctx.reply(
        Listing(
            what="town", total=len(lines), lines=tuple(lines[:20]), empty="" if lines else "yes"
        ),
        *(buttons if lines else []),
    )
