"""What follows when a delivery was sent, failed, or is in doubt."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from handlers import matters
from handlers.appeals import deciding
from handlers.context import Context
from handlers.feedback import closing, telling
from handlers.importing.directory import reload
from handlers.publishing import issuing
from handlers.replies import choose
from handlers.replies.shared import Done, Listing, Settled
from handlers.replies.triage import Alarm, DoubtLine
from handlers.reposting import asking_again, jobs, owned, owners, planning
from handlers.router import Args, action
from matrix.core.campaign import TASK, RepostTask, TaskState
from matrix.core.delivery import (
    DELIVERY,
    FEEDBACK,
    Delivery,
    DeliveryState,
    Feedback,
    FeedbackState,
    Lane,
)
from matrix.core.roles import MACHINE, REPORTERS, Role


async def settled(ctx: Context, delivery: Delivery) -> None:
    """Move what the delivery was for. ``delivery`` carries its new state."""
    kind, _, rest = delivery.purpose.partition(":")
    match kind:
        case "feedback":
            await _feedback(ctx, delivery, rest)
        case "cards":
            await _cards(ctx, delivery, rest)
        case "post":
            await _post(ctx, delivery, rest)
        case owned.KIND:
            await owners.settled(ctx, delivery)
        case "publish":
            await _published(ctx, delivery, rest)
        case "appeal" if delivery.state is DeliveryState.FAILED:
            await deciding.untold(ctx, rest)
        case _:
            pass


async def settled_all(ctx: Context, deliveries: Sequence[Delivery]) -> None:
    """``settled`` for many: direct posts that go out or have arrived, in few statements."""
    posts = {
        rest: one
        for one in deliveries
        for kind, _, rest in [one.purpose.partition(":")]
        if kind == "post"
    }
    await ctx.work.tasks.load(posts)
    tasks = [await ctx.work.tasks.get(one) for one in posts]
    going = [
        task for task in tasks
        if (task.state, posts[task.id].state) == (TaskState.CREATED, DeliveryState.SENDING)
    ]  # fmt: skip
    arrived = [
        dataclasses.replace(
            task, url=posts[task.id].remote_id, posted_at=ctx.at, late=ctx.at > task.due_at
        )
        for task in tasks
        if (task.state, posts[task.id].state) == (TaskState.SENDING, DeliveryState.SENT)
    ]
    await ctx.move_all(TASK, ctx.work.tasks, going, "send", MACHINE)
    posted = await ctx.move_all(TASK, ctx.work.tasks, arrived, "sent", MACHINE)
    await ctx.move_all(TASK, ctx.work.tasks, posted, "verify", MACHINE)
    moved = {f"post:{task.id}" for task in (*going, *arrived)}
    for one in deliveries:
        if one.purpose not in moved:
            await settled(ctx, one)


async def _feedback(ctx: Context, delivery: Delivery, feedback_id: str) -> None:
    one = await ctx.work.feedback.get(feedback_id)
    verb = {
        DeliveryState.SENT: "sent",
        DeliveryState.FAILED: "fail",
        DeliveryState.IN_DOUBT: "doubt",
    }.get(delivery.state)
    if verb is None or not FEEDBACK.has(one.state, verb):
        return
    tried = (*one.tried, f"{delivery.platform}:{delivery.address}")
    one = dataclasses.replace(one, tried=tried if verb == "fail" else one.tried)
    one = await ctx.move(
        FEEDBACK, ctx.work.feedback, one, verb, by=MACHINE,
        sent_at=ctx.at if verb == "sent" else None,
    )  # fmt: skip
    if verb == "sent" and one.case:
        await closing.close_if_done(ctx, one.case)
    if verb == "fail":
        await _another_channel(ctx, one)


async def _another_channel(ctx: Context, one: Feedback) -> None:
    left = [
        identity
        for identity in await ctx.work.identities.find(person=one.person, revoked_at=None)
        if f"{identity.platform}:{identity.chat}" not in one.tried
    ]
    if left:
        await ctx.move(FEEDBACK, ctx.work.feedback, one, "retry", by=MACHINE)
        await telling.send_due(ctx)
    else:
        await telling.give_up(ctx, one)


async def _cards(ctx: Context, delivery: Delivery, rest: str) -> None:
    campaign, _, operator = rest.partition(":")
    for task in await ctx.work.tasks.find(
        campaign=campaign, operator=operator, state=TaskState.CREATED
    ):
        if delivery.state is DeliveryState.SENT:
            await ctx.move(TASK, ctx.work.tasks, task, "deliver", by=MACHINE)
        elif delivery.state is DeliveryState.FAILED:
            await ctx.move(TASK, ctx.work.tasks, task, "fail", by=MACHINE, reason=delivery.error)


async def _post(ctx: Context, delivery: Delivery, task_id: str) -> None:
    task = await ctx.work.tasks.get(task_id)
    match delivery.state:
        case DeliveryState.SENDING if task.state is TaskState.CREATED:
            await ctx.move(TASK, ctx.work.tasks, task, "send", by=MACHINE)
        case DeliveryState.SENT:
            await _posted(ctx, delivery, task)
        case DeliveryState.PENDING if TASK.has(task.state, "wait"):
            await ctx.move(TASK, ctx.work.tasks, task, "wait", by=MACHINE)
        case DeliveryState.IN_DOUBT if task.state is TaskState.SENDING:
            await ctx.move(TASK, ctx.work.tasks, task, "lose", by=MACHINE)
        case DeliveryState.FAILED | DeliveryState.CANCELLED if TASK.has(task.state, "fail"):
            await ctx.move(TASK, ctx.work.tasks, task, "fail", by=MACHINE, reason=delivery.error)
            if delivery.state is DeliveryState.FAILED:
                await _pause_account(ctx, delivery, task.case)
                await _by_hand(ctx, task)
        case _:
            pass


async def _posted(ctx: Context, delivery: Delivery, task: RepostTask) -> None:
    """The channel's own answer, or who looked after a doubt, is the proof of a direct post."""
    verb = {TaskState.SENDING: "sent", TaskState.UNKNOWN: "post"}.get(task.state)
    if verb is None:
        return
    task = await ctx.move(
        TASK, ctx.work.tasks, task, verb, by=MACHINE, url=delivery.remote_id,
        posted_at=ctx.at, late=ctx.at > task.due_at,
    )  # fmt: skip
    await ctx.move(TASK, ctx.work.tasks, task, "verify", by=MACHINE)


