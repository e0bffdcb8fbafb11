"""What a lead is like beside the bulletins: running cases, and claims of leads that still wait."""

import dataclasses

from handlers.context import Context
from handlers.proposing import answering
from handlers.services import Beside, Found, Resemblance
from matrix.core.claim import LinkState
from matrix.core.lead import Lead, LeadState

CLAIM = "claim"
"""What a link to a waiting lead's claim has as its target's kind."""


CASE = "case"


def beside(ctx: Context, lead: Lead, found: Found) -> Beside:
    """What waits and is alike; a drill is compared with nothing."""
    return Beside() if lead.drill else ctx.services.matching.beside(found)


def same_cases(ctx: Context, lead: Lead, found: Found) -> list[Resemblance]:
    """Cases of the very words of the lead, best first."""
    if lead.drill or not ctx.services.matching.repeats_case(found):
        return []
    return [one for one in beside(ctx, lead, found).alike if one.kind == CASE and one.identical]


LATER = "compare"
"""In a proposal: the lead is compared with what waits when somebody opens it."""


def put_off(lead: Lead) -> Lead:
    """A lead that nobody is shown yet is not compared yet."""
    return dataclasses.replace(lead, proposal={**lead.proposal, LATER: "later"})


async def compare(ctx: Context, lead: Lead) -> None:
    """What was put off, for who looks at the lead now; once something is found, never again."""
    if not lead.proposal.get(LATER) or lead.state is not LeadState.QUEUED:
        return
    if await ctx.work.links.count(lead=lead.id, target_kind__in=(CASE, CLAIM)):
        return
    await suggest(ctx, lead, ctx.services.matching.find(_original(ctx, lead)))


def _original(ctx: Context, lead: Lead) -> str:
    """After retention, and under another key, there is the masked text only."""
    try:
        return ctx.services.sealer.unseal(lead.sealed) or lead.text
    except ValueError:
        return lead.text


async def suggest(ctx: Context, lead: Lead, found: Found) -> None:
    """Links to the running cases and waiting claims that are worth a look."""
    for one in await worth_a_look(ctx, lead, found):
        await answering.link(ctx, lead, one, LinkState.SUGGESTED, found.model_version)


async def worth_a_look(ctx: Context, lead: Lead, found: Found) -> list[Resemblance]:
    """Cases, then claims of other leads that have no case yet (同类线索); best first."""
    alike = beside(ctx, lead, found).alike
    return [one for one in alike if one.kind == CASE] + [
        one
        for one in alike
        if one.kind == CLAIM and one.target != lead.claim and await first_waiting(ctx, one.target)
    ]


async def first_waiting(ctx: Context, claim: str) -> Lead | None:
    """The oldest lead of a claim that is still queued."""
    leads = await ctx.work.leads.find(
        claim=claim, state=LeadState.QUEUED, order="received_at", limit=1
    )
    return leads[0] if leads else None
