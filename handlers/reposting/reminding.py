"""Whoever lacks is reminded, and only they: by the publisher, a town, or the clock."""

from handlers import matters
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import RepostUrge
from handlers.replies.shared import Done, Listing
from handlers.reposting import owned
from handlers.reposting import tasks as tasking
from handlers.reposting.board import LACKING
from handlers.router import Args, action
from matrix.core.campaign import (
    Campaign,
    CampaignState,
    RepostTask,
)
from matrix.core.roles import Role


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
        case = await matters.of(ctx, campaign.case)
        buttons.append(
            choose("campaign.remind", campaign.id, "campaign_remind", case.number, keep=True)
        )
    await ctx.reply(
        Listing(
            what="town", total=len(lines), lines=tuple(lines[:20]), empty="" if lines else "yes"
        ),
        *(buttons if lines else []),
    )
