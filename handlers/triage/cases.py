"""What the desk and the leader may do with a case."""

import dataclasses
from datetime import timedelta

from handlers import clocks
from handlers.context import Context
from handlers.housekeeping import feedback
from handlers.replies import choose
from handlers.replies.shared import AskText, Confirm, Done, Pick, Settled
from handlers.reporting import cases as case_cards
from handlers.router import Args, action, answer
from handlers.triage import filing, leads
from handlers.triage.leads import REASONS, REFERRALS, find_unit
from matrix.core.case import (
    ASSIGNMENT,
    CASE,
    AssignmentState,
    Case,
    CaseState,
    EventClass,
    Grade,
)
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.lead import LeadState
from matrix.core.roles import Role
from matrix.triage import grade as grading

REVIEW_DAYS = 7


@action("case.more", Role.DESK)
async def more(ctx: Context, subject: str, args: Args) -> None:
    """The less usual answers."""
    del args
    case = await ctx.work.cases.get(subject)
    pause = "case.unpause" if case.paused_reason else "case.pause"
    await ctx.reply(
        await case_cards.card(ctx, case),
        choose("case.owner", case.id),
        choose("case.grade", case.id),
        choose("case.merge", case.id),
        choose("case.split", case.id),
        choose("case.class", case.id),
        choose(pause, case.id),
        choose("look.log", case.id, keep=True),
        subject=f"case:{case.id}",
    )


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
    before = case.owner
    if case.state == "filed":
        routing = (("desk", unit, ""),)
        co_units = tuple(code for code in case.co_units if code != unit)
        case = await ctx.work.cases.save(
            dataclasses.replace(case, owner=unit, co_units=co_units, routing=routing)
        )
    else:
        case = await filing.redispatch(ctx, case, unit)
    await ctx.note("case", case.id, "owner", case.id, unit=unit, before=before)
    undo = [choose("case.owner", case.id, label="undo", unit=before)] if before else []
    await ctx.reply(
        Done(what="owner", subject=case.number, detail=ctx.directory.unit_name(unit)),
        choose("case.open", case.id, keep=True),
        *undo,
    )


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
    if grading.lower(wanted, case.grade) and "undo" not in args:
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
    before = case.grade
    case = await ctx.work.cases.save(
        dataclasses.replace(case, grade=wanted, assessment={**case.assessment, "rule": "person"})
    )
    await ctx.note("case", case.id, "grade", case.id, grade=wanted.value, before=before.value)
    await clocks.regrade(ctx, case)
    await ctx.reply(
        Done(what="graded", subject=case.number, detail=f"grade_{wanted}"),
        choose("case.grade", case.id, label="undo", grade=before.value, undo="yes"),
    )


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


@action("case.decline", Role.DESK)
async def decline(ctx: Context, subject: str, args: Args) -> None:
    """不予受理 of a filed case."""
    case = await ctx.work.cases.get(subject)
    if "reason" not in args:
        CASE.rule(case.state, "decline")
        await ctx.reply(
            Pick(what="reject_reason", subject=case.number),
            *[choose("case.decline", case.id, label=f"reason_{r}", reason=r) for r in REASONS],
        )
        return
    case = await ctx.move(CASE, ctx.work.cases, case, "decline", reason=args["reason"])
    await _ended(ctx, case, "not-accepted")


@action("case.refer", Role.DESK)
async def refer(ctx: Context, subject: str, args: Args) -> None:
    """转出."""
    case = await ctx.work.cases.get(subject)
    if "to" not in args:
        CASE.rule(case.state, "refer")
        await ctx.reply(
            Pick(what="refer_to", subject=case.number),
            *[choose("case.refer", case.id, label=f"refer_{to}", to=to) for to in REFERRALS],
        )
        return
    case = await ctx.move(CASE, ctx.work.cases, case, "refer", reason=args["to"])
    await _ended(ctx, case, "referred")


async def _ended(ctx: Context, case: Case, outcome: str) -> None:
    await clocks.stop_case(ctx, case)
    await ctx.settle_cards(
        f"case:{case.id}", Settled(what=outcome.replace("-", "_"), who=ctx.me.name, at=ctx.at)
    )
    await feedback.owe_case(ctx, case, f"{outcome}:{case.id}", wait_for_undo=outcome == "referred")
    buttons = [choose("case.recall", case.id)] if outcome == "referred" else []
    await ctx.reply(Done(what=outcome.replace("-", "_"), subject=case.number), *buttons)


