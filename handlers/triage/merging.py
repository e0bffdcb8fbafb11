"""并案 and 拆出: several cases become one, and part again."""

import dataclasses

from handlers import clocks
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies import choose
from handlers.replies.shared import AskText, Confirm, Done, Pick, Settled
from handlers.router import Args, action, answer
from handlers.triage import filing, leads, undoing
from matrix.core.case import (
    ASSIGNMENT,
    CASE,
    AssignmentState,
    Case,
    Grade,
)
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.events import Event
from matrix.core.lead import LeadState
from matrix.core.lifecycle import Facts
from matrix.core.roles import Role
from matrix.triage import grade as grading


@action("case.merge", Role.DESK)
async def merge(ctx: Context, subject: str, args: Args) -> None:
    """并案: into the oldest; several numbers at once."""
    del args
    case = await ctx.work.cases.get(subject)
    await ctx.ask("case.merge", AskText(what="merge_cases", subject=case.number), case=case.id)


@answer("case.merge")
async def merge_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The numbers; shows what will happen and asks once."""
    numbers = message.text.replace("，", " ").replace("、", " ").replace(",", " ").split()
    found = [await ctx.work.cases.get(str(dialog.data["case"]))]
    for number in numbers:
        case = await ctx.work.cases.one(number=number)
        if case is None:
            raise Refusal("no_such_case", {"what": number[:20]})
        found.append(case)
    target, others = _oldest(found)
    ctx.require("merge_two", holds=bool(others))
    _mergeable(ctx, others)
    count = 0
    for one in others:
        count += await ctx.work.leads.count(case=one.id)
    await ctx.reply(
        Confirm(
            what="merge",
            subject="、".join(one.number for one in others),
            detail=target.number,
            count=count,
        ),
        choose(
            "case.merge_now", target.id, label="confirm",
            others=";".join(one.id for one in others),
        ),
        choose("dialog.cancel"),
    )  # fmt: skip


def _mergeable(ctx: Context, others: list[Case]) -> None:
    """What is out or has ended stays a case of its own: others may go into it."""
    ctx.require("merge_published", holds=all(CASE.has(c.state, "undo_merge") for c in others))


def _oldest(cases: list[Case]) -> tuple[Case, list[Case]]:
    distinct = {one.id: one for one in cases}
    ordered = sorted(distinct.values(), key=lambda one: (one.received_at, one.number))
    return ordered[0], ordered[1:]


@action("case.merge_now", Role.DESK)
async def merge_now(ctx: Context, subject: str, args: Args) -> None:
    """Merged cases are frozen, their live assignments void; dates and numbers stay."""
    target = await ctx.work.cases.get(subject)
    ctx.require("not_frozen", holds=not target.merged_into)
    undo = []
    for other_id in args["others"].split(";"):
        other = await ctx.work.cases.get(other_id)
        ctx.require("not_frozen", holds=not other.merged_into)
        _mergeable(ctx, [other])
        ctx.require("drill_apart", holds=other.drill == target.drill)
        for one in await ctx.work.assignments.find(case=other.id):
            if ASSIGNMENT.has(one.state, "void"):
                await ctx.move(ASSIGNMENT, ctx.work.assignments, one, "void", reason="merged")
        stopped = await clocks.stop_case(ctx, other)
        other = await ctx.work.cases.save(dataclasses.replace(other, merged_into=target.id))
        done = await ctx.note("case", other.id, "merge", other.id, into=target.id, clocks=stopped)
        await ctx.note(
            "case", target.id, "absorb", target.id, other=other.id, grade=target.grade.value
        )
        await ctx.settle_cards(
            f"case:{other.id}",
            Settled(what="merged", who=ctx.me.name, at=ctx.at, detail=target.number),
        )
        target = dataclasses.replace(
            target,
            received_at=min(target.received_at, other.received_at),
            grade=grading.worse(target.grade, other.grade),
        )
        undo.append(
            choose(
                "case.unmerge",
                other.id,
                "case_unmerge",
                text=other.number,
                done=done,
            )
        )
    target = await ctx.work.cases.save(target)
    await clocks.regrade(ctx, target)
    await ctx.reply(Done(what="merged", subject=target.number), *undo)


@action("case.unmerge", Role.DESK)
async def unmerge(ctx: Context, subject: str, args: Args) -> None:
    """Undo thaws the case, offers its void assignments again and restarts its clocks."""
    case = await ctx.work.cases.get(subject)
    ctx.require("nothing_followed", holds=bool(case.merged_into))
    target = await ctx.work.cases.get(case.merged_into)
    merged, facts = await _merging(ctx, case, target, args.get("done", ""))
    case = await ctx.move(CASE, ctx.work.cases, case, "undo_merge", facts=facts, merged_into="")
    await _own_grade(ctx, target)
    for one in await ctx.work.assignments.find(
        case=case.id, state=AssignmentState.VOID, reason="merged"
    ):
        thawed = await ctx.move(
            ASSIGNMENT, ctx.work.assignments, one, "undo",
            facts={"version": one.version}, reason="",
        )  # fmt: skip
        await filing.start_offer(ctx, case, thawed)
    await clocks.restart_business(ctx, case)
    await clocks.restart_stages(ctx, case, proposals.texts(merged.data.get("clocks")))
    await ctx.reply(Done(what="unmerged", subject=case.number), choose("case.open", case.id))


async def _merging(ctx: Context, case: Case, target: Case, done: str) -> tuple[Event, Facts]:
    """When they were merged; what either of the two has done since counts as followed."""
    done = done or await undoing.last(ctx, "merge", case.id)
    merged, own = await undoing.look(
        ctx, done,
        lambda one: undoing.moved(one, "case") or undoing.again(one, "merge", "undo_merge"),
        entity_id=case.id,
    )  # fmt: skip
    taken = await undoing.last(ctx, "absorb", target.id, other=case.id)
    _, theirs = await undoing.look(
        ctx, taken, lambda one: undoing.moved(one, "case"), entity_id=target.id
    )
    return merged, {**own, "followed": own["followed"] or theirs["followed"]}


async def _own_grade(ctx: Context, target: Case) -> None:
    """What a merge had raised sinks again, unless a person has graded since."""
    grade_: Grade | None = None
    for event in await ctx.work.events(entity_id=target.id):
        if event.action == "absorb" and grade_ is None:
            grade_ = Grade(str(event.data["grade"]))
        elif event.action.startswith("grade"):
            grade_ = None
    if grade_ is None:
        return
    for child in await ctx.work.cases.find(merged_into=target.id):
        grade_ = grading.worse(grade_, child.grade)
    if grade_ is not target.grade:
        target = await ctx.work.cases.save(dataclasses.replace(target, grade=grade_))
        await ctx.note("case", target.id, "sink", target.id, grade=grade_.value)
        await clocks.regrade(ctx, target)


@action("case.split", Role.DESK)
async def split(ctx: Context, subject: str, args: Args) -> None:
    """拆出 a lead that is about something else: it goes back to the queue."""
    case = await ctx.work.cases.get(subject)
    if "lead" in args:
        lead = await ctx.work.leads.get(args["lead"])
        await leads.back_to_queue(ctx, lead, {"version": lead.version})
        await ctx.reply(
            Done(what="split", subject=lead.number), choose("lead.open", lead.id, keep=True)
        )
        return
    found = await ctx.work.leads.find(case=case.id, state=LeadState.ATTACHED, limit=10)
    await ctx.reply(
        Pick(what="split", subject=case.number),
        *[choose("case.split", case.id, text=one.number, lead=one.id) for one in found],
    )
