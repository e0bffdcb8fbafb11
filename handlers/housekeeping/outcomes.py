"""What follows when a delivery was sent, failed, or is in doubt."""

import dataclasses
from collections.abc import Mapping, Sequence
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
from handlers.reposting import asking_again, jobs, moving, owned, owners, planning
from handlers.router import Args, action
from matrix.core.campaign import RepostTask
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


async def settled_all(ctx: Context, deliveries: Sequence[Delivery]) -> None:
    """Move what the deliveries were for, many at once. They carry their new states."""
    by_kind: dict[str, list[tuple[str, Delivery]]] = {}
    for one in deliveries:
        kind, _, rest = one.purpose.partition(":")
        by_kind.setdefault(kind, []).append((rest, one))
    for kind, some in by_kind.items():
        match kind:
            case "post":
                for failed, task in await moving.posts(ctx, dict(some)):
                    await _refused(ctx, failed, task)
            case "feedback":
                await _feedback(ctx, dict(some))
            case _:
                for rest, one in some:
                    await _settled(ctx, kind, rest, one)


async def _settled(ctx: Context, kind: str, rest: str, delivery: Delivery) -> None:
    match kind:
        case "cards":
            await moving.cards(ctx, delivery, rest)
        case owned.KIND:
            await owners.settled(ctx, delivery)
        case "publish":
            await _published(ctx, delivery, rest)
        case "appeal" if delivery.state is DeliveryState.FAILED:
            await deciding.untold(ctx, rest)
        case _:
            pass


_TOLD = {
    DeliveryState.SENT: "sent",
    DeliveryState.FAILED: "fail",
    DeliveryState.IN_DOUBT: "doubt",
}


async def _feedback(ctx: Context, told: Mapping[str, Delivery]) -> None:
    """``told`` maps a feedback to what has become of its message."""
    await ctx.work.feedback.load(list(told))
    moves: dict[str, list[Feedback]] = {}
    for feedback_id, delivery in told.items():
        one = await ctx.work.feedback.get(feedback_id)
        verb = _TOLD.get(delivery.state)
        if verb is None or not FEEDBACK.has(one.state, verb):
            continue
        if verb == "fail":
            tried = (*one.tried, f"{delivery.platform}:{delivery.address}")
            one = dataclasses.replace(one, tried=tried)
        moves.setdefault(verb, []).append(one)
    for verb, some in moves.items():
        sent_at = ctx.at if verb == "sent" else None
        moved = await ctx.move_all(
            FEEDBACK, ctx.work.feedback, some, verb, MACHINE, sent_at=sent_at
        )
        await _after_feedback(ctx, verb, moved)


async def _after_feedback(ctx: Context, verb: str, moved: Sequence[Feedback]) -> None:
    if verb == "sent":
        for case in dict.fromkeys(one.case for one in moved if one.case):
            await closing.close_if_done(ctx, case)
    elif verb == "fail":
        for one in moved:
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


async def _refused(ctx: Context, delivery: Delivery, task: RepostTask) -> None:
    """What its channel cannot post the account's operator is asked for, as anywhere else."""
    await _pause_account(ctx, delivery, task.case)
    await asking_again.by_hand(ctx, task)


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
        await settled_all(machine, [delivery])
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