@action("case.recall", Role.DESK)
async def recall(ctx: Context, subject: str, args: Args) -> None:
    """Taken back from the other body."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(CASE, ctx.work.cases, case, "recall", reason="")
    await feedback.forget_case(ctx, case, f"referred:{case.id}")
    await ctx.reply(
        Done(what="recalled", subject=case.number),
        choose("case.dispatch", case.id),
        choose("case.owner", case.id),
        choose("case.decline", case.id),
    )


@action("case.close", Role.DESK)
async def close(ctx: Context, subject: str, args: Args) -> None:
    """Close a referred or monitored case. Raises GuardRefused while something is open."""
    del args
    case = await ctx.work.cases.get(subject)
    facts = {"open": await feedback.open_of(ctx, case)}
    elsewhere = case.state is CaseState.REFERRED
    case = await ctx.move(CASE, ctx.work.cases, case, "close", facts=facts)
    await clocks.stop_case(ctx, case)
    if not elsewhere:
        # What another body has is not ours to watch.
        await clocks.watch(ctx, case)
    await feedback.finish_assignments(ctx, case)
    await ctx.settle_cards(f"case:{case.id}", Settled(what="closed", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="closed", subject=case.number), choose("case.reopen", case.id))


@action("case.reopen", Role.DESK)
async def reopen(ctx: Context, subject: str, args: Args) -> None:
    """Reopened: verification starts again with the same owner."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(CASE, ctx.work.cases, case, "reopen", verdict=None, stage_since=ctx.at)
    await clocks.stop(ctx, f"case:{case.id}", Stage.WATCH)
    await ctx.settle_cards(f"watch:{case.id}", Settled(what="reopened", who=ctx.me.name, at=ctx.at))
    await clocks.verify_again(ctx, case)
    if case.owner:
        await filing.offer(ctx, case, case.owner, lead=True)
    await ctx.reply(Done(what="reopened", subject=case.number), choose("case.open", case.id))


@action("case.resume", Role.DESK)
async def resume(ctx: Context, subject: str, args: Args) -> None:
    """From monitoring back to verification."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(
        CASE, ctx.work.cases, case, "resume", verdict=None, review_at=None, stage_since=ctx.at
    )
    await clocks.verify_again(ctx, case)
    await ctx.reply(Done(what="resumed", subject=case.number), choose("case.open", case.id))


@action("case.monitor", Role.LEADER)
async def monitor(ctx: Context, subject: str, args: Args) -> None:
    """只监测不回应, signed by a leader with a reason."""
    del args
    case = await ctx.work.cases.get(subject)
    CASE.rule(case.state, "monitor")
    await ctx.ask("case.monitor", AskText(what="why_monitor", subject=case.number), case=case.id)


@answer("case.monitor")
async def monitor_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The leader's reason; what is unsettled is looked at again in seven days."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    review_at = ctx.at + timedelta(days=REVIEW_DAYS)
    reason = message.text.strip()
    case = await ctx.move(
        CASE, ctx.work.cases, case, "monitor",
        facts={"reason": reason, "review_at": review_at}, reason="leader", review_at=review_at,
    )  # fmt: skip
    await clocks.stop_case(ctx, case)
    await feedback.owe_case(ctx, case, f"monitor-only:{case.id}")
    await ctx.settle_cards(f"case:{case.id}", Settled(what="monitored", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="monitored", subject=case.number))


@action("case.pause", Role.DESK)
async def pause(ctx: Context, subject: str, args: Args) -> None:
    """Stage clocks stop with a reason; the business clock runs on."""
    case = await ctx.work.cases.get(subject)
    if "reason" not in args:
        await ctx.reply(
            Pick(what="pause_reason", subject=case.number),
            *[
                choose("case.pause", case.id, label=f"pause_{one}", reason=one)
                for one in ("lab", "outside", "court")
            ],
        )
        return
    case = await ctx.work.cases.save(dataclasses.replace(case, paused_reason=args["reason"]))
    await ctx.note("case", case.id, f"pause-{args['reason']}", case.id)
    await clocks.pause(ctx, case)
    await ctx.reply(Done(what="paused", subject=case.number), choose("case.unpause", case.id))


@action("case.unpause", Role.DESK)
async def unpause(ctx: Context, subject: str, args: Args) -> None:
    """Stage clocks run on from where they stopped."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.work.cases.save(dataclasses.replace(case, paused_reason=""))
    await ctx.note("case", case.id, "unpause", case.id)
    await clocks.unpause(ctx, case)
    await ctx.reply(Done(what="unpaused", subject=case.number))


# -- merging ---------------------------------------------------------------------------------


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
    ctx.require("merge_published", holds=not (target.bulletin and any(c.bulletin for c in others)))
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
        for one in await ctx.work.assignments.find(case=other.id):
            if ASSIGNMENT.has(one.state, "void"):
                await ctx.move(ASSIGNMENT, ctx.work.assignments, one, "void", reason="merged")
        await clocks.stop_case(ctx, other)
        other = await ctx.work.cases.save(dataclasses.replace(other, merged_into=target.id))
        await ctx.note("case", other.id, "merge", other.id, into=target.id)
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
                version=str(other.version),
            )
        )
    target = await ctx.work.cases.save(target)
    await clocks.regrade(ctx, target)
    await ctx.reply(Done(what="merged", subject=target.number), *undo)


@action("case.unmerge", Role.DESK)
async def unmerge(ctx: Context, subject: str, args: Args) -> None:
    """Undo thaws the case and offers its void assignments again."""
    case = await ctx.work.cases.get(subject)
    ctx.require("nothing_followed", holds=bool(case.merged_into))
    if "version" in args:
        ctx.require("nothing_followed", holds=case.version == int(args["version"]))
    target = await ctx.work.cases.get(case.merged_into)
    case = await ctx.work.cases.save(dataclasses.replace(case, merged_into=""))
    await ctx.note("case", case.id, "unmerge", case.id)
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
    await ctx.reply(Done(what="unmerged", subject=case.number), choose("case.open", case.id))


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
