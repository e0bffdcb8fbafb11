"""What the desk and the leader may do with a case."""

import dataclasses
from datetime import datetime, timedelta

from handlers import clocks
from handlers.cards import cases as case_cards
from handlers.context import Context
from handlers.feedback import closing, owing
from handlers.publishing import dates
from handlers.replies import choose
from handlers.replies.shared import AskText, Done, Pick, Settled
from handlers.replies.triage import Monitored
from handlers.router import Args, action, answer
from handlers.triage import filing, references
from handlers.triage.ending import REASONS, REFERRALS
from matrix.core.case import (
    CASE,
    UNSETTLED,
    Case,
    CaseState,
)
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.roles import Role


@action("case.more", Role.DESK)
async def more(ctx: Context, subject: str, args: Args) -> None:
    """The less usual answers."""
    del args
    case = await ctx.work.cases.get(subject)
    pause = "case.unpause" if case.paused_reason else "case.pause"
    family = "case.detach" if case.parent else "case.link"
    await ctx.reply(
        await case_cards.card(ctx, case),
        choose("case.owner", case.id),
        choose("case.grade", case.id),
        choose("case.merge", case.id),
        choose("case.split", case.id),
        choose(family, case.id),
        choose("case.class", case.id),
        choose(pause, case.id),
        choose("look.log", case.id, keep=True),
        subject=f"case:{case.id}",
    )


@action("case.decline", Role.DESK)
async def decline(ctx: Context, subject: str, args: Args) -> None:
    """不予受理 of a filed case."""
    case = await ctx.work.cases.get(subject)
    if "reason" not in args:
        CASE.rule(case.state, "decline")
        await ctx.reply(
            Pick(what="reject_reason", subject=case.number),
            *[choose("case.decline", case.id, label=f"reason_{r}", reason=r) for r in REASONS],
        )
        return
    case = await ctx.move(CASE, ctx.work.cases, case, "decline", reason=args["reason"])
    await _ended(ctx, case, "not-accepted")


@action("case.refer", Role.DESK)
async def refer(ctx: Context, subject: str, args: Args) -> None:
    """转出."""
    case = await ctx.work.cases.get(subject)
    if "to" not in args:
        CASE.rule(case.state, "refer")
        await ctx.reply(
            Pick(what="refer_to", subject=case.number),
            *[choose("case.refer", case.id, label=f"refer_{to}", to=to) for to in REFERRALS],
        )
        return
    case = await ctx.move(CASE, ctx.work.cases, case, "refer", reason=args["to"])
    await _ended(ctx, case, "referred")
    await references.ask(ctx, case, args["to"])


async def _ended(ctx: Context, case: Case, outcome: str) -> None:
    await clocks.stop_case(ctx, case)
    await ctx.settle_cards(
        f"case:{case.id}", Settled(what=outcome.replace("-", "_"), who=ctx.me.name, at=ctx.at)
    )
    after = owing.undo_over(ctx) if outcome == "referred" else timedelta()
    await owing.owe_case(ctx, case, f"{outcome}:{case.id}", after=after)
    buttons = [choose("case.recall", case.id)] if outcome == "referred" else []
    await ctx.reply(Done(what=outcome.replace("-", "_"), subject=case.number), *buttons)


@action("case.recall", Role.DESK)
async def recall(ctx: Context, subject: str, args: Args) -> None:
    """Taken back from the other body."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(CASE, ctx.work.cases, case, "recall", reason="")
    await owing.forget_case(ctx, case, f"referred:{case.id}")
    await ctx.reply(
        Done(what="recalled", subject=case.number),
        choose("case.dispatch", case.id),
        choose("case.owner", case.id),
        choose("case.decline", case.id),
    )


@action("case.close", Role.DESK)
async def close(ctx: Context, subject: str, args: Args) -> None:
    """Close a referred or monitored case, or an opinion, whose reporters are told so.

    Raises GuardRefused while something is open.
    """
    del args
    case = await ctx.work.cases.get(subject)
    opinion = case.state is CaseState.CONCLUDED
    facts = {"open": await closing.open_of(ctx, case)}
    elsewhere = case.state is CaseState.REFERRED
    case = await ctx.move(CASE, ctx.work.cases, case, "close", facts=facts)
    await clocks.stop_case(ctx, case)
    if not elsewhere:
        # What another body has is not ours to watch.
        await clocks.watch(ctx, case)
    await closing.finish_assignments(ctx, case)
    if opinion:
        await owing.owe_case(ctx, case, f"closed:{case.id}")
    await ctx.settle_cards(f"case:{case.id}", Settled(what="closed", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="closed", subject=case.number), choose("case.reopen", case.id))


@action("case.reopen", Role.DESK)
async def reopen(ctx: Context, subject: str, args: Args) -> None:
    """Reopened: verification starts again with the same owner."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(CASE, ctx.work.cases, case, "reopen", verdict=None, stage_since=ctx.at)
    await clocks.stop(ctx, f"case:{case.id}", Stage.WATCH)
    await ctx.settle_cards(f"watch:{case.id}", Settled(what="reopened", who=ctx.me.name, at=ctx.at))
    await clocks.verify_again(ctx, case)
    if case.owner:
        await filing.offer(ctx, case, case.owner, lead=True)
    await ctx.reply(Done(what="reopened", subject=case.number), choose("case.open", case.id))


