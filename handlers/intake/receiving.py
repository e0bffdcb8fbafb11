"""A report comes in: stored, numbered, masked, matched, answered or queued, in one transaction."""

import dataclasses
from datetime import timedelta

from handlers import clocks
from handlers.appeals import cards as appeals
from handlers.context import Context
from handlers.intake import answering
from handlers.replies import choose
from handlers.replies.intake import (
    Danger,
    GroupAnswer,
    LeadAnswered,
    LeadJoined,
    LeadNeedsText,
    LeadOfficial,
    LeadQueued,
    LeadSimilar,
    LeadSupplemented,
)
from handlers.services import Found, Resemblance
from handlers.triage import alike, proposals
from matrix.core.bulletin import Bulletin
from matrix.core.case import Case, CaseState
from matrix.core.claim import Claim, LinkState, Sighting
from matrix.core.conversation import Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal, StaleVersion
from matrix.core.lead import LEAD, Lead, LeadState
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE
from matrix.matching.judge import ALIKE
from matrix.privacy import mask
from matrix.triage.calendar import LOCAL
from matrix.triage.grade import endangers_life

OVER = frozenset({CaseState.CLOSED, CaseState.NOT_ACCEPTED})
SHORT = 10
"""Units under which a part cannot stand alone and joins what was sent just before."""


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
        lead = await _store(ctx, message, quoted, found, "")
        await _decide(await _alone(ctx), lead, found, quoted)


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
        await supplement(ctx, before, body, message.files)
        return
    lead = await _store(ctx, message, body, found, entered_by)
    await _decide(ctx, lead, found, body)


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
    stands_alone = found.length >= SHORT and lead.state is not LeadState.NEEDS_INFO
    if (stands_alone or forwarded) and not album:
        return None
    open_states = {LeadState.QUEUED, LeadState.NEEDS_INFO, LeadState.ANSWERED, LeadState.ATTACHED}
    return lead if lead.state in open_states else None


async def _store(ctx: Context, message: Inbound, text: str, found: Found, entered_by: str) -> Lead:
    local = ctx.at.astimezone(LOCAL)
    serial = await ctx.work.serial(f"lead:{local.date().isoformat()}")
    claim = await _claim(ctx, text, found) if text and found.key else None
    lead = Lead(
        id=ctx.services.ids.new(),
        number=f"{local:%m%d}-{serial:02d}",
        reporter=ctx.me.id,
        platform=ctx.platform,
        chat=ctx.chat,
        in_group=message.in_group,
        text=mask(text),
        sealed=ctx.services.sealer.seal(text),
        key=found.key,
        parts=(mask(text),) if text else (),
        attachments=message.files,
        media_group=message.media_group,
        received_at=message.received_at,
        last_part_at=ctx.at,
        about_area=found.areas[0] if found.areas else "",
        heard_area=_home(ctx),
        claim=claim.id if claim else "",
        entered_by=entered_by,
    )
    await ctx.work.leads.add(lead)
    step = Step(
        entity=LEAD.name, entity_id=lead.id, action="receive", source="",
        target=lead.state.value, actor=MACHINE,
    )  # fmt: skip
    await ctx.log(step, lead)
    if claim is not None:
        await _sight(ctx, lead, claim)
    return lead


def _home(ctx: Context) -> str:
    """The area of the reporter's own post: where the rumor was heard."""
    for post in ctx.posts:
        unit = ctx.directory.units.get(post.unit)
        if unit is not None and unit.area:
            return unit.area
    return ""


async def _claim(ctx: Context, text: str, found: Found) -> Claim:
    """Identical text is one claim, enforced by the unique key."""
    known = await ctx.work.claims.one(key=found.key)
    if known is not None:
        return known
    claim = Claim(
        id=ctx.services.ids.new(),
        wording=mask(found.text or text)[:500],
        key=found.key,
        areas=found.areas,
        first_seen_at=ctx.at,
    )
    try:
        return await ctx.work.claims.add(claim)
    except StaleVersion:
        again = await ctx.work.claims.one(key=found.key)
        if again is None:
            raise
        return again


async def _sight(ctx: Context, lead: Lead, claim: Claim) -> None:
    """One sighting per lead; the claim's first reporter keeps the credit."""
    if not claim.first_lead:
        await ctx.work.claims.save(dataclasses.replace(claim, first_lead=lead.id))
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


async def _decide(ctx: Context, lead: Lead, found: Found, text: str) -> None:
    """Answered, joined to a running case, asked for text, or queued with a proposal."""
    danger = Danger() if endangers_life(text) else None
    answer = await answering.answer_of(ctx, found)
    joined = await _running_case(ctx, found)
    # Who filed the very same words as a case has decided that a rebuttal like it does not answer.
    if answer is not None and (joined is None or answer[0].identical):
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
    if found.asks_original or not text:
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


async def _running_case(ctx: Context, found: Found) -> tuple[Resemblance, Case] | None:
    """The open case whose claim is identical: the machine links it by itself."""
    for one in found.alike:
        if one.kind != "case" or not one.identical:
            continue
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
    from handlers.housekeeping import feedback

    await feedback.catch_up(ctx, case, lead)
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
    for one in found.alike:
        if one.kind == "case":
            await answering.link(ctx, lead, one, LinkState.SUGGESTED, found.model_version)
    for one in await alike.waiting(ctx, lead, found):
        await answering.link(ctx, lead, one, LinkState.SUGGESTED, found.model_version)
    lead = dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "queue", by=MACHINE)
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)
    await proposals.tell_desk(ctx, lead)
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
    home = ctx.directory.areas.get(_home(ctx))
    if home is not None:
        chosen.append((home.id, home.name))
    district = next((a for a in ctx.directory.areas.values() if a.kind == "district"), None)
    if district is not None and district.id != (home.id if home else ""):
        chosen.append((district.id, district.name))
    return chosen


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
    if not lead.claim:
        claim = await _claim(ctx, whole, found)
        lead = dataclasses.replace(lead, claim=claim.id, key=found.key)
        await _sight(ctx, lead, claim)
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
    await proposals.tell_desk(ctx, lead)
    await ctx.reply(LeadQueued(number=lead.number), subject=f"mine:{lead.id}")


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
    await supplement(ctx, lead, message.text.strip(), ())
