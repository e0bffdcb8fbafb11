"""A lead as the desk sees it: its proposed case with the reasons, and the desk's buttons."""

from collections.abc import Mapping, Sequence
from typing import cast

from handlers import clocks
from handlers.cards import pictures
from handlers.context import Context
from handlers.proposing import alike
from handlers.proposing.proposals import grade_of, texts
from handlers.replies import Choice, choose
from handlers.replies.shared import Reason
from handlers.replies.triage import CandidateLine, QueuedCard
from matrix.core.claim import Link, LinkState
from matrix.core.lead import Lead
from matrix.core.roles import Role
from matrix.triage import routing

_TARGETS = ("bulletin", "case", "claim")
"""Kinds of what a link leads to."""


def reasons(ctx: Context, routing_reasons: object) -> tuple[Reason, ...]:
    """Routing reasons with names for codes."""
    found = []
    for why, unit, about in cast("list[tuple[str, str, str]]", routing_reasons or []):
        topic = ctx.directory.topics.get(about)
        name = topic.name if topic else ctx.directory.area_name(about)
        if about in ctx.directory.units:
            name = ctx.directory.unit_name(about)
        found.append(Reason(kind=f"route-{why}", left=ctx.directory.unit_name(unit), right=name))
    return tuple(found)


def graded(assessment: Mapping[str, object]) -> tuple[Reason, ...]:
    """The rule that decided the grade, and what raised the influence."""
    rule = str(assessment.get("rule") or "")
    raised = cast("list[tuple[str, str, str]]", assessment.get("spread") or [])
    found = [Reason(kind=f"spread-{what}", left=count, right=more) for what, count, more in raised]
    return (Reason(kind=f"grade-{rule}"), *found) if rule else tuple(found)


def axes_of(assessment: Mapping[str, object]) -> str:
    """Severity, controllability, influence."""
    return " · ".join(
        str(assessment.get(axis) or 0) for axis in ("severity", "controllability", "influence")
    )


def names(ctx: Context, units: object) -> str:
    """Unit codes as names."""
    return "、".join(ctx.directory.unit_name(code) for code in texts(units))


async def _suggested(ctx: Context, lead: Lead) -> list[Link]:
    """What the lead may be about, likeliest first, with what the links lead to at hand."""
    await alike.compare(ctx, lead)
    links = await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED, order="-score")
    to = {kind: [link.target for link in links if link.target_kind == kind] for kind in _TARGETS}
    await ctx.work.bulletins.load(to["bulletin"])
    await ctx.work.cases.load(to["case"])
    await ctx.work.claims.load(to["claim"])
    await ctx.work.leads.load([(await ctx.work.claims.get(c)).first_lead for c in to["claim"]])
    return links


async def card(ctx: Context, lead: Lead, *, disputed: bool = False) -> QueuedCard:
    """The lead as the desk sees it."""
    return await _card(ctx, lead, await _suggested(ctx, lead), disputed=disputed)


async def _card(
    ctx: Context, lead: Lead, links: Sequence[Link], *, disputed: bool = False
) -> QueuedCard:
    candidates = []
    for link in links:
        title = await title_of(ctx, link)
        candidates.append(
            CandidateLine(
                kind=link.target_kind,
                title=title,
                reasons=tuple(Reason(kind=k, left=a, right=b) for k, a, b in link.reasons),
            )
        )
    claimed = (
        ctx.directory.person_name(lead.claimed_by)
        if lead.claimed_until and lead.claimed_until > ctx.at
        else ""
    )
    proposal = lead.proposal
    return QueuedCard(
        number=lead.number,
        grade=grade_of(lead),
        text=lead.text[:300],
        owner=ctx.directory.unit_name(str(proposal.get("owner", ""))),
        co_units=names(ctx, proposal.get("co_units")),
        reasons=reasons(ctx, proposal.get("routing")),
        axes=axes_of(proposal),
        graded=graded(proposal),
        certainty=str(proposal.get("certainty") or ""),
        refer=str(proposal.get("refer") or ""),
        candidates=tuple(candidates[:3]),
        sightings=max(1, await ctx.work.sightings.count(claim=lead.claim) if lead.claim else 1),
        area=ctx.directory.area_name(lead.about_area) if lead.about_area else "",
        seen_in=f"seen_{lead.seen_in}" if lead.seen_in else "",
        files=str(len(lead.attachments) or ""),
        entered="yes" if lead.entered_by else "",
        edited="yes" if lead.edited else "",
        disputed="yes" if disputed else "",
        claimed=claimed,
        due_at=await clocks.due_of(ctx, f"lead:{lead.id}"),
    )


async def title_of(ctx: Context, link: Link) -> str:
    """What a link leads to, as people name it."""
    match link.target_kind:
        case "bulletin":
            return (await ctx.work.bulletins.get(link.target)).title
        case "claim":
            claim = await ctx.work.claims.get(link.target)
            return (await ctx.work.leads.get(claim.first_lead)).number
        case _:
            return (await ctx.work.cases.get(link.target)).number


async def choices(ctx: Context, lead: Lead) -> list[Choice]:
    """The usual answers first; the rest behind 更多."""
    return await _choices(ctx, lead, await _suggested(ctx, lead))


async def _choices(ctx: Context, lead: Lead, links: Sequence[Link]) -> list[Choice]:
    found = []
    for link in links:
        if link.target_kind == "bulletin":
            bulletin = await ctx.work.bulletins.get(link.target)
            found.append(
                choose("lead.confirm", lead.id, "lead_confirm", text=bulletin.number, link=link.id)
            )
        elif link.target_kind == "claim":
            number = await title_of(ctx, link)
            found.append(choose("lead.alike", lead.id, label="alike_to", text=number, link=link.id))
        else:
            case = await ctx.work.cases.get(link.target)
            found.append(
                choose("lead.attach", lead.id, label="attach_to", text=case.number, case=case.id)
            )
    keep = "lead.file" if lead.proposal.get("owner") else "lead.owner"
    found.insert(0, choose(keep, lead.id))
    if lead.proposal.get("refer"):
        up = choose("lead.refer", lead.id, label="lead_refer_up", to=routing.UPWARD)
        found.insert(0, up)
    files = pictures.offered(lead)
    return [*found[: 4 - len(files)], *files, choose("lead.more", lead.id, keep=True)]


async def tell_desk(ctx: Context, lead: Lead, *, disputed: bool = False) -> None:
    """A card to everyone at the desk; the first press claims or settles it for all."""
    links = await _suggested(ctx, lead)
    shown = await _card(ctx, lead, links, disputed=disputed)
    buttons = await _choices(ctx, lead, links)
    await ctx.tell_role(Role.DESK, shown, *buttons, subject=f"lead:{lead.id}")