async def _pause_account(ctx: Context, delivery: Delivery, case_id: str) -> None:
    """A permanent failure pauses the account; the publisher is told."""
    account = await ctx.work.accounts.maybe(delivery.account)
    case = await matters.of(ctx, case_id)
    if account is None:
        return
    await ctx.work.accounts.save(dataclasses.replace(account, paused=delivery.error or "failed"))
    await ctx.note("account", account.id, "pause")
    await reload(ctx)
    await ctx.tell_role(
        Role.PUBLISHER,
        Alarm(what="account_paused", number=case.number, detail=account.name),
        choose("account.resume", account.id),
    )


async def _by_hand(ctx: Context, task: RepostTask) -> None:
    """What its channel cannot post the account's operator is asked for, as anywhere else."""
    await asking_again.by_hand(ctx, task)


@action("account.resume", Role.PUBLISHER)
async def resume_account(ctx: Context, subject: str, args: Args) -> None:
    """恢复直发: the fault is mended, the account posts by itself again."""
    del args
    account = await ctx.work.accounts.get(subject)
    await ctx.work.accounts.save(dataclasses.replace(account, paused=""))
    await ctx.note("account", account.id, "resume")
    await reload(ctx)
    await ctx.reply(Done(what="account_resumed", subject=account.name))


async def _published(ctx: Context, delivery: Delivery, revision_id: str) -> None:
    revision = await ctx.work.revisions.get(revision_id)
    case = await matters.of(ctx, revision.case)
    if delivery.state is DeliveryState.SENT:
        if not await ctx.work.bulletins.count(revision=revision.id):
            await issuing.publish(ctx, revision, delivery.remote_id)
    elif delivery.state in {DeliveryState.FAILED, DeliveryState.IN_DOUBT}:
        what = "publish_failed" if delivery.state is DeliveryState.FAILED else "publish_doubt"
        await ctx.tell_role(
            Role.PUBLISHER,
            Alarm(what=what, number=case.number, detail=delivery.error),
            choose("publish.link", revision.id),
            choose("desk.doubts", keep=True),
        )


DOUBTS = 5
"""Doubtful deliveries shown at once, each with its buttons."""


