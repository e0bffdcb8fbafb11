"""The tasks of a broadcast: made, carded, posted directly; one card per bulletin and operator."""

from datetime import datetime, timedelta
from typing import Any

from handlers import calendars
from handlers.cards.publishing import channel_of, is_direct
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.drafting import TaskCard, TaskLine
from handlers.replies.triage import Alarm
from handlers.reposting import handing, jobs, levels, owned
from matrix.core import drill
from matrix.core.bulletin import Bulletin
from matrix.core.campaign import TASK, Campaign, RepostTask, TaskState
from matrix.core.case import Case
from matrix.core.delivery import Delivery, Lane
from matrix.core.directory import Account, Tier
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE, Role

LIVE = (
    TaskState.CREATED, TaskState.DELIVERED, TaskState.SEEN, TaskState.DECLINED,
    TaskState.FAILED, TaskState.UNKNOWN,
)  # fmt: skip
"""States in which a receipt is still taken."""


def due(ctx: Context, campaign: Campaign, case: Case, account: Account) -> datetime:
    """When an account must have posted, by the clock table."""
    return ctx.policy.clocks.repost_due(
        case.grade,
        account.platform,
        ctx.at,
        calendars.of_unit(ctx.directory, ctx.policy, account.unit),
        correction=bool(campaign.corrects),
    )


def operators(ctx: Context) -> dict[str, str]:
    """Account → who runs it today; accounts that nobody runs are absent."""
    found: dict[str, str] = {}
    for post in ctx.posts_held(Role.OPERATOR):
        for account in post.accounts:
            found.setdefault(account, post.person)
    return found


async def expand(ctx: Context, campaign: Campaign, case: Case) -> None:
    """Make every task of the plan, then the cards and the direct posts."""
    made = await _make(ctx, campaign, case)
    main = [task for task, account in made if account.tier is Tier.MAIN]
    rest = [one for one in made if one[1].tier is not Tier.MAIN]
    for task in main:
        await _main_done(ctx, campaign, task)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    # A drill asks no owner outside: what would go to them ends in the drill's channel.
    waits = [one for _, one in rest if owned.confirms(ctx, one) and not case.drill]
    await handing.hand_over(ctx, campaign, bulletin, waits)
    rest = [one for one in rest if one[1] not in waits]
    await _cards(ctx, campaign, case, [task for task, one in rest if not is_direct(ctx, one)])
    direct: dict[str, list[tuple[str, str, str]]] = {}
    for task, account in rest:
        if is_direct(ctx, account):
            one = (account.address, account.id, f"post:{task.id}")
            platform = drill.PLATFORM if case.drill else channel_of(ctx, account)
            direct.setdefault(platform, []).append(one)
    if direct:
        await _post_directly(ctx, campaign, bulletin, direct)


async def _cards(ctx: Context, campaign: Campaign, case: Case, tasks: list[RepostTask]) -> None:
    """One card for each operator."""
    cards: dict[str, list[RepostTask]] = {}
    for task in tasks:
        cards.setdefault(task.operator, []).append(task)
    for operator, mine in cards.items():
        await _card(ctx, campaign, case, operator, mine)


async def _predecessors(ctx: Context, campaign: Campaign) -> dict[str, str]:
    found: dict[str, str] = {}
    if campaign.corrects:
        for old in await ctx.work.campaigns.find(bulletin=campaign.corrects):
            for task in await ctx.work.tasks.find(campaign=old.id):
                found[task.account] = task.id
    return found


async def _make(ctx: Context, campaign: Campaign, case: Case) -> list[tuple[RepostTask, Account]]:
    """One task per account that is not exempt, all in one statement."""
    accounts = [
        ctx.directory.accounts.get(code) or await ctx.work.accounts.get(code)
        for code in campaign.accounts
        if code not in campaign.exempt
    ]
    before = await _predecessors(ctx, campaign)
    running = operators(ctx)
    first = await ctx.work.serial(f"task:{case.id}", len(accounts))
    made = [
        RepostTask(
            id=ctx.services.ids.new(), campaign=campaign.id, case=case.id, account=account.id,
            tier=account.tier, serial=serial,
            # What waits for a group's owner asks no operator as well.
            operator="" if owned.confirms(ctx, account) else running.get(account.id, ""),
            due_at=due(ctx, campaign, case, account), drill=case.drill,
            predecessor=before.get(account.id, ""),
        )
        for serial, account in enumerate(accounts, first)
    ]  # fmt: skip
    await ctx.work.tasks.add_all(made)
    await ctx.work.record(
        *(
            ctx.event(
                Step(
                    entity=TASK.name, entity_id=task.id, action="make", source="",
                    target=task.state.value, actor=MACHINE,
                ),
                task,
            )
            for task in made
        )
    )  # fmt: skip
    return list(zip(made, accounts, strict=True))


