"""What becomes of a new lead: answered, joined to a case, asked for text, or queued."""

import dataclasses

from handlers import clocks
from handlers.cards import appeals
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.feedback import owing
from handlers.intake import flooding, storing
from handlers.proposing import alike, answering, proposals
from handlers.replies import choose
from handlers.replies.intake import (
    Danger,
    LeadAnswered,
    LeadJoined,
    LeadNeedsText,
    LeadOfficial,
    LeadQueued,
    LeadSimilar,
)
from handlers.services import Found, Resemblance
from matrix.core.bulletin import Bulletin
from matrix.core.case import Case, CaseState
from matrix.core.claim import LinkState
from matrix.core.deadline import Stage
from matrix.core.lead import LEAD, Lead
from matrix.core.roles import MACHINE
from matrix.matching.judge import ALIKE
from matrix.triage.grade import endangers_life

SHORT = 10
"""Units under which a text cannot stand alone."""
OVER = frozenset({CaseState.CLOSED, CaseState.NOT_ACCEPTED})


async def decide(ctx: Context, lead: Lead, found: Found, text: str) -> None:
    """Answered, joined to a running case, asked for text, or queued with a proposal."""
    danger = Danger() if endangers_life(text) else None
    await ctx.work.bulletins.load([one.target for one in found.candidates])
    answer = await answering.answer_of(ctx, found)
    same = answer is not None and answer[0].identical
    # Who filed the very same words as a case has decided that a rebuttal like it does not answer.
    joined = None if same else await _running_case(ctx, lead, found)
    if answer is not None and joined is None:
        await _answer(ctx, lead, answer[0], answer[1], found, danger)
        return
    if joined is not None:
        await _join(ctx, lead, joined[0], joined[1], found, danger)
        return
    official = await _official(ctx, found)
    if official is not None:
        await ctx.move(LEAD, ctx.work.leads, lead, "reject", by=MACHINE, reason="official")
        await ctx.reply(
            LeadOfficial(number=lead.number, title=official.title, url=official.url),
            subject=f"mine:{lead.id}",
        )
        return
    # A short text that a running case or a waiting lead repeats word for word is no riddle.
    if not text or (found.asks_original and alike.beside(ctx, lead, found).asks_original):
        await ctx.move(LEAD, ctx.work.leads, lead, "ask", by=MACHINE)
        await ctx.reply(
            LeadNeedsText(
                danger=danger, number=lead.number, kept="yes" if lead.attachments else ""
            ),
            choose("lead.supplement", lead.id),
            subject=f"mine:{lead.id}",
        )
        return
    await _queue(ctx, lead, found, danger)


async def _answer(
    ctx: Context,
    lead: Lead,
    one: Resemblance,
    bulletin: Bulletin,
    found: Found,
    danger: Danger | None,
) -> None:
    await answering.link(ctx, lead, one, LinkState.MATCHED, found.model_version)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "answer", by=MACHINE, bulletin=bulletin.id)
    await ctx.reply(
        LeadAnswered(
            danger=danger,
            number=lead.number,
            issued_at=bulletin.issued_at,
            issuer=ctx.directory.unit_name(bulletin.issuer),
            short=bulletin.short,
            url=bulletin.url,
        ),
        choose("lead.copy", bulletin.id, keep=True),
        choose("lead.dispute", lead.id),
        choose("lead.rate", lead.id, label="rate_useful", rating="useful"),
        *appeals.offered(bulletin),
        subject=f"mine:{lead.id}",
        purpose=f"answer:{lead.id}",
    )


async def _running_case(ctx: Context, lead: Lead, found: Found) -> tuple[Resemblance, Case] | None:
    """The open case whose claim is identical: the machine links it by itself."""
    for one in alike.same_cases(ctx, lead, found):
        case = await root_of(ctx, one.target)
        if case is not None and case.state not in OVER:
            return one, case
    return None


async def root_of(ctx: Context, case_id: str) -> Case | None:
    """The case that a merged one went into, or itself."""
    case = await ctx.work.cases.maybe(case_id)
    while case is not None and case.merged_into:
        case = await ctx.work.cases.maybe(case.merged_into)
    return case


async def _join(
    ctx: Context, lead: Lead, one: Resemblance, case: Case, found: Found, danger: Danger | None
) -> None:
    await answering.link(ctx, lead, one, LinkState.MATCHED, found.model_version)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "queue", by=MACHINE)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "attach", by=MACHINE, case=case.id)
    await proposals.sightings_grew(ctx, case)

    await owing.catch_up(ctx, case, lead)
    await ctx.reply(
        LeadJoined(danger=danger, number=lead.number, case=case.number),
        choose("lead.dispute", lead.id),
        subject=f"mine:{lead.id}",
    )


async def _official(ctx: Context, found: Found) -> Bulletin | None:
    """A forwarded rebuttal of our own is not a rumor: it carries the whole title."""
    for one in found.candidates:
        bulletin = await ctx.work.bulletins.maybe(one.target)
        if bulletin is None or not answering.in_force(ctx, bulletin):
            continue
        title = bulletin.title
        if len(title) >= SHORT and title != bulletin.claim_text and title in found.text:
            return bulletin
    return None


async def _queue(ctx: Context, lead: Lead, found: Found, danger: Danger | None) -> None:
    """Queued with a proposed case; candidates wait for the desk."""
    near = await answering.suggestions(ctx, found)
    for one, _ in near:
        await answering.link(ctx, lead, one, LinkState.SUGGESTED, found.model_version)
    lead = dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    held_back = await flooding.holds_back(ctx, lead)
    if held_back:
        lead = alike.put_off(lead)
    else:
        await alike.suggest(ctx, lead, found)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "queue", by=MACHINE)
    grade = proposals.grade_of(lead)
    await clocks.start(
        ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at, new=True
    )
    if not held_back:
        await lead_cards.tell_desk(ctx, lead)
    places = [choose("lead.where", lead.id, text=name, area=code) for code, name in _places(ctx)]
    if near and near[0][0].score >= ALIKE:
        one, bulletin = near[0]
        await ctx.reply(
            LeadSimilar(
                danger=danger,
                number=lead.number,
                title=bulletin.title,
                differences=answering.differences(one),
            ),
            choose("lead.view", lead.id, bulletin=bulletin.id, keep=True),
            choose("lead.seen", lead.id, label="seen_group", at="group"),
            choose("lead.seen", lead.id, label="seen_moments", at="moments"),
            choose("lead.seen", lead.id, label="seen_video", at="video"),
            choose("lead.seen", lead.id, label="seen_other", at="other"),
            subject=f"mine:{lead.id}",
        )
        return
    await ctx.reply(
        LeadQueued(danger=danger, number=lead.number),
        *(
            []
            if lead.about_area
            else [*places, choose("lead.where", lead.id, label="where_unknown", area="")]
        ),
        choose("lead.supplement", lead.id),
        choose("lead.withdraw", lead.id),
        subject=f"mine:{lead.id}",
    )


def _places(ctx: Context) -> list[tuple[str, str]]:
    """The reporter's own town and the whole district: the usual answers to where."""
    chosen = []
    home = ctx.directory.areas.get(storing.home(ctx))
    if home is not None:
        chosen.append((home.id, home.name))
    district = next((a for a in ctx.directory.areas.values() if a.kind == "district"), None)
    if district is not None and district.id != (home.id if home else ""):
        chosen.append((district.id, district.name))
    return chosen
