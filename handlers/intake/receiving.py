"""A report comes in: stored, numbered, masked, matched, answered or queued, in one transaction."""

import dataclasses
from datetime import timedelta

from handlers.context import Context
from handlers.intake import deciding, storing, supplementing
from handlers.proposing import answering
from handlers.replies.intake import (
    GroupAnswer,
)
from handlers.services import Found
from matrix.core.conversation import Inbound
from matrix.core.errors import Refusal
from matrix.core.lead import Lead, LeadState


async def in_group(ctx: Context, message: Inbound) -> None:
    """In groups the lead is the quoted message together with a mention; otherwise silence.

    All but what is certain is said to the reporter alone.
    """
    if not message.mentioned:
        return
    quoted = message.quoted.strip()
    if not quoted:
        return
    found = ctx.services.matching.find(quoted)
    answer = await answering.answer_of(ctx, found)
    if answer is not None:
        await ctx.reply(GroupAnswer(title=answer[1].title, url=answer[1].url))
    if ctx.person is not None:
        lead = await storing.store(ctx, message, quoted, found)
        await deciding.decide(await _alone(ctx), lead, found, quoted)


async def _alone(ctx: Context) -> Context:
    """The reporter's own chat on this platform: nobody is bound in a group."""
    bound = await ctx.work.identities.one(
        platform=ctx.platform, external=ctx.external, revoked_at=None
    )
    return dataclasses.replace(ctx, chat=bound.chat if bound else ctx.chat, in_group=False)


async def take(
    ctx: Context, message: Inbound, *, text: str | None = None, entered_by: str = ""
) -> None:
    """Take a message as a lead, or as a part of the one just before."""
    body = (message.text if text is None else text).strip()
    if len(body) > ctx.policy.text_limit:
        raise Refusal("text_too_long", {"detail": str(ctx.policy.text_limit)})
    if not body and not message.files:
        raise Refusal("empty")
    found = ctx.services.matching.find(body)
    before = None if entered_by else await _burst(ctx, message, found)
    if before is not None:
        await supplementing.supplement(ctx, before, body, message.files)
        return
    lead = await storing.store(ctx, message, body, found, entered_by=entered_by)
    await deciding.decide(ctx, lead, found, body)


async def _burst(ctx: Context, message: Inbound, found: Found) -> Lead | None:
    """The reporter's lead that this part belongs to.

    A text that can stand alone is its own lead even within the burst window: two rumors sent
    one after the other are two claims (docs/decisions/0005).
    """
    newest = await ctx.work.leads.find(reporter=ctx.me.id, order="-id", limit=1)
    if not newest or newest[0].chat != ctx.chat or newest[0].in_group:
        return None
    lead = newest[0]
    album = bool(message.media_group) and lead.media_group == message.media_group
    fresh = ctx.at - lead.last_part_at <= timedelta(seconds=ctx.policy.burst_seconds)
    capped = ctx.at - lead.received_at <= timedelta(seconds=ctx.policy.burst_cap_seconds)
    if not (album or (fresh and capped)):
        return None
    # A forwarded text is always a lead of its own, however short (conversation.md).
    forwarded = message.forwarded and bool(message.text.strip())
    stands_alone = found.length >= deciding.SHORT and lead.state is not LeadState.NEEDS_INFO
    if (stands_alone or forwarded) and not album:
        return None
    open_states = {LeadState.QUEUED, LeadState.NEEDS_INFO, LeadState.ANSWERED, LeadState.ATTACHED}
    return lead if lead.state in open_states else None


async def edited(ctx: Context, message: Inbound) -> None:
    """An edited message updates its lead and is marked; one that is gone on is left alone."""
    original = await ctx.work.inbox.one(platform=message.platform, message_id=message.edits)
    if original is None:
        await take(ctx, message)
        return
    leads = await ctx.work.leads.find(reporter=ctx.me.id, received_at=original.received_at, limit=1)
    if not leads or leads[0].state not in {LeadState.QUEUED, LeadState.NEEDS_INFO}:
        raise Refusal("edit_too_late")
    lead = dataclasses.replace(leads[0], edited=True)
    await supplementing.supplement(ctx, lead, message.text.strip(), ())
