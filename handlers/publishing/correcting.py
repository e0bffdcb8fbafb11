"""更正, 更新, 撤回: in the open, to everyone whom the original reached."""

import dataclasses
from datetime import datetime

from handlers import clocks, matters
from handlers.context import Context
from handlers.drafting import writing
from handlers.publishing.issuing import touch
from handlers.replies import choose
from handlers.replies.shared import AskText, Done
from handlers.router import Args, action, answer
from matrix.core.bulletin import BULLETIN, Bulletin, BulletinState, Kind, Revision
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.roles import Role

_KINDS = {
    "correct": Kind.CORRECTION,
    "update": Kind.UPDATE,
    "withdraw": Kind.WITHDRAWAL,
}


@action("bulletin.correct", Role.PUBLISHER)
async def correct(ctx: Context, subject: str, args: Args) -> None:
    """更正."""
    del args
    await _ask(ctx, subject, "correct")


@action("bulletin.update", Role.PUBLISHER)
async def update(ctx: Context, subject: str, args: Args) -> None:
    """更新."""
    del args
    await _ask(ctx, subject, "update")


@action("bulletin.withdraw", Role.PUBLISHER)
async def withdraw(ctx: Context, subject: str, args: Args) -> None:
    """撤回."""
    del args
    await _ask(ctx, subject, "withdraw")


async def _ask(ctx: Context, bulletin_id: str, verb: str) -> None:
    bulletin = await ctx.work.bulletins.get(bulletin_id)
    BULLETIN.rule(bulletin.state, verb if verb != "update" else "supersede")
    await ctx.ask(
        "bulletin.change",
        AskText(what=f"why_{verb}", subject=bulletin.number),
        id=bulletin.id,
        verb=verb,
    )


@answer("bulletin.change")
async def change_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The reason; the owner's unit gets a draft prefilled with the text in force."""
    reason = message.text.strip()
    if not reason:
        raise Refusal("empty")
    bulletin = await ctx.work.bulletins.get(str(dialog.data["id"]))
    kind = _KINDS[str(dialog.data["verb"])]
    await open_correction(ctx, bulletin, kind=kind, reason=reason)
    await ctx.reply(Done(what="correction_opened", subject=bulletin.number))


async def is_open(ctx: Context, bulletin: Bulletin) -> bool:
    """Whether something that changes this text is being written already."""
    case = await matters.of(ctx, bulletin.case)
    if not matters.stands_alone(case):
        return case.correction_open
    changing = await ctx.work.revisions.find(corrects=bulletin.id)
    return any(one.state not in writing.OVER for one in changing)


async def open_correction(
    ctx: Context, bulletin: Bulletin, *, kind: Kind = Kind.CORRECTION, reason: str = ""
) -> Revision:
    """Open a correction: from now on the bulletin is only suggested, never stated."""
    ctx.require("current", holds=bulletin.state is BulletinState.CURRENT)
    case = await matters.of(ctx, bulletin.case)
    ctx.require("no_correction", holds=not await is_open(ctx, bulletin))
    if not matters.stands_alone(case):
        case = await ctx.work.cases.save(
            dataclasses.replace(case, correction_open=kind is not Kind.UPDATE)
        )
    await ctx.note("case", case.id, f"open-{kind}", case.id, bulletin=bulletin.id)
    before = bulletin.review_at.isoformat() if bulletin.review_at else ""
    doubted = await touch(ctx, dataclasses.replace(bulletin, review_at=ctx.at))
    await ctx.work.bulletins.save(doubted)
    await ctx.note("bulletin", bulletin.id, "doubt", bulletin.case, before=before)
    base = await ctx.work.revisions.maybe(bulletin.revision)
    original = base.judged_as if base else None
    revision = await writing.start(
        ctx, case, kind, corrects=bulletin.id, original=original, base=base
    )
    drafter = base.drafter if base else ""
    unit = base.unit if base else case.owner
    revision = await ctx.work.revisions.save(
        dataclasses.replace(
            revision, drafter=drafter, unit=unit, comment=reason[:500],
            fact=reason[:500] if kind is Kind.WITHDRAWAL else revision.fact,
            expires_at=_ahead(ctx, kind, bulletin.expires_at),
            review_at=_ahead(ctx, kind, bulletin.review_at),
        )
    )  # fmt: skip
    await clocks.start(
        ctx, f"revision:{revision.id}", Stage.DRAFT, case.grade,
        business=ctx.at, case=case.id,
    )  # fmt: skip
    for role in (Role.HANDLER, Role.UNIT_HEAD):
        await ctx.tell_role(
            role,
            Done(what=f"please_{kind.value}", subject=case.number, detail=reason[:200]),
            choose("draft.take", revision.id),
            unit=unit,
            subject=f"take:{revision.id}",
        )
    return revision


def _ahead(ctx: Context, kind: Kind, at: datetime | None) -> datetime | None:
    """A date in force goes over to the new text; one that has passed is set anew."""
    return at if at and at > ctx.at and kind is not Kind.WITHDRAWAL else None


@action("draft.take", Role.HANDLER, Role.UNIT_HEAD)
async def take(ctx: Context, subject: str, args: Args) -> None:
    """Whoever of the unit takes it on becomes its drafter."""
    del args
    revision = await ctx.work.revisions.get(subject)
    await ctx.actor({Role.HANDLER, Role.UNIT_HEAD}, revision, "edit")
    revision = await ctx.work.revisions.save(dataclasses.replace(revision, drafter=ctx.me.id))
    await ctx.note("revision", revision.id, "take", revision.case)
    await writing.show(ctx, await matters.of(ctx, revision.case), revision)
