"""Whether a bulletin may answer, read in the transaction that answers (domain §7.2)."""

import dataclasses

from handlers.context import Context
from handlers.replies.shared import Reason
from handlers.services import Found, Resemblance
from matrix.core.bulletin import Bulletin
from matrix.core.claim import LINK, Link, LinkState
from matrix.core.lead import Lead
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE
from matrix.matching.judge import WORTH_A_LOOK
from matrix.matching.verdicts import ReasonKind
from matrix.triage.calendar import LOCAL

METHOD = "machine"


def in_force(ctx: Context, bulletin: Bulletin) -> bool:
    """Current and not past its expiry, whatever the clock has got round to."""
    return bulletin.answers and (bulletin.expires_at is None or bulletin.expires_at > ctx.at)


def past_review(ctx: Context, bulletin: Bulletin) -> bool:
    """Past its review date it is only suggested, with its date."""
    return bulletin.review_at is not None and bulletin.review_at <= ctx.at


async def answer_of(ctx: Context, found: Found) -> tuple[Resemblance, Bulletin] | None:
    """The bulletin that answers by itself, or None. The index proposes, the database decides."""
    if found.decision != "match" or not found.candidates:
        return None
    best = found.candidates[0]
    bulletin = await ctx.work.bulletins.maybe(best.target)
    if bulletin is None or not in_force(ctx, bulletin) or past_review(ctx, bulletin):
        return None
    return best, bulletin


async def suggestions(ctx: Context, found: Found) -> list[tuple[Resemblance, Bulletin]]:
    """Bulletins in force that resemble the text, best first, at most three."""
    kept = []
    for one in found.candidates:
        bulletin = await ctx.work.bulletins.maybe(one.target)
        if bulletin is not None and in_force(ctx, bulletin):
            kept.append((_dated(ctx, one, bulletin), bulletin))
    near = [pair for pair in kept if pair[0].score >= WORTH_A_LOOK or pair is kept[0]]
    return near[:3] if found.decision != "none" else []


def _dated(ctx: Context, one: Resemblance, bulletin: Bulletin) -> Resemblance:
    """What is past its review says so, with the date."""
    if bulletin.review_at is None or not past_review(ctx, bulletin):
        return one
    day = bulletin.review_at.astimezone(LOCAL).date().isoformat()
    return dataclasses.replace(one, reasons=(*one.reasons, (ReasonKind.PAST_REVIEW.value, day, "")))


async def link(ctx: Context, lead: Lead, one: Resemblance, state: LinkState, version: str) -> Link:
    """Store how lead and target hang together, with everything to explain it."""
    made = Link(
        id=ctx.services.ids.new(),
        state=state,
        lead=lead.id,
        target_kind=one.kind,
        target=one.target,
        method=METHOD,
        score=one.score,
        reasons=one.reasons,
        model_version=version,
        created_at=ctx.at,
    )
    await ctx.work.links.add(made)
    step = Step(
        entity=LINK.name,
        entity_id=made.id,
        action="make",
        source="",
        target=state.value,
        actor=MACHINE,
    )
    await ctx.log(step, made)
    return made


_DIFFERENCES = ("differs", "review", "debunk")


def differences(one: Resemblance) -> tuple[Reason, ...]:
    """What differs, in words a grid supervisor understands; never a score."""
    return tuple(
        Reason(kind=kind, left=left, right=right)
        for kind, left, right in one.reasons
        if any(word in kind for word in _DIFFERENCES)
    )
