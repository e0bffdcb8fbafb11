"""What the desk may do with a queued lead besides filing it."""

import dataclasses
from typing import cast

from handlers import clocks
from handlers.appeals import cards as appeals
from handlers.context import Context
from handlers.housekeeping import feedback
from handlers.intake import answering
from handlers.replies import choose
from handlers.replies.intake import LeadAnswered, LeadNeedsText
from handlers.replies.shared import AskText, Done, Pick, Settled
from handlers.router import Args, action, answer
from handlers.triage import filing, proposals, references, undoing
from matrix.core.case import CaseState, Grade
from matrix.core.claim import LINK, Link, LinkState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.lead import LEAD, Lead
from matrix.core.lifecycle import Facts
from matrix.core.roles import Role
from matrix.triage import grade as grading


@action("lead.more", Role.DESK)
async def more(ctx: Context, subject: str, args: Args) -> None:
    """The less usual answers."""
    del args
    lead = await ctx.work.leads.get(subject)
    await ctx.reply(
        await proposals.card(ctx, lead),
        choose("lead.file_only", lead.id),
        choose("lead.merge", lead.id),
        choose("lead.ask", lead.id),
        choose("lead.reject", lead.id),
        choose("lead.refer", lead.id),
        choose("lead.owner", lead.id),
        choose("lead.grade", lead.id),
        choose("lead.dismiss", lead.id),
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
    await _undoable(ctx, lead, "answered")


async def _settle_links(ctx: Context, lead: Lead, chosen: Link) -> None:
    for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
        await ctx.move(LINK, ctx.work.links, one, "confirm" if one.id == chosen.id else "dismiss")


async def _undoable(ctx: Context, lead: Lead, what: str, detail: str = "") -> None:
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
    await feedback.catch_up(ctx, case, lead)
    await _undoable(ctx, lead, "attached", case.number)


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


REASONS = ("not_rumor", "unclear", "not_ours", "opinion", "duplicate")


@action("lead.reject", Role.DESK)
async def reject(ctx: Context, subject: str, args: Args) -> None:
    """不予受理, with a reason from the list; the reporter is told in public words."""
    lead = await ctx.work.leads.get(subject)
    if "reason" not in args:
        LEAD.rule(lead.state, "reject")
        await ctx.reply(
            Pick(what="reject_reason", subject=lead.number),
            *[choose("lead.reject", lead.id, label=f"reason_{one}", reason=one) for one in REASONS],
        )
        return
    await _end(ctx, lead, "reject", "rejected", args["reason"])


@action("lead.refer", Role.DESK)
async def refer(ctx: Context, subject: str, args: Args) -> None:
    """转出: to 12345, upward, or to another body."""
    lead = await ctx.work.leads.get(subject)
    if "to" not in args:
        LEAD.rule(lead.state, "refer")
        await ctx.reply(
            Pick(what="refer_to", subject=lead.number),
            *[choose("lead.refer", lead.id, label=f"refer_{to}", to=to) for to in REFERRALS],
        )
        return
    lead = await _end(ctx, lead, "refer", "referred", args["to"])
    await references.ask(ctx, lead, args["to"])


REFERRALS = ("12345", "upward", "other")


async def _end(ctx: Context, lead: Lead, verb: str, what: str, reason: str) -> Lead:
    lead = await ctx.move(LEAD, ctx.work.leads, lead, verb, reason=reason)
    await clocks.stop(ctx, f"lead:{lead.id}")
    await ctx.settle_cards(f"lead:{lead.id}", Settled(what=what, who=ctx.me.name, at=ctx.at))
    # Told when the undo window is over: what is taken back was never said.
    await feedback.owe(ctx, lead, f"{what}:{lead.id}", wait_for_undo=True)
    await _undoable(ctx, lead, what, reason)
    return lead


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
    await feedback.forget(ctx, lead, outcome)
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)
    return lead


@action("lead.owner", Role.DESK)
async def owner(ctx: Context, subject: str, args: Args) -> None:
    """Change the proposed owner: the proposal's units first, then any by name."""
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    if "unit" in args:
        await _set_owner(ctx, lead, args["unit"])
        return
    near = proposals.texts(lead.proposal.get("co_units"))
    buttons = [
        choose("lead.owner", lead.id, text=ctx.directory.unit_name(code), unit=code)
        for code in near[:5]
    ]
    await ctx.ask(
        "lead.owner", AskText(what="which_unit", subject=lead.number), *buttons, lead=lead.id
    )


