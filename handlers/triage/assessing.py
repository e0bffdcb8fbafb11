"""Owner, grade and event class of a case: what a person decides, and takes back."""

import dataclasses
from typing import Any, cast

from handlers import clocks
from handlers.context import Context
from handlers.proposing import proposals
from handlers.proposing.units import find_unit
from handlers.replies import choose
from handlers.replies.shared import AskText, Done, Pick
from handlers.router import Args, action, answer
from handlers.triage import filing, undoing
from matrix.core.case import (
    CASE,
    Case,
    CaseState,
    EventClass,
    Grade,
)
from matrix.core.conversation import Dialog, Inbound
from matrix.core.roles import Role
from matrix.triage import grade as grading


@action("case.owner", Role.DESK, Role.LEADER)
async def owner(ctx: Context, subject: str, args: Args) -> None:
    """Change the owner: before dispatch at once, afterwards by dispatching again."""
    case = await ctx.work.cases.get(subject)
    if "unit" in args:
        await _set_owner(ctx, case, args["unit"])
        return
    near = list(dict.fromkeys([*case.co_units, *[u for u in (args.get("near"),) if u]]))
    buttons = [
        choose("case.owner", case.id, text=ctx.directory.unit_name(code), unit=code)
        for code in near[:5]
    ]
    await ctx.ask(
        "case.owner", AskText(what="which_unit", subject=case.number), *buttons, case=case.id
    )


@answer("case.owner")
async def owner_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The unit by name."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    await _set_owner(ctx, case, find_unit(ctx, message.text))


async def _set_owner(ctx: Context, case: Case, unit: str) -> None:
    before = case
    if case.state == "filed":
        routing = (("desk", unit, ""),)
        co_units = tuple(code for code in case.co_units if code != unit)
        case = await ctx.work.cases.save(
            dataclasses.replace(
                case, owner=unit, co_units=co_units, routing=routing,
                assessment={**case.assessment, "certainty": ""},
            )
        )  # fmt: skip
    else:
        by_leader = not ctx.has(Role.DESK)
        ctx.require("before_publication", holds=CASE.has(case.state, "undo_grade"))
        case = await filing.redispatch(ctx, case, unit, designated=by_leader)
        if by_leader:
            await ctx.tell_role(
                Role.DESK,
                Done(
                    what="owner_by_leader", subject=case.number,
                    detail=ctx.directory.unit_name(unit),
                ),
                choose("case.open", case.id, keep=True),
            )  # fmt: skip
    done = await ctx.note(
        "case", case.id, "owner", case.id, unit=unit, before=before.owner,
        co_units=list(before.co_units), routing=[list(one) for one in before.routing],
        certainty=before.assessment.get("certainty", ""),
    )  # fmt: skip
    undoable = before.owner and CASE.has(case.state, "undo_owner")
    undo = [choose("case.undo_owner", case.id, label="undo", done=done)] if undoable else []
    await ctx.reply(
        Done(what="owner", subject=case.number, detail=ctx.directory.unit_name(unit)),
        choose("case.open", case.id, keep=True),
        *undo,
    )


@action("case.undo_owner", Role.DESK, Role.LEADER)
async def undo_owner(ctx: Context, subject: str, args: Args) -> None:
    """The owner, the co-units and why, as they were; who was asked instead is asked no more."""
    case = await ctx.work.cases.get(subject)
    done, facts = await undoing.look(
        ctx, args["done"],
        lambda one: undoing.moved(one, "case", "assignment") or undoing.again(one, *_OWNER),
        case=case.id,
    )  # fmt: skip
    before, instead = str(done.data["before"]), str(done.data["unit"])
    case = await ctx.move(
        CASE, ctx.work.cases, case, "undo_owner", facts=facts, owner=before,
        co_units=proposals.texts(done.data["co_units"]),
        routing=tuple(proposals.texts(one) for one in cast("list[Any]", done.data["routing"])),
        assessment={**case.assessment, "certainty": done.data["certainty"]},
    )  # fmt: skip
    if case.state is not CaseState.FILED:
        case = await filing.redispatch(ctx, case, before)
        await filing.assist_again(ctx, case, instead)
    await ctx.reply(
        Done(what="owner_undone", subject=case.number, detail=ctx.directory.unit_name(before)),
        choose("case.open", case.id, keep=True),
    )


