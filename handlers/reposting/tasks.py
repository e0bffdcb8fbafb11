"""Task cards: one per bulletin and operator, listing all of that person's accounts."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from handlers import clocks
from handlers.context import Context
from handlers.housekeeping import chunks
from handlers.publishing.cards import is_direct
from handlers.replies import Choice, choose
from handlers.replies.drafting import CopyText, TaskCard, TaskLine
from handlers.replies.shared import AskText, Done, Listing, Pick, Settled
from handlers.replies.triage import Alarm
from handlers.reposting import levels, planning
from handlers.router import Args, action, answer
from matrix.core.campaign import TASK, Campaign, RepostTask, TaskState
from matrix.core.case import Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.delivery import Delivery, Lane
from matrix.core.directory import Account, Tier
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE, Role
from matrix.triage.deadline import LOCAL

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
        ctx.policy.calendar,
        correction=bool(campaign.corrects),
    )


def operator_of(ctx: Context, account: str) -> str:
    """Who runs an account today; empty when nobody."""
    for post in ctx.directory.posts:
        if (
            post.role is Role.OPERATOR
            and account in post.accounts
            and post.person in ctx.holders(Role.OPERATOR)
        ):
            return post.person
    return ""


async def expand(ctx: Context, campaign: Campaign, case: Case) -> None:
    """Make every task of the plan, then the cards and the direct posts."""
    before = await _predecessors(ctx, campaign)
    made = []
    for code in campaign.accounts:
        account = ctx.directory.accounts.get(code) or await ctx.work.accounts.get(code)
        if code not in campaign.exempt:
            made.append(await _make(ctx, campaign, case, account, before.get(code, "")))
    cards: dict[str, list[RepostTask]] = {}
    direct: dict[str, list[tuple[str, str, str]]] = {}
    for task, account in made:
        if account.tier is Tier.MAIN:
            await _main_done(ctx, campaign, task)
        elif is_direct(ctx, account):
            one = (account.address, account.id, f"post:{task.id}")
            direct.setdefault(account.platform, []).append(one)
        else:
            cards.setdefault(task.operator, []).append(task)
    for operator, tasks in cards.items():
        await _card(ctx, campaign, case, operator, tasks)
    if direct:
        await _post_directly(ctx, campaign, direct)


async def _predecessors(ctx: Context, campaign: Campaign) -> dict[str, str]:
    found: dict[str, str] = {}
    if campaign.corrects:
        for old in await ctx.work.campaigns.find(bulletin=campaign.corrects):
            for task in await ctx.work.tasks.find(campaign=old.id):
                found[task.account] = task.id
    return found


async def _make(
    ctx: Context, campaign: Campaign, case: Case, account: Account, predecessor: str
) -> tuple[RepostTask, Account]:
    task = RepostTask(
        id=ctx.services.ids.new(), campaign=campaign.id, case=case.id, account=account.id,
        tier=account.tier, serial=await ctx.work.serial(f"task:{case.id}"),
        operator=operator_of(ctx, account.id), due_at=due(ctx, campaign, case, account),
        predecessor=predecessor,
    )  # fmt: skip
    await ctx.work.tasks.add(task)
    await ctx.log(
        Step(
            entity=TASK.name, entity_id=task.id, action="make", source="",
            target=task.state.value, actor=MACHINE,
        ),
        task,
    )  # fmt: skip
    return task, account


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
    ctx: Context, campaign: Campaign, targets: dict[str, list[tuple[str, str, str]]]
) -> None:
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    template = Delivery(
        id="", lane=Lane.BROADCAST, platform="", address="", subject=f"campaign:{campaign.id}",
        content={"plain": _long(ctx, bulletin.body, bulletin.url, bulletin.issuer)},
        created_at=ctx.at, give_up_at=ctx.at + timedelta(days=1),
    )  # fmt: skip
    await chunks.post(ctx, template, targets)


def _long(ctx: Context, body: str, url: str, issuer: str) -> str:
    return "\n\n".join(filter(None, [body, f"{ctx.directory.unit_name(issuer)}", url]))


async def _card(
    ctx: Context, campaign: Campaign, case: Case, operator: str, tasks: list[RepostTask]
) -> None:
    subject = f"cards:{campaign.id}:{operator}"
    shown = await card(ctx, campaign, case, tasks)
    told = None
    if operator:
        told = await ctx.tell(
            operator, shown, *card_choices(ctx, campaign, operator),
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
    )


def card_choices(ctx: Context, campaign: Campaign, operator: str) -> list[Choice]:
    """Copy, later, cannot; a town's operator also looks after its communities.

    The link or screenshot is simply sent.
    """
    return [
        choose("task.copy", campaign.id, label="copy_short", size="short", keep=True),
        choose("task.copy", campaign.id, label="copy_long", size="long", keep=True),
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
        operator=ctx.directory.person_name(task.operator),
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


@action("task.copy", Role.OPERATOR)
async def copy(ctx: Context, subject: str, args: Args) -> None:
    """复制短文 / 复制长文, each with its source line."""
    campaign = await ctx.work.campaigns.get(subject)
    ctx.require(
        "own_task", holds=bool(await ctx.work.tasks.count(campaign=campaign.id, operator=ctx.me.id))
    )
    await see(ctx, campaign.id)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    if args["size"] == "short":
        issuer = ctx.directory.unit_name(bulletin.issuer)
        text = f"{bulletin.title}\n{bulletin.short}\n{issuer} {bulletin.url}".strip()
    else:
        text = _long(ctx, bulletin.body, bulletin.url, bulletin.issuer)
    await ctx.reply(CopyText(text=text))


@action("task.mine", Role.OPERATOR)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """我的任务."""
    del subject, args
    found = await own_open(ctx)
    for campaign in {task.campaign for task in found}:
        await see(ctx, campaign)
    lines = tuple([await line(ctx, task) for task in found[:20]])
    buttons: list[Choice] = []
    for campaign_id in list(dict.fromkeys(task.campaign for task in found))[:2]:
        buttons += card_choices(ctx, await ctx.work.campaigns.get(campaign_id), ctx.me.id)
    await ctx.reply(
        Listing(what="my_tasks", total=len(found), lines=lines, empty="" if lines else "yes"),
        *buttons,
    )


@action("task.later", Role.OPERATOR)
async def later(ctx: Context, subject: str, args: Args) -> None:
    """晚点发: until when; the due time does not move, only reminders wait."""
    await see(ctx, subject)
    if "minutes" not in args:
        await ctx.reply(
            Pick(what="later"),
            *[
                choose("task.later", subject, label=f"minutes_{m}", minutes=m)
                for m in ("30", "60", "120")
            ],
        )
        return
    until = ctx.at + timedelta(minutes=int(args["minutes"]))
    for task in await own_open(ctx, subject):
        await ctx.work.tasks.save(dataclasses.replace(task, snoozed_until=until))
        await ctx.note("task", task.id, "later", task.case)
    await ctx.reply(Done(what="later", detail=until.astimezone(LOCAL).strftime("%H:%M")))


@action("task.cannot", Role.OPERATOR)
async def cannot(ctx: Context, subject: str, args: Args) -> None:
    """无法发: which account, then why."""
    await see(ctx, subject)
    if "task" not in args:
        found = [task for task in await own_open(ctx, subject) if TASK.has(task.state, "decline")]
        if len(found) > 1:
            await ctx.reply(
                Pick(what="which_account"),
                *[
                    choose(
                        "task.cannot", subject,
                        text=ctx.directory.accounts[task.account].name, task=task.id,
                    )
                    for task in found[:8]
                ],
            )  # fmt: skip
            return
        ctx.require("own_task", holds=bool(found))
        args = {"task": found[0].id}
    task = await ctx.work.tasks.get(args["task"])
    ctx.require("own_task", holds=task.operator == ctx.me.id)
    TASK.rule(task.state, "decline")
    name = ctx.directory.accounts[task.account].name
    await ctx.ask("task.cannot", AskText(what="why_cannot", subject=name), task=task.id)


@answer("task.cannot")
async def cannot_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Declined with a reason; allies need none and are asked no more."""
    task = await ctx.work.tasks.get(str(dialog.data["task"]))
    task = await ctx.move(TASK, ctx.work.tasks, task, "decline", reason=message.text.strip()[:200])
    name = ctx.directory.accounts[task.account].name
    await ctx.reply(
        Done(what="declined", subject=name),
        choose("task.undo", task.id, version=str(task.version)),
    )
    if task.tier != Tier.ALLY:
        case = await ctx.work.cases.get(task.case)
        await ctx.tell_role(
            Role.PUBLISHER,
            Alarm(what="declined", number=case.number, detail=f"{name}：{task.reason}"),
            choose("task.exempt", task.id),
            choose("task.open", task.id, keep=True),
            subject=f"task:{task.id}",
        )
    await planning.advance(ctx, task.campaign)


