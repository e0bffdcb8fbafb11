"""Appeals as they are shown."""

from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.appeals import AppealCard, AppealLine
from matrix.core.appeal import Appeal, AppealState
from matrix.core.bulletin import Bulletin, BulletinState
from matrix.core.roles import Role


def offered(bulletin: Bulletin) -> list[Choice]:
    """The button under a bulletin that a reporter reads."""
    if bulletin.state is not BulletinState.CURRENT:
        return []
    return [choose("appeal.file", bulletin.id, "appeal_file", bulletin.number)]


def choices(appeal: Appeal) -> list[Choice]:
    """What the desk may do."""
    if appeal.state is not AppealState.OPEN:
        return []
    buttons = [choose("appeal.uphold", appeal.id), choose("appeal.deny", appeal.id)]
    if appeal.case:
        buttons.append(choose("case.open", appeal.case, keep=True))
    return buttons


def card(appeal: Appeal, bulletin: Bulletin) -> AppealCard:
    """The appeal beside the text in question."""
    return AppealCard(
        number=appeal.number, bulletin=bulletin.number, title=bulletin.title,
        short=bulletin.short, text=appeal.text, at=appeal.received_at, url=bulletin.url,
    )  # fmt: skip


async def line(ctx: Context, appeal: Appeal) -> AppealLine:
    """One appeal in a list."""
    bulletin = await ctx.work.bulletins.get(appeal.bulletin)
    return AppealLine(
        number=appeal.number, bulletin=bulletin.number, state=appeal.state.value,
        at=appeal.received_at, text=appeal.text[:200], reason=appeal.reason,
    )  # fmt: skip


async def tell_desk(ctx: Context, appeal: Appeal, bulletin: Bulletin) -> None:
    """A card to everyone at the desk."""
    await ctx.tell_role(
        Role.DESK, card(appeal, bulletin), *choices(appeal), subject=f"appeal:{appeal.id}"
    )
