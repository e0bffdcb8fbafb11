"""Appeals as they are shown."""

from datetime import timedelta

from handlers import clocks
from handlers.cards import pictures
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.appeals import AppealAnswer, AppealCard, AppealLine
from matrix.core.appeal import Appeal, AppealState
from matrix.core.bulletin import Bulletin, BulletinState
from matrix.core.roles import Role

_ANSWERS = 5
"""Newest answers under a text: what fits on a phone."""


def offered(bulletin: Bulletin) -> list[Choice]:
    """The button under a bulletin that a reporter reads."""
    if bulletin.state is not BulletinState.CURRENT:
        return []
    return [choose("appeal.file", bulletin.id, "appeal_file", bulletin.number)]


def choices(appeal: Appeal) -> list[Choice]:
    """What the desk may do; of one that is answered, look at what came with it."""
    files = pictures.offered(appeal)
    if appeal.state is not AppealState.OPEN:
        return files
    buttons = [choose("appeal.uphold", appeal.id), choose("appeal.deny", appeal.id), *files]
    if appeal.case:
        buttons.append(choose("case.open", appeal.case, keep=True))
    return buttons


async def card(ctx: Context, appeal: Appeal, bulletin: Bulletin) -> AppealCard:
    """The appeal beside the text in question."""
    return AppealCard(
        number=appeal.number, bulletin=bulletin.number, title=bulletin.title,
        short=bulletin.short, text=appeal.text, at=appeal.received_at, url=bulletin.url,
        due_at=await clocks.due_of(ctx, f"appeal:{appeal.id}"),
        files=str(len(appeal.attachments) or ""),
    )  # fmt: skip


async def line(ctx: Context, appeal: Appeal) -> AppealLine:
    """One appeal in a list."""
    bulletin = await ctx.work.bulletins.get(appeal.bulletin)
    return AppealLine(
        number=appeal.number, bulletin=bulletin.number, state=appeal.state.value,
        at=appeal.received_at, text=appeal.text[:200], reason=appeal.reason,
        files=str(len(appeal.attachments) or ""),
    )  # fmt: skip


async def answers(ctx: Context, bulletin: Bulletin) -> tuple[AppealAnswer, ...]:
    """The answers that stand, with their reasons: they are public, who asked is not."""
    final = ctx.at - timedelta(minutes=ctx.policy.undo_minutes)
    return tuple(
        AppealAnswer(at=one.decided_at or ctx.at, state=one.state.value, reason=one.reason)
        for one in await ctx.work.appeals.find(
            bulletin=bulletin.id, state__ne=AppealState.OPEN, decided_at__lte=final,
            order="-decided_at", limit=_ANSWERS,
        )
    )  # fmt: skip


async def tell_desk(ctx: Context, appeal: Appeal, bulletin: Bulletin) -> None:
    """A card to everyone at the desk."""
    await ctx.tell_role(
        Role.DESK,
        await card(ctx, appeal, bulletin),
        *choices(appeal),
        subject=f"appeal:{appeal.id}",
    )