@action("task.undo", Role.OPERATOR)
async def undo(ctx: Context, subject: str, args: Args) -> None:
    """撤销 of a decline or a receipt, while nothing has followed."""
    task = await ctx.work.tasks.get(subject)
    facts = ctx.undo_facts(int(args["version"]))
    task = await ctx.move(
        TASK, ctx.work.tasks, task, "undo", facts=facts, url="", reason="", late=False,
        posted_at=None,
    )  # fmt: skip
    await clocks.stop(ctx, f"task:{task.id}", Stage.CHECK)
    for receipt in await ctx.work.receipts.find(task=task.id, undone=False):
        await ctx.work.receipts.save(dataclasses.replace(receipt, undone=True))
    await ctx.settle_cards(f"task:{task.id}", Settled(what="undone", at=ctx.at))
    await ctx.reply(Done(what="undone", subject=ctx.directory.accounts[task.account].name))


@action("task.exempt", Role.PUBLISHER)
async def exempt(ctx: Context, subject: str, args: Args) -> None:
    """豁免."""
    del args
    task = await ctx.work.tasks.get(subject)
    task = await ctx.move(TASK, ctx.work.tasks, task, "exempt")
    name = ctx.directory.accounts[task.account].name
    await ctx.settle_cards(f"task:{task.id}", Settled(what="exempted", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="exempted", subject=name))
    await planning.advance(ctx, task.campaign)


