"""The plan of a broadcast: which accounts, fixed before anything starts; and its end."""

from typing import Any

from handlers import clocks, matters
from handlers.cards.publishing import is_direct
from handlers.context import Context
from handlers.feedback import closing
from handlers.replies.drafting import PlanCard
from handlers.replies.shared import Settled
from handlers.reposting import jobs, owned, pace
from matrix.core.bulletin import Bulletin, Kind
from matrix.core.campaign import (
    CAMPAIGN,
    REACHED,
    SETTLED,
    TASK,
    Campaign,
    CampaignState,
    RepostTask,
    TaskState,
)
from matrix.core.case import CASE, Case, CaseState
from matrix.core.deadline import Stage
from matrix.core.directory import Tier
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE


async def plan(
    ctx: Context, case: Case, bulletin: Bulletin, old: Bulletin | None
) -> Campaign | None:
    """Plan a broadcast of a bulletin.

    A first publication goes to every account in force (allies with recorded consent). A
    correction or withdrawal goes to everyone whom the original reached, by the ledger, also
    to accounts paused or ended since (domain §3, broadcast lessons §13).
    """
    if bulletin.kind is Kind.HOLDING:
        return None
    if old is not None:
        accounts = tuple(sorted(await reached(ctx, old)))
    else:
        accounts = tuple(
            account.id
            for account in ctx.directory.accounts.values()
            if not account.ended and (account.tier is not Tier.ALLY or account.consent_on)
        )
    if not accounts:
        return None
    campaign = Campaign(
        id=ctx.services.ids.new(), case=case.id, bulletin=bulletin.id, accounts=accounts,
        corrects=old.id if old else "", created_at=ctx.at,
    )  # fmt: skip
    await ctx.work.campaigns.add(campaign)
    await ctx.log(
        Step(
            entity=CAMPAIGN.name, entity_id=campaign.id, action="plan", source="",
            target=campaign.state.value, actor=MACHINE,
        ),
        campaign,
        accounts=len(accounts),
    )  # fmt: skip
    return campaign


async def reached(ctx: Context, bulletin: Bulletin) -> set[str]:
    """Accounts that may show a bulletin: posted, verified, or nobody knows, exempt since or not."""
    found: set[str] = set()
    exempt: dict[str, str] = {}
    for campaign in await ctx.work.campaigns.find(bulletin=bulletin.id):
        tasks = await ctx.work.tasks.find(campaign=campaign.id)
        found |= {task.account for task in tasks if task.state in REACHED or task.url}
        exempt |= {task.id: task.account for task in tasks if task.state is TaskState.EXEMPT}
    if exempt:
        unknown = await ctx.work.events(
            entity=TASK.name, entity_id__in=list(exempt), action="exempt", source=TaskState.UNKNOWN
        )
        found |= {exempt[one.entity_id] for one in unknown}
    return found


async def card(ctx: Context, campaign: Campaign) -> PlanCard:
    """Counts by tier, before anything starts."""
    case = await matters.of(ctx, campaign.case)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    live = [
        ctx.directory.accounts[code]
        for code in campaign.accounts
        if code in ctx.directory.accounts and code not in campaign.exempt
    ]
    tiers = [account.tier for account in live]
    return PlanCard(
        number=case.number,
        title=bulletin.title,
        main=tiers.count(Tier.MAIN),
        second=tiers.count(Tier.SECOND),
        ally=tiers.count(Tier.ALLY),
        exempt=len(campaign.exempt),
        direct=sum(is_direct(ctx, account) for account in live),
        corrects="yes" if campaign.corrects else "",
    )


def is_settled(task: RepostTask) -> bool:
    """Verified, exempt, void, or declined by an ally, who needs no exemption."""
    declined = task.state is TaskState.DECLINED and task.tier == Tier.ALLY
    return task.state in SETTLED or declined


async def advance(ctx: Context, campaign_id: str) -> None:
    """After a task moved: converged when every task is settled; the case follows."""
    campaign = await ctx.work.campaigns.get(campaign_id)
    if not CAMPAIGN.has(campaign.state, "converge"):
        return
    of: dict[str, Any] = {"campaign": campaign.id}
    open_ = await ctx.work.tasks.count(state__notin=SETTLED, **of)
    if open_ > await ctx.work.tasks.count(state=TaskState.DECLINED, tier=Tier.ALLY, **of):
        return
    if not await ctx.work.tasks.count(**of):
        return
    campaign = await ctx.move(
        CAMPAIGN, ctx.work.campaigns, campaign, "converge", by=MACHINE,
        facts={"settled": True}, ended_at=ctx.at,
    )  # fmt: skip
    await case_follows(ctx, campaign)


async def case_follows(ctx: Context, campaign: Campaign) -> None:
    """The case goes to checking when its broadcast has ended, and closes when all is done."""
    await pace.keep(ctx, campaign)
    case = await matters.of(ctx, campaign.case)
    if case.state is CaseState.REPOSTING or (
        case.state is CaseState.PUBLISHED and campaign.state is CampaignState.ABORTED
    ):
        case = await ctx.move(CASE, ctx.work.cases, case, "check", by=MACHINE, stage_since=ctx.at)
    await closing.close_if_done(ctx, case.id)


async def stop(ctx: Context, campaign: Campaign, reason: str) -> Campaign:
    """Abort: what is not out becomes void, pending deliveries are cancelled."""
    if not CAMPAIGN.has(campaign.state, "abort"):
        await void_open(ctx, campaign)
        return campaign
    by = MACHINE if reason == "bulletin-gone" else None
    campaign = await ctx.move(
        CAMPAIGN, ctx.work.campaigns, campaign, "abort", by=by, reason=reason, ended_at=ctx.at
    )
    await void_open(ctx, campaign)
    await jobs.cancel(ctx, f"campaign:{campaign.id}", "void")
    return campaign


async def void_open(ctx: Context, campaign: Campaign) -> None:
    """Tasks that are not posted become void; their cards say so."""
    await owned.take_back(ctx, campaign)
    tasks = await ctx.work.tasks.find(campaign=campaign.id)
    for task in tasks:
        if task.state is TaskState.POSTED:
            # Out already, and nobody counts it any more.
            await clocks.stop(ctx, f"task:{task.id}", Stage.CHECK)
    going = [task for task in tasks if TASK.has(task.state, "void")]
    await ctx.move_all(TASK, ctx.work.tasks, going, "void", MACHINE)
    for operator in {task.operator for task in going}:
        await ctx.settle_cards(f"cards:{campaign.id}:{operator}", Settled(what="void", at=ctx.at))
