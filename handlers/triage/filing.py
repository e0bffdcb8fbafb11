"""One press files and dispatches: case, assignments, clocks."""

import dataclasses
from typing import cast

from handlers import clocks
from handlers.cards.offers import offer_card
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies import choose
from handlers.replies.shared import Done, Settled
from handlers.replies.triage import Alarm, Filed
from handlers.router import Args, action
from matrix.core import drill
from matrix.core.case import (
    ASSIGNMENT,
    CASE,
    Assignment,
    AssignmentState,
    Case,
)
from matrix.core.claim import LINK, LinkState
from matrix.core.deadline import Stage
from matrix.core.lead import LEAD, Lead
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE, Actor, Role
from matrix.triage.calendar import LOCAL

NOW_LEADS = "now leads"
RETURNS_UNTIL_DESIGNATED = 3
"""After the third return the desk designates, and designated cannot be returned."""


async def open_case(ctx: Context, lead: Lead) -> Case:
    """File the proposed case of a lead and attach the lead; every identical lead comes along."""
    proposal = lead.proposal
    same = await ctx.work.leads.find(claim=lead.claim, state="queued", order="received_at")
    oldest = min([lead, *same], key=lambda one: one.received_at)
    case = Case(
        id=ctx.services.ids.new(),
        number=await _number(ctx, in_drill=lead.drill),
        claim=lead.claim,
        wording=lead.text[:300],
        grade=proposals.grade_of(lead),
        assessment={key: proposal.get(key) for key in _ASSESSED},
        owner=str(proposal.get("owner", "")),
        co_units=proposals.texts(proposal.get("co_units")),
        routing=tuple(
            (str(a), str(b), str(c))
            for a, b, c in cast("list[tuple[str, str, str]]", proposal.get("routing") or [])
        ),
        topics=proposals.texts(proposal.get("topics")),
        areas=proposals.texts(proposal.get("areas")),
        received_at=oldest.received_at,
        filed_at=ctx.at,
        stage_since=ctx.at,
        drill=lead.drill,
    )
    await ctx.work.cases.add(case)
    role = Role.CLOCK if ctx.clock else Role.DESK
    person = ctx.person.id if ctx.person else ""
    step = Step(
        entity=CASE.name, entity_id=case.id, action="file", source="",
        target=case.state.value, actor=Actor(role=role, person=person),
    )  # fmt: skip
    await ctx.log(step, case)
    for one in {lead.id: lead, **{s.id: s for s in same}}.values():
        await attach(ctx, one, case)
    await clocks.start(
        ctx, f"case:{case.id}", Stage.FIRST_PUBLICATION, case.grade,
        business=case.received_at, case=case.id,
    )  # fmt: skip
    return case


async def _number(ctx: Context, *, in_drill: bool) -> str:
    """District short name + yearly serial; numbers of imported bulletins are not used again."""
    year = ctx.at.astimezone(LOCAL).year
    if in_drill:
        return f"{drill.NUMBERS}{await ctx.work.serial(f'{drill.NUMBERS}case:{year}'):04d}"
    while True:
        number = f"{ctx.policy.short_name}-{await ctx.work.serial(f'case:{year}'):04d}"
        taken = await ctx.work.bulletins.count(number=number)
        if not taken and not await ctx.work.cases.count(number=number):
            return number


_ASSESSED = (
    "severity", "controllability", "influence", "certainty", "floor", "rule", "spread",
    "about_owner",
)  # fmt: skip


async def attach(ctx: Context, lead: Lead, case: Case) -> Lead:
    """The lead belongs to the case; its open candidates are dismissed."""
    ctx.require("drill_apart", holds=lead.drill == case.drill)
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "attach", case=case.id)
    for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
        verb = "confirm" if one.target == case.id else "dismiss"
        await ctx.move(LINK, ctx.work.links, one, verb, by=MACHINE if ctx.clock else None)
    await clocks.stop(ctx, f"lead:{lead.id}")
    await ctx.settle_cards(
        f"lead:{lead.id}",
        Settled(what="attached", who=_who(ctx), at=ctx.at, detail=case.number),
    )
    return lead


def _who(ctx: Context) -> str:
    return ctx.person.name if ctx.person else ""


async def dispatch(ctx: Context, case: Case) -> Case:
    """Offer the case to its owner and co-units. Raises GuardRefused without an owner."""
    case = await ctx.move(CASE, ctx.work.cases, case, "dispatch", stage_since=ctx.at)
    await offer(ctx, case, case.owner, lead=True)
    for unit in case.co_units:
        if unit in ctx.directory.tables.reachable:
            await offer(ctx, case, unit, lead=False)
    return case


async def offer(
    ctx: Context, case: Case, unit: str, *, lead: bool, designated: bool = False
) -> Assignment:
    """One assignment with its card and clocks; a unit that nobody reads raises an alarm."""
    state = AssignmentState.DESIGNATED if designated else AssignmentState.OFFERED
    made = Assignment(
        id=ctx.services.ids.new(), state=state, case=case.id, unit=unit, lead=lead,
        offered_at=ctx.at,
    )  # fmt: skip
    await ctx.work.assignments.add(made)
    actor = await ctx.actor({Role.DESK, Role.CLOCK, Role.MACHINE, Role.LEADER}, case, "offer")
    step = Step(
        entity=ASSIGNMENT.name, entity_id=made.id, action="offer", source="",
        target=state.value, actor=actor,
    )  # fmt: skip
    await ctx.log(step, made)
    await start_offer(ctx, case, made)
    return made


