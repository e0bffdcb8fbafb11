"""A message becomes a lead with its number, its claim and its sighting."""

import dataclasses

from handlers.context import Context
from handlers.services import Found
from matrix.core import drill
from matrix.core.claim import Claim, Sighting
from matrix.core.conversation import Inbound
from matrix.core.errors import StaleVersion
from matrix.core.lead import LEAD, Lead
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE
from matrix.privacy import mask
from matrix.triage.calendar import LOCAL


async def store(
    ctx: Context,
    message: Inbound,
    text: str,
    found: Found,
    *,
    entered_by: str = "",
    in_drill: bool = False,
) -> Lead:
    """Keep a message as a lead: numbered, masked for wide view, sealed in the original."""
    local = ctx.at.astimezone(LOCAL)
    series = drill.NUMBERS if in_drill else ""
    serial = await ctx.work.serial(f"{series}lead:{local.date().isoformat()}")
    lead_id = ctx.services.ids.new()
    claim = await claim_of(ctx, text, found, first=lead_id) if text and found.key else None
    masked = mask(text)
    lead = Lead(
        id=lead_id,
        number=f"{series}{local:%m%d}-{serial:02d}",
        reporter=ctx.me.id,
        platform=ctx.platform,
        chat=ctx.chat,
        in_group=message.in_group,
        text=masked,
        sealed=ctx.services.sealer.seal(text),
        key=found.key,
        parts=(masked,) if text else (),
        attachments=message.files,
        media_group=message.media_group,
        received_at=message.received_at,
        last_part_at=ctx.at,
        about_area=found.areas[0] if found.areas else "",
        heard_area=home(ctx),
        claim=claim.id if claim else "",
        entered_by=entered_by,
        drill=in_drill,
    )
    await ctx.work.leads.add(lead)
    step = Step(
        entity=LEAD.name, entity_id=lead.id, action="receive", source="",
        target=lead.state.value, actor=MACHINE,
    )  # fmt: skip
    await ctx.log(step, lead)
    if claim is not None:
        await sight(ctx, lead, claim)
    return lead


def apart(found: Found) -> Found:
    """In a drill: not answered by anything real, and no claim of a real lead."""
    return dataclasses.replace(
        found, decision="none", candidates=(), asks_original=False,
        key=f"{drill.NUMBERS}{found.key}",
    )  # fmt: skip


def home(ctx: Context) -> str:
    """The area of the reporter's own post: where the rumor was heard."""
    for post in ctx.posts:
        unit = ctx.directory.units.get(post.unit)
        if unit is not None and unit.area:
            return unit.area
    return ""


async def claim_of(ctx: Context, text: str, found: Found, *, first: str) -> Claim:
    """Identical text is one claim, enforced by the unique key; a new one is of the ``first`` lead.

    Its reporter keeps the credit.
    """
    known = await ctx.work.claims.one(key=found.key)
    if known is not None:
        return known
    claim = Claim(
        id=ctx.services.ids.new(),
        wording=mask(found.text or text)[:500],
        key=found.key,
        areas=found.areas,
        first_lead=first,
        first_seen_at=ctx.at,
    )
    try:
        return await ctx.work.claims.add(claim)
    except StaleVersion:
        again = await ctx.work.claims.one(key=found.key)
        if again is None:
            raise
        return again


async def sight(ctx: Context, lead: Lead, claim: Claim) -> None:
    """One sighting per lead."""
    await ctx.work.sightings.add(
        Sighting(
            id=ctx.services.ids.new(),
            lead=lead.id,
            claim=claim.id,
            person=lead.reporter,
            area=lead.heard_area,
            chat=f"{lead.platform}:{lead.chat}",
            seen_at=lead.received_at,
        )
    )