async def _main_done(ctx: Context, campaign: Campaign, task: RepostTask) -> None:
    """The main force has published already: its link gated everything else."""
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    person = ctx.person.id if ctx.person else ""
    actor = await ctx.actor({Role.PUBLISHER, Role.MACHINE}, task, "post")
    if actor.role is Role.MACHINE:
        task = await ctx.move(TASK, ctx.work.tasks, task, "send", by=MACHINE)
        task = await ctx.move(
            TASK, ctx.work.tasks, task, "sent", by=MACHINE, url=bulletin.url, posted_at=ctx.at
        )
    else:
        task = await ctx.move(
            TASK, ctx.work.tasks, task, "post", by=actor, url=bulletin.url, posted_at=ctx.at,
            operator=person,
        )  # fmt: skip
    await ctx.move(TASK, ctx.work.tasks, task, "verify", by=MACHINE)


async def _post_directly(
    ctx: Context,
    campaign: Campaign,
    bulletin: Bulletin,
    targets: dict[str, list[tuple[str, str, str]]],
) -> None:
    template = Delivery(
        id="", lane=Lane.BROADCAST, platform="", address="", subject=f"campaign:{campaign.id}",
        content={"plain": long_text(ctx, bulletin.body, bulletin.url, bulletin.issuer)},
        created_at=ctx.at, give_up_at=ctx.at + timedelta(days=1),
    )  # fmt: skip
    await jobs.post(ctx, template, targets)


def long_text(ctx: Context, body: str, url: str, issuer: str) -> str:
    """The whole text with its source."""
    return "\n\n".join(filter(None, [body, f"{ctx.directory.unit_name(issuer)}", url]))


async def _card(
    ctx: Context, campaign: Campaign, case: Case, operator: str, tasks: list[RepostTask]
) -> None:
    subject = f"cards:{campaign.id}:{operator}"
    shown = await card(ctx, campaign, case, tasks)
    told = None
    if operator:
        told = await ctx.tell(
            operator, shown, *card_choices(ctx, campaign, operator, in_drill=case.drill),
            subject=subject, purpose=subject, dedup=subject, roles=(Role.OPERATOR,),
        )  # fmt: skip
    if told is not None:
        return
    for task in tasks:
        await ctx.move(TASK, ctx.work.tasks, task, "fail", by=MACHINE, reason="unreachable")
    await ctx.tell_role(
        Role.PUBLISHER,
        Alarm(
            what="operator_unreachable", number=case.number,
            detail="、".join(ctx.directory.accounts[task.account].name for task in tasks)[:200],
        ),
        choose("campaign.list", campaign.id, keep=True),
    )  # fmt: skip


async def card(ctx: Context, campaign: Campaign, case: Case, tasks: list[RepostTask]) -> TaskCard:
    """What to post, where, by when."""
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    return TaskCard(
        number=case.number,
        title=bulletin.title,
        due_at=min(task.due_at for task in tasks),
        lines=tuple([await line(ctx, task) for task in tasks]),
        corrects="yes" if campaign.corrects else "",
        source=bulletin.url,
        ask="drill" if case.drill else "real",
    )


def card_choices(
    ctx: Context, campaign: Campaign, operator: str, *, in_drill: bool
) -> list[Choice]:
    """Copy, later, cannot; a town's operator also looks after its communities.

    The link or screenshot is simply sent. In a drill there is nothing to copy.
    """
    copies = [
        choose("task.copy", campaign.id, label="copy_short", size="short", keep=True),
        choose("task.copy", campaign.id, label="copy_long", size="long", keep=True),
    ]
    return [
        *([choose("task.drilled", campaign.id)] if in_drill else copies),
        choose("task.later", campaign.id, keep=True),
        choose("task.cannot", campaign.id, keep=True),
        *([choose("town.state", keep=True)] if levels.towns_of(ctx, operator) else []),
    ]


async def line(ctx: Context, task: RepostTask) -> TaskLine:
    """One task in a list."""
    account = ctx.directory.accounts.get(task.account) or await ctx.work.accounts.get(task.account)
    overdue = task.due_at < ctx.at and task.state in LIVE
    return TaskLine(
        number=f"转{task.serial}",
        account=account.name,
        state=f"task_{task.state.value}",
        operator=ctx.directory.person_name(task.operator) or account.owner,
        late="yes" if task.late or overdue else "",
        due_at=task.due_at,
        url=task.url,
    )


async def own_open(ctx: Context, campaign: str = "") -> list[RepostTask]:
    """This operator's tasks that still take a receipt, nearest due first."""
    criteria: dict[str, Any] = {"campaign": campaign} if campaign else {}
    return await ctx.work.tasks.find(operator=ctx.me.id, state__in=LIVE, order="due_at", **criteria)


async def see(ctx: Context, campaign: str) -> None:
    """The card was opened: its tasks are seen."""
    for task in await ctx.work.tasks.find(
        campaign=campaign, operator=ctx.me.id, state=TaskState.DELIVERED
    ):
        await ctx.move(TASK, ctx.work.tasks, task, "see")
