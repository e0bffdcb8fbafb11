"""What the desk may do with a queued lead: answer, attach, ask, take back."""

import dataclasses

from handlers import clocks
from handlers.cards import appeals, pictures
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.feedback import owing
from handlers.proposing import answering, proposals
from handlers.replies import choose
from handlers.replies.intake import LeadAnswered, LeadNeedsText
from handlers.replies.shared import AskText, Done, Pick, Settled
from handlers.router import Args, action, answer
from handlers.triage import filing
from matrix.core.case import CaseState
from matrix.core.claim import LINK, Link, LinkState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.lead import LEAD, Lead
from matrix.core.lifecycle import Facts
from matrix.core.roles import Role


@action("lead.more", Role.DESK)
async def more(ctx: Context, subject: str, args: Args) -> None:
    """The less usual answers."""
    del args
    lead = await ctx.work.leads.get(subject)
    await ctx.reply(
        await lead_cards.card(ctx, lead),
        choose("lead.file_only", lead.id),
        choose("lead.merge", lead.id),
        choose("lead.ask", lead.id),
        choose("lead.reject", lead.id),
        choose("lead.refer", lead.id),
        choose("lead.owner", lead.id),
        choose("lead.grade", lead.id),
        choose("lead.dismiss", lead.id),
        *pictures.offered(lead),
        subject=f"lead:{lead.id}",
    )


@action("lead.confirm", Role.DESK)
async def confirm(ctx: Context, subject: str, args: Args) -> None:
    """The candidate is the same claim: the reporter is answered with it."""
    lead = await ctx.work.leads.get(subject)
    link = await ctx.work.links.get(args["link"])
    bulletin = await ctx.work.bulletins.get(link.target)
    if not answering.in_force(ctx, bulletin):
        raise Refusal("bulletin_gone")
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "confirm", bulletin=bulletin.id)
    await _settle_links(ctx, lead, link)
    await clocks.stop(ctx, f"lead:{lead.id}")
    await ctx.settle_cards(f"lead:{lead.id}", Settled(what="answered", who=ctx.me.name, at=ctx.at))
    await ctx.tell(
        lead.reporter,
        LeadAnswered(
            number=lead.number,
            issued_at=bulletin.issued_at,
            issuer=ctx.directory.unit_name(bulletin.issuer),
            short=bulletin.short,
            url=bulletin.url,
        ),
        choose("lead.copy", bulletin.id, keep=True),
        choose("lead.dispute", lead.id),
        *appeals.offered(bulletin),
        subject=f"mine:{lead.id}",
        purpose=f"answer:{lead.id}",
    )
    await undoable(ctx, lead, "answered")


async def _settle_links(ctx: Context, lead: Lead, chosen: Link) -> None:
    for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
        await ctx.move(LINK, ctx.work.links, one, "confirm" if one.id == chosen.id else "dismiss")


async def undoable(ctx: Context, lead: Lead, what: str, detail: str = "") -> None:
    """Say what was done, with the button that takes it back."""
    await ctx.reply(
        Done(what=what, subject=lead.number, detail=detail),
        choose("lead.undo", lead.id, version=str(lead.version)),
        subject=f"lead:{lead.id}",
    )


@action("lead.dismiss", Role.DESK)
async def dismiss(ctx: Context, subject: str, args: Args) -> None:
    """None of the candidates is the same claim."""
    del args
    lead = await ctx.work.leads.get(subject)
    for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
        await ctx.move(LINK, ctx.work.links, one, "dismiss")
    await ctx.reply(Done(what="dismissed", subject=lead.number), choose("lead.open", lead.id))


@action("lead.merge", Role.DESK)
async def merge(ctx: Context, subject: str, args: Args) -> None:
    """并入: pick a running case, or type its number."""
    del args
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    running = await ctx.work.cases.find(
        merged_into="",
        drill=lead.drill,
        state__in=[state for state in CaseState if state not in _ENDED],
        order="-filed_at",
        limit=5,
    )
    buttons = [choose("lead.attach", lead.id, text=one.number, case=one.id) for one in running]
    await ctx.ask(
        "lead.merge", Pick(what="merge_into", subject=lead.number), *buttons, lead=lead.id
    )


_ENDED = frozenset({CaseState.CLOSED, CaseState.NOT_ACCEPTED})


@answer("lead.merge")
async def merge_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The number of the case to join."""
    case = await ctx.work.cases.one(number=message.text.strip())
    if case is None:
        raise Refusal("no_such_case", {"what": message.text.strip()[:20]})
    await attach(ctx, str(dialog.data["lead"]), {"case": case.id})


@action("lead.attach", Role.DESK)
async def attach(ctx: Context, subject: str, args: Args) -> None:
    """The lead joins a running case; its reporter hears of everything from now on."""
    lead = await ctx.work.leads.get(subject)
    case = await ctx.work.cases.get(args["case"])
    lead = await filing.attach(ctx, lead, case)
    await proposals.sightings_grew(ctx, case)
    await owing.catch_up(ctx, case, lead)
    await undoable(ctx, lead, "attached", case.number)


@action("lead.ask", Role.DESK)
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """退回补充: ask the reporter for more."""
    del args
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "ask")
    await ctx.ask("lead.ask", AskText(what="what_is_missing", subject=lead.number), lead=lead.id)


@answer("lead.ask")
async def ask_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """What the reporter is asked."""
    lead = await ctx.work.leads.get(str(dialog.data["lead"]))
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "ask")
    await clocks.stop(ctx, f"lead:{lead.id}")
    await ctx.settle_cards(f"lead:{lead.id}", Settled(what="asked", who=ctx.me.name, at=ctx.at))
    await ctx.tell(
        lead.reporter,
        LeadNeedsText(number=lead.number, asked=message.text.strip()[:300]),
        choose("lead.supplement", lead.id),
        subject=f"mine:{lead.id}",
    )
    await ctx.reply(Done(what="asked", subject=lead.number))


@action("lead.undo", Role.DESK)
async def undo(ctx: Context, subject: str, args: Args) -> None:
    """撤销 of answer, attach, reject, refer: within 30 minutes while nothing has followed."""
    lead = await ctx.work.leads.get(subject)
    facts = ctx.undo_facts(int(args["version"]))
    lead = await back_to_queue(ctx, lead, facts)
    await ctx.reply(Done(what="undone", subject=lead.number), choose("lead.open", lead.id))


_LINKED = (LinkState.MATCHED, LinkState.CONFIRMED, LinkState.DISMISSED)


async def back_to_queue(ctx: Context, lead: Lead, facts: Facts) -> Lead:
    """As before the desk's or the machine's decision: links undone, the filing clock runs."""
    outcome = f"{lead.state}:{lead.id}"
    lead = dataclasses.replace(lead, proposal=lead.proposal or await proposals.propose(ctx, lead))
    lead = await ctx.move(
        LEAD, ctx.work.leads, lead, "undo", facts=facts,
        case="", bulletin="", reason="", reference="",
    )  # fmt: skip
    for one in await ctx.work.links.find(lead=lead.id, state__in=_LINKED):
        await ctx.move(LINK, ctx.work.links, one, "undo")
    await owing.forget(ctx, lead, outcome)
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)
    return lead
