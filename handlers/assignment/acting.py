"""签收, 退回, 转交, and a unit's own list."""

import dataclasses
from datetime import datetime

from handlers import clocks
from handlers.cards import cases as case_cards
from handlers.cards import pictures
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.assignment import Acknowledged, LeadLineMasked, Returned
from handlers.replies.shared import AskText, CaseLine, Done, Listing, Pick, Settled
from handlers.router import Args, action, answer
from matrix.core.case import ASSIGNMENT, CASE, Assignment, AssignmentState, CaseState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.roles import OWNERS, Role


@action("assignment.acknowledge", *OWNERS)
async def acknowledge(ctx: Context, subject: str, args: Args) -> None:
    """签收: the first of the unit owns it, the others' cards change."""
    del args
    made = await ctx.work.assignments.get(subject)
    case = await ctx.work.cases.get(made.case)
    made = await ctx.move(
        ASSIGNMENT, ctx.work.assignments, made, "acknowledge",
        person=ctx.me.id, acknowledged_at=ctx.at, progress_at=ctx.at,
        late=made.state is AssignmentState.EXPIRED,
    )  # fmt: skip
    await clocks.stop(ctx, f"assignment:{made.id}")
    await clocks.start(
        ctx, f"assignment:{made.id}", Stage.STALE, case.grade,
        business=case.received_at, case=case.id,
    )  # fmt: skip
    if made.lead and case.state is CaseState.DISPATCHED:
        case = await ctx.move(CASE, ctx.work.cases, case, "acknowledge", stage_since=ctx.at)
        for stage in (Stage.VERIFY, Stage.HOLDING):
            await clocks.start(
                ctx, f"case:{case.id}", stage, case.grade,
                business=case.received_at, case=case.id,
            )  # fmt: skip
    await ctx.settle_cards(
        f"assignment:{made.id}", Settled(what="acknowledged", who=ctx.me.name, at=ctx.at)
    )
    await ctx.reply(
        Acknowledged(
            number=case.number,
            verify_by=await _stage_due(ctx, case.id, Stage.VERIFY),
            publish_by=await _stage_due(ctx, case.id, Stage.FIRST_PUBLICATION),
        ),
        *await case_cards.choices(ctx, case),
        subject=f"case:{case.id}",
    )


async def _stage_due(ctx: Context, case: str, stage: Stage) -> datetime | None:
    found = await ctx.work.deadlines.one(case=case, stage=stage, closed_at=None)
    return found.due_at if found else None


@action("assignment.return", *OWNERS)
async def give_back(ctx: Context, subject: str, args: Args) -> None:
    """退回: not this unit's business; asks why and who instead."""
    del args
    made = await ctx.work.assignments.get(subject)
    ASSIGNMENT.rule(made.state, "return")
    ctx.require("in_return_window", holds=await _in_window(ctx, made))
    case = await ctx.work.cases.get(made.case)
    await ctx.ask("assignment.return", AskText(what="why_return", subject=case.number), id=made.id)


async def _in_window(ctx: Context, made: Assignment) -> bool:
    window = await ctx.work.deadlines.one(
        subject=f"assignment:{made.id}", stage=Stage.RETURN, closed_at=None
    )
    return window is None or window.due_at >= ctx.at


@answer("assignment.return")
async def give_back_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The reason; a unit's name in it is the suggestion."""
    made = await ctx.work.assignments.get(str(dialog.data["id"]))
    case = await ctx.work.cases.get(made.case)
    reason = message.text.strip()
    suggested = next(
        (
            unit.id
            for unit in ctx.directory.units.values()
            if unit.id != made.unit and (unit.name in reason or unit.short_name in reason)
        ),
        "",
    )
    made = await ctx.move(
        ASSIGNMENT, ctx.work.assignments, made, "return",
        facts={"in_window": await _in_window(ctx, made), "reason": reason},
        reason=reason[:200], suggested=suggested, person=ctx.me.id,
    )  # fmt: skip
    await clocks.stop(ctx, f"assignment:{made.id}")
    if made.lead:
        case = await ctx.work.cases.save(dataclasses.replace(case, returns=case.returns + 1))
    await ctx.settle_cards(
        f"assignment:{made.id}", Settled(what="returned", who=ctx.me.name, at=ctx.at)
    )
    buttons = [choose("case.owner", case.id, near=suggested)]
    if suggested:
        buttons.insert(
            0,
            choose("case.owner", case.id, text=ctx.directory.unit_name(suggested), unit=suggested),
        )
    await ctx.tell_role(
        Role.DESK,
        Returned(
            number=case.number,
            unit=ctx.directory.unit_name(made.unit),
            reason=reason[:200],
            suggested=ctx.directory.unit_name(suggested) if suggested else "",
            times=case.returns,
        ),
        *buttons,
        choose("case.open", case.id, keep=True),
        subject=f"returned:{made.id}",
    )
    await ctx.reply(Done(what="returned", subject=case.number))