@action("case.resume", Role.DESK)
async def resume(ctx: Context, subject: str, args: Args) -> None:
    """From monitoring back to verification."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(
        CASE, ctx.work.cases, case, "resume", verdict=None, review_at=None, stage_since=ctx.at
    )
    await clocks.verify_again(ctx, case)
    await ctx.reply(Done(what="resumed", subject=case.number), choose("case.open", case.id))


@action("case.monitor", Role.LEADER)
async def monitor(ctx: Context, subject: str, args: Args) -> None:
    """只监测不回应, signed by a leader with a reason; what is unsettled until a given day."""
    case = await ctx.work.cases.get(subject)
    CASE.rule(case.state, "monitor")
    if "days" in args:
        await _why_monitor(ctx, case, dates.in_days(ctx.at, int(args["days"])))
    elif case.verdict in UNSETTLED:
        buttons = [
            choose("case.monitor", case.id, label=f"days_{days}", days=str(days))
            for days in dates.USUAL
        ]
        await ctx.ask(
            "case.monitor_day", AskText(what="monitor_until", subject=case.number), *buttons,
            case=case.id,
        )  # fmt: skip
    else:
        await _why_monitor(ctx, case, None)


@answer("case.monitor_day")
async def monitor_day(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """A typed day."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    await _why_monitor(ctx, case, dates.parse_day(message.text, ctx.at))


async def _why_monitor(ctx: Context, case: Case, review_at: datetime | None) -> None:
    await ctx.ask(
        "case.monitor", AskText(what="why_monitor", subject=case.number),
        case=case.id, review_at=review_at.isoformat() if review_at else "",
    )  # fmt: skip


@answer("case.monitor")
async def monitor_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The leader's reason. Only a day that was given brings the case back."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    day = str(dialog.data.get("review_at") or "")
    review_at = datetime.fromisoformat(day) if day else None
    reason = message.text.strip()
    case = await ctx.move(
        CASE, ctx.work.cases, case, "monitor",
        facts={"reason": reason, "review_at": review_at}, reason="leader", review_at=review_at,
    )  # fmt: skip
    await clocks.stop_case(ctx, case)
    await owing.owe_case(ctx, case, f"monitor-only:{case.id}")
    await ctx.settle_cards(f"case:{case.id}", Settled(what="monitored", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Monitored(number=case.number, review_at=case.review_at))


@action("case.pause", Role.DESK)
async def pause(ctx: Context, subject: str, args: Args) -> None:
    """Stage clocks stop with a reason; the business clock runs on."""
    case = await ctx.work.cases.get(subject)
    if "reason" not in args:
        await ctx.reply(
            Pick(what="pause_reason", subject=case.number),
            *[
                choose("case.pause", case.id, label=f"pause_{one}", reason=one)
                for one in ("lab", "outside", "court")
            ],
        )
        return
    case = await ctx.work.cases.save(dataclasses.replace(case, paused_reason=args["reason"]))
    await ctx.note("case", case.id, f"pause-{args['reason']}", case.id)
    await clocks.pause(ctx, case)
    await ctx.reply(Done(what="paused", subject=case.number), choose("case.unpause", case.id))


@action("case.unpause", Role.DESK)
async def unpause(ctx: Context, subject: str, args: Args) -> None:
    """Stage clocks run on from where they stopped."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.work.cases.save(dataclasses.replace(case, paused_reason=""))
    await ctx.note("case", case.id, "unpause", case.id)
    await clocks.unpause(ctx, case)
    await ctx.reply(Done(what="unpaused", subject=case.number))