_OWNER = ("owner", "undo_owner")
_GRADE = ("grade", "undo_grade", "absorb", "sink")


@action("case.grade", Role.DESK, Role.LEADER)
async def grade(ctx: Context, subject: str, args: Args) -> None:
    """Change the grade; lowering needs a reason."""
    case = await ctx.work.cases.get(subject)
    if "grade" not in args:
        await ctx.reply(
            Pick(what="grade", subject=case.number),
            *[
                choose("case.grade", case.id, label=f"grade_{one}", grade=one.value)
                for one in reversed(Grade)
            ],
        )
        return
    wanted = Grade(args["grade"])
    if grading.lower(wanted, case.grade):
        await ctx.ask(
            "case.grade", AskText(what="why_lower", subject=case.number),
            case=case.id, grade=wanted.value,
        )  # fmt: skip
        return
    await _set_grade(ctx, case, wanted)


@answer("case.grade")
async def grade_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Why it is lowered."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    ctx.require("reason", holds=bool(message.text.strip()))
    await _set_grade(ctx, case, Grade(str(dialog.data["grade"])))


async def _set_grade(ctx: Context, case: Case, wanted: Grade) -> None:
    before = case
    case = await ctx.work.cases.save(
        dataclasses.replace(case, grade=wanted, assessment={**case.assessment, "rule": "person"})
    )
    done = await ctx.note(
        "case", case.id, "grade", case.id, grade=wanted.value, before=before.grade.value,
        rule=before.assessment.get("rule"),
    )  # fmt: skip
    await clocks.regrade(ctx, case)
    undoable = CASE.has(case.state, "undo_grade")
    await ctx.reply(
        Done(what="graded", subject=case.number, detail=f"grade_{wanted}"),
        *([choose("case.undo_grade", case.id, label="undo", done=done)] if undoable else []),
    )


@action("case.undo_grade", Role.DESK, Role.LEADER)
async def undo_grade(ctx: Context, subject: str, args: Args) -> None:
    """The grade and its rule as they were, and the clocks with them."""
    case = await ctx.work.cases.get(subject)
    done, facts = await undoing.look(
        ctx, args["done"],
        lambda one: undoing.moved(one, "case") or undoing.again(one, *_GRADE),
        entity_id=case.id,
    )  # fmt: skip
    before = Grade(str(done.data["before"]))
    case = await ctx.move(
        CASE, ctx.work.cases, case, "undo_grade", facts=facts, grade=before,
        assessment={**case.assessment, "rule": done.data["rule"]},
    )  # fmt: skip
    await clocks.regrade(ctx, case)
    await ctx.reply(Done(what="grade_undone", subject=case.number, detail=f"grade_{before}"))


@action("case.class", Role.DESK, Role.LEADER)
async def event_class(ctx: Context, subject: str, args: Args) -> None:
    """The event's class, which national law hangs on; set only by a person."""
    case = await ctx.work.cases.get(subject)
    if "to" not in args:
        buttons = [
            choose(
                "case.class", case.id, label=f"class_{one.value.replace('-', '_')}", to=one.value
            )
            for one in EventClass
        ]
        await ctx.reply(Pick(what="event_class", subject=case.number), *buttons)
        return
    wanted = EventClass(args["to"])
    case = await ctx.work.cases.save(dataclasses.replace(case, event_class=wanted))
    await ctx.note("case", case.id, f"class-{wanted}", case.id)
    await ctx.reply(
        Done(what="classed", subject=case.number, detail=f"class_{wanted.value.replace('-', '_')}"),
        choose("case.open", case.id, keep=True),
    )
