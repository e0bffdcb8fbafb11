"""Whoever lacks is reminded, and only they: by the publisher, a town, or the clock."""

from handlers import matters
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import RepostUrge, TaskLine
from handlers.replies.reposting import TownCall, TownLine
from handlers.replies.shared import Done, Listing
from handlers.reposting import levels, owned
from handlers.reposting import tasks as tasking
from handlers.reposting.board import LACKING
from handlers.reposting.levels import Standing
from handlers.router import Args, action
from matrix.core.campaign import Campaign, CampaignState, RepostTask
from matrix.core.roles import Role


def _answers_for_some(ctx: Context) -> bool:
    """The publisher for all accounts, a town's people for its ground."""
    return ctx.has(Role.PUBLISHER) or bool(levels.own(ctx).units)


_TOWNS = (Role.COORDINATOR, Role.OPERATOR)


@action("campaign.remind", Role.PUBLISHER, *_TOWNS, when=_answers_for_some)
async def remind(ctx: Context, subject: str, args: Args) -> None:
    """催未完成的: whoever lacks, and only they, at most once in ten minutes.

    The publisher reminds everybody, a town its own ground.
    """
    del args
    campaign = await ctx.work.campaigns.get(subject)
    open_ = await ctx.work.tasks.find(campaign=campaign.id, state__in=LACKING)
    if not ctx.has(Role.PUBLISHER):
        mine = levels.own(ctx)
        open_ = [task for task in open_ if mine.holds(ctx.directory.accounts[task.account])]
    reminded = await urge(ctx, campaign, open_)
    await ctx.reply(Done(what="reminded", detail=str(reminded)))


async def urge(ctx: Context, campaign: Campaign, open_: list[RepostTask]) -> int:
    """One reminder per operator who lacks something; returns how many were reminded."""
    case = await matters.of(ctx, campaign.case)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    slot = int(ctx.at.timestamp() // (60 * ctx.policy.bundle_minutes))
    by_operator: dict[str, list[RepostTask]] = {}
    for task in open_:
        if task.snoozed_until is None or task.snoozed_until <= ctx.at:
            by_operator.setdefault(task.operator, []).append(task)
    reminded = await owned.remind(ctx, campaign, open_)
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


@action("town.state", *_TOWNS, when=lambda ctx: bool(levels.own(ctx).units))
async def town(ctx: Context, subject: str, args: Args) -> None:
    """镇街进度: how the own ground stands in the running broadcasts; own account first."""
    del subject, args
    mine = levels.own(ctx)
    lines: list[TaskLine] = []
    buttons = []
    for campaign in await ctx.work.campaigns.find(state=CampaignState.RUNNING, order="-created_at"):
        tasks = await ctx.work.tasks.find(campaign=campaign.id, order="serial")
        here = [task for task in tasks if mine.holds(ctx.directory.accounts[task.account])]
        lines += [await tasking.line(ctx, task) for task in here]
        case = await matters.of(ctx, campaign.case)
        if any(task.state in LACKING for task in here):
            buttons.append(
                choose("campaign.remind", campaign.id, "campaign_remind", case.number, keep=True)
            )
    await ctx.reply(
        Listing(
            what="town", total=len(lines), lines=tuple(lines[:20]), empty="" if lines else "yes"
        ),
        *buttons,
    )


@action("campaign.towns", Role.PUBLISHER, Role.DESK, Role.LEADER)
async def by_town(ctx: Context, subject: str, args: Args) -> None:
    """看镇街: each town with its own accounts and its communities, and whom to call on."""
    del args
    campaign = await ctx.work.campaigns.get(subject)
    tasks = await ctx.work.tasks.find(campaign=campaign.id, order="serial")
    found = levels.standings(ctx, tasks)
    lines = tuple(
        TownLine(
            town=one.town.short_name, done=levels.done(one.tasks), own=levels.done(one.own),
            below=levels.done(one.below),
        )
        for one in found
    )  # fmt: skip
    running = campaign.state is CampaignState.RUNNING and ctx.has(Role.PUBLISHER)
    await ctx.reply(
        Listing(what="towns", total=len(lines), lines=lines, empty="" if lines else "yes"),
        *[
            choose(
                "campaign.call_town", campaign.id, "campaign_call_town", one.town.short_name,
                keep=True, town=one.town.id,
            )
            for one in found
            if running and any(task.state in LACKING for task in one.tasks)
        ],
    )  # fmt: skip


@action("campaign.call_town", Role.PUBLISHER)
async def call(ctx: Context, subject: str, args: Args) -> None:
    """催镇街: the town hears what its ground lacks and reminds its own communities."""
    campaign = await ctx.work.campaigns.get(subject)
    tasks = await ctx.work.tasks.find(campaign=campaign.id, state__in=LACKING)
    slot = int(ctx.at.timestamp() // (60 * ctx.policy.bundle_minutes))
    told = 0
    for one in levels.standings(ctx, tasks):
        if one.town.id == args["town"]:
            told += await call_town(ctx, campaign, one, str(slot))
    await ctx.reply(Done(what="town_called", subject=ctx.directory.unit_name(args["town"]),
                         detail=str(told)))  # fmt: skip


async def call_town(ctx: Context, campaign: Campaign, lacking: Standing, once: str) -> int:
    """Tell who answers for a town what is open in its ground; returns how many were told."""
    case = await matters.of(ctx, campaign.case)
    told = 0
    for person, role in levels.leaders(ctx, lacking.town.id):
        dedup = f"town:{campaign.id}:{lacking.town.id}:{person}:{once}"
        if await ctx.work.deliveries.count(dedup=dedup):
            continue
        said = await ctx.tell(
            person,
            TownCall(
                number=case.number, town=lacking.town.short_name, count=len(lacking.tasks),
                names=tuple(ctx.directory.accounts[t.account].name for t in lacking.tasks[:5]),
                due_at=min(task.due_at for task in lacking.tasks),
            ),
            choose("campaign.remind", campaign.id, "campaign_remind", case.number, keep=True),
            choose("town.state", keep=True),
            dedup=dedup, roles=(role,),
        )  # fmt: skip
        told += said is not None
    return told


async def call_towns(ctx: Context, campaign: Campaign, overdue: list[RepostTask]) -> None:
    """The clock: what a town's communities have not posted in time, the town hears once."""
    for one in levels.standings(ctx, overdue):
        if one.below:
            await call_town(ctx, campaign, one, "due")
