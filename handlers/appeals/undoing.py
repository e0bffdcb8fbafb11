"""撤销 of the desk's answer to an appeal: for 30 minutes, while nothing has followed."""

import dataclasses
from datetime import datetime

from handlers import clocks
from handlers.appeals.filing import clock
from handlers.cards.appeals import tell_desk
from handlers.context import Context
from handlers.publishing.issuing import touch
from handlers.replies.shared import Done, Settled
from handlers.router import Args, action
from matrix.core.appeal import APPEAL, Appeal, AppealState
from matrix.core.bulletin import REVISION, Bulletin
from matrix.core.delivery import DELIVERY, DeliveryState, Lane
from matrix.core.roles import MACHINE, Role


@action("appeal.undo", Role.DESK)
async def undo(ctx: Context, subject: str, args: Args) -> None:
    """The appeal is open again, its answer unsaid, the text as it was."""
    appeal = await ctx.work.appeals.get(subject)
    bulletin = await ctx.work.bulletins.get(appeal.bulletin)
    facts = ctx.undo_facts(int(args["version"]))
    upheld, decided_at = appeal.state is AppealState.UPHELD, appeal.decided_at
    appeal = await ctx.move(
        APPEAL, ctx.work.appeals, appeal, "undo", facts=facts,
        reason="", decided_by="", decided_at=None,
    )  # fmt: skip
    await _unsay(ctx, appeal)
    if upheld and decided_at is not None:
        await _undoubt(ctx, bulletin, decided_at)
    await ctx.settle_cards(
        f"appeal:{appeal.id}", Settled(what="appeal_undone", who=ctx.me.name, at=ctx.at)
    )
    await clock(ctx, appeal)
    await tell_desk(ctx, appeal, bulletin)
    await ctx.reply(Done(what="appeal_undone", subject=appeal.number))


async def _unsay(ctx: Context, appeal: Appeal) -> None:
    for one in await ctx.work.deliveries.find(
        purpose=f"appeal:{appeal.id}", state=DeliveryState.PENDING, lane=Lane.CONVERSATION
    ):
        await ctx.move(DELIVERY, ctx.work.deliveries, one, "cancel", by=MACHINE, error="void")


async def _undoubt(ctx: Context, bulletin: Bulletin, since: datetime) -> None:
    """The correction that nobody has begun is dropped; the text may answer again."""
    drafts = await ctx.work.revisions.find(corrects=bulletin.id, created_at__gte=since)
    if bulletin.case and not drafts:
        return  # its correction was under way before, and goes on
    for draft in drafts:
        # A version more than its making: somebody has taken it on.
        await ctx.move(
            REVISION, ctx.work.revisions, draft, "drop", facts={"followed": draft.version > _FRESH}
        )
        await clocks.stop(ctx, f"revision:{draft.id}")
        await ctx.settle_cards(
            f"take:{draft.id}", Settled(what="appeal_undone", who=ctx.me.name, at=ctx.at)
        )
    case = await ctx.work.cases.maybe(bulletin.case)
    if case is not None and case.correction_open:
        await ctx.work.cases.save(dataclasses.replace(case, correction_open=False))
        await ctx.note("case", case.id, "correction-dropped", case.id)
    events = await ctx.work.events(entity_id=bulletin.id)
    doubts = [one for one in events if one.action == "doubt" and one.at >= since]
    before = str(doubts[-1].data.get("before") or "") if doubts else ""
    again = await touch(
        ctx,
        dataclasses.replace(bulletin, review_at=datetime.fromisoformat(before) if before else None),
    )
    await ctx.work.bulletins.save(again)
    await ctx.note("bulletin", bulletin.id, "undoubt", bulletin.case)


_FRESH = 1
"""The version of a correction's draft as the machine leaves it: made, then prefilled."""