@action("task.open", Role.PUBLISHER, Role.DESK, Role.OPERATOR)
async def open_task(ctx: Context, subject: str, args: Args) -> None:
    """One task with what this person may do."""
    del args
    task = await ctx.work.tasks.get(subject)
    if not ctx.has(Role.PUBLISHER, Role.DESK):
        ctx.require("own_task", holds=task.operator == ctx.me.id)
    buttons = []
    for name, row in (
        ("task.verify", "verify"),
        ("task.reject", "reject"),
        ("task.exempt", "exempt"),
        ("task.ask_again", "ask_again"),
    ):
        if await ctx.may(TASK, task, row):
            buttons.append(choose(name, task.id))
    if ctx.has(Role.PUBLISHER) and TASK.has(task.state, "post"):
        buttons.append(choose("task.post_for", task.id))
    await ctx.reply(
        Listing(what="task", total=1, lines=(await line(ctx, task),)), *buttons,
        subject=f"task:{task.id}",
    )  # fmt: skip


@action("task.post_for", Role.PUBLISHER)
async def post_for(ctx: Context, subject: str, args: Args) -> None:
    """The publisher records a link for an account."""
    del args
    task = await ctx.work.tasks.get(subject)
    TASK.rule(task.state, "post")
    name = ctx.directory.accounts[task.account].name
    await ctx.ask("task.link", AskText(what="link_for", subject=name), task=task.id)