_HELD = (
    AssignmentState.OFFERED, AssignmentState.DESIGNATED, AssignmentState.ACKNOWLEDGED,
    AssignmentState.EXPIRED,
)  # fmt: skip


@action("assignment.handover", *OWNERS)
async def hand_over(ctx: Context, subject: str, args: Args) -> None:
    """转交 to a colleague of the same unit; status and clocks stay."""
    made = await ctx.work.assignments.get(subject)
    await ctx.actor(OWNERS, made, "handover")
    case = await ctx.work.cases.get(made.case)
    if "person" not in args:
        people = dict.fromkeys(ctx.holders(*OWNERS, unit=made.unit))
        others = [one for one in people if one != ctx.me.id]
        if not others:
            raise Refusal("nobody_else")
        await ctx.reply(
            Pick(what="colleague", subject=case.number),
            *[
                choose(
                    "assignment.handover", made.id,
                    text=ctx.directory.person_name(one), person=one,
                )
                for one in others[:6]
            ],
        )  # fmt: skip
        return
    # Who is shown may have left the unit by the time they are chosen; what is over stays.
    ctx.require("same_unit", holds=args["person"] in ctx.holders(*OWNERS, unit=made.unit))
    ctx.require("assignment_live", holds=made.state in _HELD)
    made = await ctx.work.assignments.save(dataclasses.replace(made, person=args["person"]))
    await ctx.note("assignment", made.id, "handover", case.id, to=args["person"])
    await ctx.tell(
        args["person"],
        await case_cards.card(ctx, case),
        choose("case.open", case.id, keep=True),
        subject=f"case:{case.id}",
        roles=OWNERS,
        unit=made.unit,
    )
    await ctx.reply(
        Done(
            what="handed_over",
            subject=case.number,
            detail=ctx.directory.person_name(args["person"]),
        )
    )


@action("case.mine", *OWNERS)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """The unit's open cases, nearest due first."""
    del subject, args
    units = {post.unit for post in ctx.posts if post.role in OWNERS}
    lines, buttons = [], []
    for one in await ctx.work.assignments.find(unit__in=list(units), order="-offered_at"):
        if one.state in {AssignmentState.VOID, AssignmentState.RETURNED, AssignmentState.DONE}:
            continue
        case = await ctx.work.cases.get(one.case)
        lines.append(
            CaseLine(
                number=case.number, grade=case.grade, state=case.state,
                wording=case.wording[:40], due_at=await clocks.case_due(ctx, case.id),
            )
        )  # fmt: skip
        buttons.append(choose("case.open", case.id, text=case.number, keep=True))
    await ctx.reply(
        Listing(
            what="my_cases", total=len(lines), lines=tuple(lines[:8]), empty="" if lines else "yes"
        ),
        *buttons[:8],
    )


@action("case.leads")
async def leads(ctx: Context, subject: str, args: Args) -> None:
    """看线索: what was reported, without who."""
    del args
    case = await ctx.work.cases.get(subject)
    await case_cards.require_sight(ctx, case)
    found = await ctx.work.leads.find(case=case.id, order="received_at")
    lines = tuple(
        LeadLineMasked(
            number=one.number, at=one.received_at, text=one.text[:120],
            seen_in=f"seen_{one.seen_in}" if one.seen_in else "", files=len(one.attachments),
        )
        for one in found[:10]
    )  # fmt: skip
    await ctx.reply(
        Listing(what="leads", subject=case.number, total=len(found), lines=lines),
        *pictures.listed(found[:10]),
    )


async def progress(ctx: Context, case_id: str) -> None:
    """Something substantive happened: the stale-acknowledgement clock starts again."""
    case = await ctx.work.cases.maybe(case_id)
    if case is None:
        return
    for one in await ctx.work.assignments.find(case=case_id, state=AssignmentState.ACKNOWLEDGED):
        if any(post.unit == one.unit for post in ctx.posts):
            await ctx.work.assignments.save(dataclasses.replace(one, progress_at=ctx.at))
            await clocks.start(
                ctx, f"assignment:{one.id}", Stage.STALE, case.grade,
                business=case.received_at, case=case.id,
            )  # fmt: skip