@action("desk.doubts", Role.DESK, Role.PUBLISHER)
async def doubts(ctx: Context, subject: str, args: Args) -> None:
    """待核投递: what nobody knows to have arrived, each with what to do; mere replies come last."""
    del subject, args
    doubtful: dict[str, Any] = {"state": DeliveryState.IN_DOUBT, "order": "created_at"}
    found = await ctx.work.deliveries.find(purpose__ne="", limit=DOUBTS, **doubtful)
    if len(found) < DOUBTS:
        found += await ctx.work.deliveries.find(purpose="", limit=DOUBTS - len(found), **doubtful)
    total = await ctx.work.deliveries.count(state=DeliveryState.IN_DOUBT)
    if not found:
        await ctx.reply(Listing(what="doubts", empty="yes"))
        return
    for one in found:
        line = DoubtLine(
            to=await _receiver(ctx, one),
            about=f"purpose_{one.purpose.partition(':')[0] or 'reply'}",
            at=one.created_at,
        )
        await ctx.reply(
            Listing(what="doubts", total=total, lines=(line,)),
            choose("doubt.settle", one.id, label="doubt_arrived", verb="sent"),
            choose("doubt.settle", one.id, label="doubt_resend", verb="retry"),
            choose("doubt.settle", one.id, label="doubt_drop", verb="fail"),
            subject=f"doubt:{one.id}",
        )


async def _receiver(ctx: Context, one: Delivery) -> str:
    """To whom: an account, a colleague by name, a reporter by number or not at all."""
    account = ctx.directory.accounts.get(one.account)
    if account is not None:
        return account.name
    kind, _, entity_id = one.subject.partition(":")
    if kind in {"mine", "enquiry"}:
        lead = await ctx.work.leads.maybe(entity_id)
        return lead.number if lead else ""
    if kind == "appellant":
        appeal = await ctx.work.appeals.maybe(entity_id)
        return appeal.number if appeal else ""
    posts = [post for post in ctx.directory.posts if post.person == one.person]
    colleague = any(post.role not in REPORTERS for post in posts)
    return ctx.directory.person_name(one.person) if colleague else ""


@action("doubt.settle", Role.DESK, Role.PUBLISHER)
async def settle(ctx: Context, subject: str, args: Args) -> None:
    """A person decides: it arrived, send again, or leave it."""
    delivery = await ctx.work.deliveries.get(subject)
    verb = args["verb"]
    delivery = await ctx.move(
        DELIVERY, ctx.work.deliveries, delivery, verb,
        sent_at=ctx.at if verb == "sent" else None, not_before=None, unsure=False,
    )  # fmt: skip
    await resolved(ctx, delivery, verb)
    await ctx.reply(Done(what=f"doubt_{verb}"))


async def resolved(ctx: Context, delivery: Delivery, verb: str) -> None:
    """What follows when a doubt is over: by a person, or by what the platform has said."""
    kind, _, rest = delivery.purpose.partition(":")
    if kind == "feedback":
        await _settle_feedback(ctx, rest, verb)
    else:
        machine = dataclasses.replace(ctx, person=None, posts=())
        await settled(machine, delivery)
        if delivery.subject.startswith("campaign:"):
            await planning.advance(machine, delivery.subject.partition(":")[2])
    if verb == "retry" and delivery.lane is Lane.BROADCAST:
        await jobs.once_more(ctx, delivery)
    who = ctx.person.name if ctx.person else ""
    await ctx.settle_cards(
        f"doubt:{delivery.id}", Settled(what=f"doubt_{verb}", who=who, at=ctx.at)
    )


async def _settle_feedback(ctx: Context, feedback_id: str, verb: str) -> None:
    one = await ctx.work.feedback.get(feedback_id)
    if one.state is not FeedbackState.IN_DOUBT:
        return
    one = await ctx.move(
        FEEDBACK, ctx.work.feedback, one, "sent" if verb == "sent" else "retry",
        sent_at=ctx.at if verb == "sent" else None,
    )  # fmt: skip
    if verb == "fail":
        one = await ctx.move(FEEDBACK, ctx.work.feedback, one, "fail", by=MACHINE)
        await telling.give_up(ctx, one)
    elif verb == "sent" and one.case:
        await closing.close_if_done(ctx, one.case)
