"""A part joins a lead that is there already."""

import dataclasses

from handlers import clocks
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.intake import storing
from handlers.proposing import answering, proposals
from handlers.replies.intake import (
    LeadQueued,
    LeadSupplemented,
)
from matrix.core.claim import LinkState
from matrix.core.deadline import Stage
from matrix.core.lead import LEAD, Lead, LeadState
from matrix.privacy import mask


async def supplement(ctx: Context, lead: Lead, text: str, files: tuple[str, ...]) -> None:
    """A part joins a lead: text and files are added, and matching sees the whole."""
    parts = (*lead.parts, mask(text)) if text else lead.parts
    whole = "\n".join(parts)
    lead = dataclasses.replace(
        lead,
        parts=parts,
        text=whole,
        sealed=ctx.services.sealer.seal(
            "\n".join(filter(None, [ctx.services.sealer.unseal(lead.sealed), text]))
        ),
        attachments=(*lead.attachments, *files),
        last_part_at=ctx.at,
    )
    if lead.state in {LeadState.NEEDS_INFO, LeadState.LAPSED} and text:
        await _supplied(ctx, lead, whole)
        return
    lead = await ctx.work.leads.save(lead)
    await ctx.note("lead", lead.id, "part", lead.case)
    await ctx.reply(LeadSupplemented(number=lead.number, parts=len(parts) + len(lead.attachments)))


async def _supplied(ctx: Context, lead: Lead, whole: str) -> None:
    """What was missing is there: the lead goes on its way."""
    found = ctx.services.matching.find(whole)
    if lead.drill:
        found = storing.apart(found)
    if not lead.claim:
        claim = await storing.claim_of(ctx, whole, found, first=lead.id)
        lead = dataclasses.replace(lead, claim=claim.id, key=found.key)
        await storing.sight(ctx, lead, claim)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "supplement")
    answer = await answering.answer_of(ctx, found)
    if answer is not None:
        # Queued leads are answered by a person: the desk confirms with one press.
        found = dataclasses.replace(found, decision="suggest")
    for one, _ in await answering.suggestions(ctx, found):
        await answering.link(ctx, lead, one, LinkState.SUGGESTED, found.model_version)
    lead = await ctx.work.leads.save(
        dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    )
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)
    await lead_cards.tell_desk(ctx, lead)
    await ctx.reply(LeadQueued(number=lead.number), subject=f"mine:{lead.id}")
