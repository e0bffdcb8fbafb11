"""改主办, 改等级 of what the machine proposes for a lead."""

import dataclasses
from typing import cast

from handlers import clocks
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.proposing import proposals
from handlers.proposing.units import find_unit
from handlers.replies import choose
from handlers.replies.shared import AskText, Pick
from handlers.router import Args, action, answer
from handlers.triage import undoing
from matrix.core.case import Grade
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.lead import LEAD, Lead
from matrix.core.roles import Role
from matrix.triage import grade as grading


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
        await lead_cards.card(ctx, lead),
        *await lead_cards.choices(ctx, lead),
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
        await lead_cards.card(ctx, lead),
        *await lead_cards.choices(ctx, lead),
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
        await lead_cards.card(ctx, lead), *await lead_cards.choices(ctx, lead),
        subject=f"lead:{lead.id}",
    )  # fmt: skip
    return lead
