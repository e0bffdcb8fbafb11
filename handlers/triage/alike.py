"""同类线索: a lead that says what another waiting lead says joins its claim."""

import dataclasses

from handlers.context import Context
from handlers.proposing import alike, proposals
from handlers.replies import choose
from handlers.replies.shared import Done
from handlers.router import Args, action
from handlers.triage import filing
from matrix.core.claim import LINK, Link
from matrix.core.errors import Refusal
from matrix.core.lead import LEAD, Lead
from matrix.core.roles import Role


@action("lead.alike", Role.DESK)
async def join(ctx: Context, subject: str, args: Args) -> None:
    """The desk confirms: from now on both are sightings of one claim and are filed together."""
    lead = await ctx.work.leads.get(subject)
    link = await ctx.work.links.get(args["link"])
    LEAD.rule(lead.state, "attach")
    other = await alike.first_waiting(ctx, link.target)
    if other is None:
        await _join_case(ctx, lead, link)
        return
    await ctx.move(LINK, ctx.work.links, link, "confirm")
    before = lead.claim
    lead = await _reclaim(ctx, lead, link.target)
    await ctx.reply(
        Done(what="alike", subject=lead.number, detail=other.number),
        choose("lead.apart", lead.id, link=link.id, claim=before, version=str(lead.version)),
        choose("lead.open", other.id, text=other.number, keep=True),
        subject=f"lead:{lead.id}",
    )


async def _join_case(ctx: Context, lead: Lead, link: Link) -> None:
    """The other lead was filed meanwhile: this one joins its case."""
    case = await ctx.work.cases.one(claim=link.target)
    if case is None:
        raise Refusal("no_such_case", {"what": lead.number})
    await ctx.move(LINK, ctx.work.links, link, "confirm")
    await filing.attach(ctx, lead, case)
    await proposals.sightings_grew(ctx, case)
    await ctx.reply(Done(what="attached", subject=lead.number, detail=case.number))


@action("lead.apart", Role.DESK)
async def part(ctx: Context, subject: str, args: Args) -> None:
    """撤销: the lead has its own claim again, while it still waits."""
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    facts = ctx.undo_facts(int(args["version"]))
    ctx.require("nothing_followed", holds=bool(facts["in_time"]))
    await ctx.move(LINK, ctx.work.links, await ctx.work.links.get(args["link"]), "undo")
    await _reclaim(ctx, lead, args["claim"])
    await ctx.reply(Done(what="undone", subject=lead.number), choose("lead.open", lead.id))


async def _reclaim(ctx: Context, lead: Lead, claim: str) -> Lead:
    """The lead and its sighting count for another claim; the proposal sees the new spread."""
    sighting = await ctx.work.sightings.one(lead=lead.id)
    if sighting is not None:
        await ctx.work.sightings.save(dataclasses.replace(sighting, claim=claim))
    lead = dataclasses.replace(lead, claim=claim)
    lead = dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    await ctx.note("lead", lead.id, "claim", claim=claim)
    return await ctx.work.leads.save(lead)
