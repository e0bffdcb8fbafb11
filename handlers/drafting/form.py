"""The draft in a form on a page that is opened from its card; saving is what sending text is."""

from collections.abc import Mapping

from handlers import context, matters
from handlers.context import Context
from handlers.drafting import writing
from handlers.replies.drafting import DraftPage
from handlers.router import Args, action
from handlers.services import Services
from matrix.core.bulletin import Revision, RevisionState
from matrix.core.conversation import Inbound
from matrix.core.errors import NotAllowed, Refusal, StaleVersion
from matrix.core.roles import OWNERS
from matrix.ports import Work


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
    url, until = ctx.services.pages.link(
        person=ctx.me.id, revision=revision.id, version=revision.version, at=ctx.at
    )
    await ctx.reply(DraftPage(number=case.number, serial=revision.serial, url=url, until=until))


async def context_of(services: Services, work: Work, person: str) -> Context:
    """A person at the form: they speak, and hear, where they were last bound.

    Raises:
        NotAllowed: they are gone, or their chat accounts unbound: no link outlives that.
    """
    bound = await work.identities.find(person=person, revoked_at=None, order="-bound_at", limit=1)
    if not bound:
        raise NotAllowed("draft.page")
    spoken = Inbound(
        id="", platform=bound[0].platform, message_id="", external=bound[0].external,
        chat=bound[0].chat, received_at=services.clock.now(),
    )  # fmt: skip
    ctx = await context.context_of(services, work, spoken)
    if ctx.me.id != person:
        raise NotAllowed("draft.page")
    return ctx


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