async def start_offer(ctx: Context, case: Case, made: Assignment) -> None:
    """Clocks and cards of an offer: new, designated, or reopened because it went stale."""
    subject = f"assignment:{made.id}"
    for stage in (Stage.ACKNOWLEDGE, Stage.RETURN):
        await clocks.start(ctx, subject, stage, case.grade, business=case.received_at, case=case.id)
    shown = await offer_card(ctx, case, made)
    buttons = [choose("assignment.acknowledge", made.id)]
    if made.state is AssignmentState.OFFERED:
        buttons.append(choose("assignment.return", made.id))
    buttons += [
        choose("assignment.handover", made.id),
        choose("case.leads", case.id, keep=True),
    ]
    reached = 0
    for role in (Role.HANDLER, Role.UNIT_HEAD):
        reached += await ctx.tell_role(role, shown, *buttons, unit=made.unit, subject=subject)
    if not reached:
        await ctx.tell_role(
            Role.DESK,
            Alarm(what="nobody", number=case.number, detail=ctx.directory.unit_name(made.unit)),
            choose("case.open", case.id, keep=True),
        )


@action("lead.file", Role.DESK)
async def file(ctx: Context, subject: str, args: Args) -> None:
    """立案派单: file and dispatch with one press."""
    del args
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    case = await open_case(ctx, lead)
    case = await dispatch(ctx, case)
    await ctx.reply(
        Filed(
            number=case.number,
            grade=case.grade,
            owner=ctx.directory.unit_name(case.owner),
            due_at=await clocks.case_due(ctx, case.id),
        ),
        choose("case.open", case.id, keep=True),
        choose("case.owner", case.id),
        choose("case.grade", case.id),
        subject=f"case:{case.id}",
    )


@action("lead.file_only", Role.DESK)
async def file_only(ctx: Context, subject: str, args: Args) -> None:
    """先立案: file without dispatching, where the owner is still to be found."""
    del args
    lead = await ctx.work.leads.get(subject)
    LEAD.rule(lead.state, "attach")
    case = await open_case(ctx, lead)
    await clocks.start(
        ctx, f"case:{case.id}", Stage.FILE, case.grade, business=case.received_at, case=case.id
    )
    await ctx.reply(
        Filed(number=case.number, grade=case.grade),
        choose("case.dispatch", case.id),
        choose("case.owner", case.id),
        choose("case.decline", case.id),
        choose("case.refer", case.id),
        subject=f"case:{case.id}",
    )


@action("case.dispatch", Role.DESK)
async def dispatch_filed(ctx: Context, subject: str, args: Args) -> None:
    """派单 of a case that was only filed."""
    del args
    case = await ctx.work.cases.get(subject)
    await clocks.stop(ctx, f"case:{case.id}", Stage.FILE)
    case = await dispatch(ctx, case)
    await ctx.settle_cards(f"case:{case.id}", Settled(what="dispatched", who=_who(ctx), at=ctx.at))
    await ctx.reply(
        Filed(
            number=case.number,
            grade=case.grade,
            owner=ctx.directory.unit_name(case.owner),
            due_at=await clocks.case_due(ctx, case.id),
        ),
        choose("case.open", case.id, keep=True),
    )


async def redispatch(ctx: Context, case: Case, unit: str, *, designated: bool = False) -> Case:
    """Give the case to another unit: live offers of the old owner become void, all are told.

    ``designated`` (or the returns so far) leaves the new owner no return.
    """
    for one in await ctx.work.assignments.find(case=case.id):
        if ASSIGNMENT.has(one.state, "void") and (one.lead or one.unit == unit):
            await _release(ctx, case, one, unit)
        elif ASSIGNMENT.has(one.state, "void"):
            await _tell_unit(ctx, case, one.unit, "owner_now", unit)
    co_units = tuple(code for code in case.co_units if code != unit)
    case = await ctx.work.cases.save(dataclasses.replace(case, owner=unit, co_units=co_units))
    designated = designated or case.returns >= RETURNS_UNTIL_DESIGNATED
    await offer(ctx, case, unit, lead=True, designated=designated)
    return case


async def _release(ctx: Context, case: Case, one: Assignment, unit: str) -> None:
    """An assignment is void: of the old owner, or of an assistant that leads from now on."""
    reason = "re-dispatched" if one.lead else NOW_LEADS
    await ctx.move(ASSIGNMENT, ctx.work.assignments, one, "void", reason=reason)
    await clocks.stop(ctx, f"assignment:{one.id}")
    await ctx.settle_cards(
        f"assignment:{one.id}", Settled(what="redispatched", who=_who(ctx), at=ctx.at)
    )
    if one.unit != unit:
        await _tell_unit(ctx, case, one.unit, "owner_gone", unit)


async def _tell_unit(ctx: Context, case: Case, unit: str, what: str, owner: str) -> None:
    said = Done(what=what, subject=case.number, detail=ctx.directory.unit_name(owner))
    for role in (Role.HANDLER, Role.UNIT_HEAD):
        await ctx.tell_role(role, said, unit=unit)


async def assist_again(ctx: Context, case: Case, unit: str) -> None:
    """A unit that led for a while assists again, as before."""
    for one in await ctx.work.assignments.find(
        case=case.id, unit=unit, lead=False, reason=NOW_LEADS, state=AssignmentState.VOID
    ):
        thawed = await ctx.move(
            ASSIGNMENT, ctx.work.assignments, one, "undo",
            facts={"version": one.version}, reason="",
        )  # fmt: skip
        await start_offer(ctx, case, thawed)