@answer("lead.owner")
async def owner_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The unit by name."""
    lead = await ctx.work.leads.get(str(dialog.data["lead"]))
    await _set_owner(ctx, lead, find_unit(ctx, message.text))


def find_unit(ctx: Context, name: str) -> str:
    """The code of a unit by its name, short name or code. Raises Refusal."""
    wanted = name.strip()
    hits = [
        unit.id
        for unit in ctx.directory.units.values()
        if wanted and wanted in {unit.id, unit.name, unit.short_name}
    ] or [
        unit.id
        for unit in ctx.directory.units.values()
        if wanted and (wanted in unit.name or wanted in unit.short_name)
    ]
    if len(hits) != 1:
        raise Refusal("no_such_unit", {"what": wanted[:20]})
    return hits[0]


async def _set_owner(ctx: Context, lead: Lead, unit: str) -> None:
    before = str(lead.proposal.get("owner", ""))
    co_units = [u for u in proposals.texts(lead.proposal.get("co_units")) if u != unit]
    routing = [["desk", unit, ""]]
    changed = ("owner", "co_units", "routing", "refer", "certainty")
    kept = {key: lead.proposal[key] for key in changed if key in lead.proposal}
    lead = await ctx.work.leads.save(
        dataclasses.replace(
            lead,
            # A person has decided: neither a referral nor a doubt is proposed any more.
            proposal={
                **lead.proposal,
                "owner": unit,
                "co_units": co_units,
                "routing": routing,
                "refer": "",
                "certainty": "",
            },
        )
    )
    done = await ctx.note("lead", lead.id, "owner", unit=unit, before=kept)
    await ctx.reply(
        await proposals.card(ctx, lead),
        *await proposals.choices(ctx, lead),
        *([choose("lead.undo_owner", lead.id, label="undo", done=done)] if before else []),
        subject=f"lead:{lead.id}",
    )


@action("lead.grade", Role.DESK)
async def grade(ctx: Context, subject: str, args: Args) -> None:
    """Change the proposed grade; lowering needs a reason."""
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    if "grade" not in args:
        await ctx.reply(
            Pick(what="grade", subject=lead.number),
            *[
                choose("lead.grade", lead.id, label=f"grade_{one}", grade=one.value)
                for one in reversed(Grade)
            ],
        )
        return
    wanted = Grade(args["grade"])
    if grading.lower(wanted, proposals.grade_of(lead)):
        await ctx.ask(
            "lead.grade", AskText(what="why_lower", subject=lead.number),
            lead=lead.id, grade=wanted.value,
        )  # fmt: skip
        return
    await _set_grade(ctx, lead, wanted, "")


@answer("lead.grade")
async def grade_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Why it is lowered."""
    lead = await ctx.work.leads.get(str(dialog.data["lead"]))
    await _set_grade(ctx, lead, Grade(str(dialog.data["grade"])), message.text.strip())


async def _set_grade(ctx: Context, lead: Lead, wanted: Grade, reason: str) -> None:
    kept = {key: lead.proposal.get(key) for key in ("grade", "rule")}
    lead = await ctx.work.leads.save(
        dataclasses.replace(
            lead, proposal={**lead.proposal, "grade": wanted.value, "rule": "person"}
        )
    )
    done = await ctx.note(
        "lead", lead.id, "grade", grade=wanted.value, before=kept, why=bool(reason)
    )
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, wanted, business=lead.received_at)
    await ctx.reply(
        await proposals.card(ctx, lead),
        *await proposals.choices(ctx, lead),
        choose("lead.undo_grade", lead.id, label="undo", done=done),
        subject=f"lead:{lead.id}",
    )


@action("lead.undo_owner", Role.DESK)
async def undo_owner(ctx: Context, subject: str, args: Args) -> None:
    """The proposed owner as it was."""
    await _undo_proposal(ctx, subject, "undo_owner", ("owner", "undo_owner", "where"), args["done"])


@action("lead.undo_grade", Role.DESK)
async def undo_grade(ctx: Context, subject: str, args: Args) -> None:
    """The proposed grade as it was, and the filing clock with it."""
    lead = await _undo_proposal(
        ctx, subject, "undo_grade", ("grade", "undo_grade", "where"), args["done"]
    )
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)


async def _undo_proposal(
    ctx: Context, subject: str, verb: str, again: tuple[str, ...], event: str
) -> Lead:
    lead = await ctx.work.leads.get(subject)
    done, facts = await undoing.look(
        ctx, event, lambda one: undoing.moved(one, "lead") or undoing.again(one, *again),
        entity_id=lead.id,
    )  # fmt: skip
    before = cast("dict[str, object]", done.data["before"])
    lead = await ctx.move(
        LEAD, ctx.work.leads, lead, verb, facts=facts, proposal={**lead.proposal, **before}
    )
    await ctx.reply(
        await proposals.card(ctx, lead), *await proposals.choices(ctx, lead),
        subject=f"lead:{lead.id}",
    )  # fmt: skip
    return lead
