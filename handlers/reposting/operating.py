"""What an operator does with their tasks: copy, later, cannot, take back."""

import dataclasses
from datetime import datetime, timedelta

from handlers import clocks, matters
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.drafting import CopyText
from handlers.replies.shared import AskText, Done, Listing, Pick, Settled
from handlers.replies.triage import Alarm
from handlers.reposting import planning, tasks
from handlers.reposting.hours import parse_time
from handlers.router import Args, action, answer
from matrix.core.campaign import TASK
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.directory import Tier
from matrix.core.roles import Role
from matrix.triage.calendar import LOCAL


@action("task.copy", Role.OPERATOR)
async def copy(ctx: Context, subject: str, args: Args) -> None:
    """复制短文 / 复制长文, each with its source line."""
    campaign = await ctx.work.campaigns.get(subject)
    ctx.require(
        "own_task", holds=bool(await ctx.work.tasks.count(campaign=campaign.id, operator=ctx.me.id))
    )
    await tasks.see(ctx, campaign.id)
    bulletin = await ctx.work.bulletins.get(campaign.bulletin)
    if args["size"] == "short":
        issuer = ctx.directory.unit_name(bulletin.issuer)
        text = f"{bulletin.title}\n{bulletin.short}\n{issuer} {bulletin.url}".strip()
    else:
        text = tasks.long_text(ctx, bulletin.body, bulletin.url, bulletin.issuer)
    await ctx.reply(CopyText(text=text))


@action("task.mine", Role.OPERATOR)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """我的任务."""
    del subject, args
    found = await tasks.own_open(ctx)
    for campaign in {task.campaign for task in found}:
        await tasks.see(ctx, campaign)
    lines = tuple([await tasks.line(ctx, task) for task in found[:20]])
    buttons: list[Choice] = []
    for campaign_id, in_drill in list({t.campaign: t.drill for t in found}.items())[:2]:
        buttons += tasks.card_choices(
            ctx, await ctx.work.campaigns.get(campaign_id), ctx.me.id, in_drill=in_drill
        )
    await ctx.reply(
        Listing(what="my_tasks", total=len(found), lines=lines, empty="" if lines else "yes"),
        *buttons,
    )


@action("task.later", Role.OPERATOR)
async def later(ctx: Context, subject: str, args: Args) -> None:
    """晚点发: until when; the due time does not move, only reminders wait."""
    await tasks.see(ctx, subject)
    if "minutes" not in args:
        buttons = [
            choose("task.later", subject, label=f"minutes_{m}", minutes=m)
            for m in ("30", "60", "120")
        ]
        await ctx.ask("task.later", Pick(what="later"), *buttons, campaign=subject)
        return
    await ctx.close_dialog()
    await _snooze(ctx, subject, ctx.at + timedelta(minutes=int(args["minutes"])))


@answer("task.later")
async def later_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """A typed time of day."""
    await _snooze(ctx, str(dialog.data["campaign"]), parse_time(message.text, ctx.at))


async def _snooze(ctx: Context, subject: str, until: datetime) -> None:
    for task in await tasks.own_open(ctx, subject):
        await ctx.work.tasks.save(dataclasses.replace(task, snoozed_until=until))
        await ctx.note("task", task.id, "later", task.case)
    await ctx.reply(Done(what="later", detail=until.astimezone(LOCAL).strftime("%H:%M")))


@action("task.cannot", Role.OPERATOR)
async def cannot(ctx: Context, subject: str, args: Args) -> None:
    """无法发: which account, then why."""
    await tasks.see(ctx, subject)
    if "task" not in args:
        found = [
            task for task in await tasks.own_open(ctx, subject) if TASK.has(task.state, "decline")
        ]
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
        case = await matters.of(ctx, task.case)
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
