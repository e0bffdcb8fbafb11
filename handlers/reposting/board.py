"""实时看板 and 看名单: how a broadcast stands, by the task rows."""

from typing import Any

from handlers import matters
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.drafting import LiveBoard
from handlers.replies.shared import Listing
from handlers.reposting import pace, planning
from handlers.reposting import tasks as tasking
from handlers.router import Args, action
from matrix.core.campaign import (
    Campaign,
    CampaignState,
    RepostTask,
    TaskState,
)
from matrix.core.directory import Tier
from matrix.core.errors import NotFound
from matrix.core.roles import Role

LACKING = (TaskState.CREATED, TaskState.DELIVERED, TaskState.SEEN, TaskState.FAILED)


async def lacking(ctx: Context, campaign: Campaign) -> list[RepostTask]:
    """Tasks that are not settled, by serial."""
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
            "campaign.remind", "campaign.list", "campaign.towns", "campaign.hold",
            "campaign.close", "campaign.abort",
        ),
        CampaignState.HELD: (
            "campaign.resume", "campaign.list", "campaign.towns", "campaign.close",
            "campaign.abort",
        ),
        CampaignState.CLOSED_WITH_GAPS: ("campaign.list", "campaign.towns"),
    }  # fmt: skip
    return [choose(name, campaign.id, keep=True) for name in names.get(campaign.state, ())]


async def board(ctx: Context, campaign: Campaign) -> LiveBoard:
    """Counts derived from the task rows."""
    case = await matters.of(ctx, campaign.case)
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
        release_at=campaign.release_at if campaign.state is CampaignState.ARMED else None,
        pace=pace.shown(campaign, tasks),
        **_groups(ctx, tasks),
    )


def _groups(ctx: Context, tasks: list[RepostTask]) -> dict[str, str]:
    """WeChat groups of both kinds together: by a platform's task, and by their owners' hands."""
    done = {TaskState.POSTED, TaskState.VERIFIED}
    known = ctx.directory.accounts
    groups = [t for t in tasks if t.account in known and known[t.account].group_size]
    if not groups:
        return {}
    reached = [task for task in groups if task.state in done]
    owned = [t for t in groups if not t.operator and t.state is TaskState.DELIVERED]
    return {
        "groups": f"{len(reached)}/{len(groups)}",
        "people": str(sum(known[task.account].group_size for task in reached)),
        "owners": str(len(owned)) if owned else "",
    }


@action("campaign.list", Role.PUBLISHER, Role.DESK)
async def gaps(ctx: Context, subject: str, args: Args) -> None:
    """看名单: who lacks, ten a page, with what the publisher may do."""
    campaign = await ctx.work.campaigns.get(subject)
    page = int(args.get("page") or 0)
    missing = await lacking(ctx, campaign)
    shown = missing[page * 10 : page * 10 + 10]
    buttons = []
    for task in shown:
        name = ctx.directory.accounts[task.account].name
        buttons.append(choose("task.open", task.id, text=f"{task.serial} {name}", keep=True))
    if len(missing) > page * 10 + 10:
        buttons.append(
            choose("campaign.list", campaign.id, label="next_page", keep=True, page=str(page + 1))
        )
    lines = tuple([await tasking.line(ctx, task) for task in shown])
    await ctx.reply(
        Listing(what="gaps", total=len(missing), lines=lines, empty="" if lines else "yes"),
        *buttons,
    )
