"""The draft in a form on a page that is opened from its card; saving is what sending text is."""

from collections.abc import Mapping

from handlers import matters
from handlers.context import Context
from handlers.drafting import writing
from handlers.replies.drafting import DraftPage
from handlers.router import Args, action
from matrix.core.bulletin import Revision, RevisionState
from matrix.core.errors import Refusal, StaleVersion
from matrix.core.roles import OWNERS


@action("draft.page", *OWNERS)
async def link(ctx: Context, subject: str, args: Args) -> None:
    """A fresh link for this person. It is a secret: it expires soon and names one draft."""
    del args
    revision = await readable(ctx, subject)
    if revision.state is not RevisionState.DRAFT:
        raise Refusal("draft_closed")
    if not ctx.services.pages.reachable:
        raise Refusal("no_draft_page")
    case = await matters.of(ctx, revision.case)
    url, until = ctx.services.pages.draft(
        identity=ctx.identity, revision=revision.id, version=revision.version, at=ctx.at
    )
    await ctx.reply(DraftPage(number=case.number, serial=revision.serial, url=url, until=until))


async def readable(ctx: Context, revision_id: str) -> Revision:
    """The draft. Raises NotAllowed for who may not write it, NotFound."""
    revision = await ctx.work.revisions.get(revision_id)
    await ctx.actor(OWNERS, revision, "edit")
    return revision


async def save(ctx: Context, revision_id: str, version: int, parts: Mapping[str, str]) -> Revision:
    """Replace what differs, as if it had been sent as text; the chat shows the new card.

    Raises:
        StaleVersion: the draft is not as it was when the form was opened.
        Refusal: it is closed, or a part is too long.
    """
    revision = await readable(ctx, revision_id)
    if revision.version != version:
        raise StaleVersion("revision")
    changed = {
        name: text for name, text in parts.items() if text.strip() != getattr(revision, name)
    }
    return await writing.write(ctx, revision.id, changed) if changed else revision
