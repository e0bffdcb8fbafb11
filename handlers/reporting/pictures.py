"""The pictures of a lead or an appeal, on a page that is opened from its card."""

from dataclasses import dataclass

from handlers.cards import cases as case_cards
from handlers.context import Context
from handlers.replies.shared import PicturePage
from handlers.router import Args, action
from matrix.core.appeal import Appeal
from matrix.core.conversation import Attachment
from matrix.core.errors import NotAllowed, Refusal
from matrix.core.lead import Lead
from matrix.core.roles import OWNERS, Role

LOOK = "look"
"""The event of somebody who has opened the page: nothing is done by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What came with ``kind`` (lead or appeal), in the order in which it came.

    A file whose time is over still stands in its place, with ``removed_at``.
    """

    kind: str
    id: str
    number: str
    case: str
    files: tuple[Attachment, ...]


@action("pictures.open")
async def link(ctx: Context, subject: str, args: Args) -> None:
    """A fresh link for this person. It is a secret: it expires soon and names one thing."""
    del args
    found = await seen(ctx, subject)
    if not ctx.services.pages.reachable:
        raise Refusal("no_picture_page")
    url, until = ctx.services.pages.pictures(identity=ctx.identity, subject=subject, at=ctx.at)
    await ctx.reply(
        PicturePage(
            of=found.kind, number=found.number, count=len(found.files), url=url, until=until
        )
    )


async def seen(ctx: Context, subject: str) -> Pictures:
    """What this person may see of it now. Raises NotAllowed, NotFound."""
    kind, _, entity_id = subject.partition(":")
    item = await _item(ctx, kind, entity_id)
    await _require_sight(ctx, item)
    files = [await ctx.work.attachments.get(one) for one in item.attachments]
    return Pictures(kind=kind, id=item.id, number=item.number, case=item.case, files=tuple(files))


async def opened(ctx: Context, subject: str) -> Pictures:
    """The same, and it is noted who has looked. Raises NotAllowed, NotFound."""
    found = await seen(ctx, subject)
    await ctx.note(found.kind, found.id, LOOK, found.case, files=len(found.files))
    return found


async def _item(ctx: Context, kind: str, entity_id: str) -> Lead | Appeal:
    if kind == "lead":
        return await ctx.work.leads.get(entity_id)
    return await ctx.work.appeals.get(entity_id)


async def _require_sight(ctx: Context, item: Lead | Appeal) -> None:
    """The desk, and who may read it under its case (看线索, 看异议).

    A supervisor reads the leads of an area in masked words; a picture cannot be masked.
    """
    if ctx.has(Role.DESK):
        return
    case = await ctx.work.cases.maybe(item.case)
    if case is None or (isinstance(item, Appeal) and not ctx.has(*OWNERS)):
        raise NotAllowed("pictures.open")
    await case_cards.require_sight(ctx, case)
