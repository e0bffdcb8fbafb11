"""协同查证: questions to units, each with its own clock, and their answers."""

from datetime import timedelta

from handlers import clocks
from handlers.cards import cases as case_cards
from handlers.context import Context
from handlers.proposing.units import find_unit
from handlers.replies import choose
from handlers.replies.assignment import AnswerLine, QuestionCard
from handlers.replies.shared import AskText, Done, Listing, Pick, Settled
from handlers.router import Args, action, answer
from handlers.verification.beginning import begin
from handlers.verification.evidence import add
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.lifecycle import Step
from matrix.core.roles import CLOCK, OWNERS, Actor, Role
from matrix.core.verification import VERIFICATION, Finding, Verification


@action("verify.ask", *OWNERS)
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """请其他单位查证: which unit, then what."""
    case = await ctx.work.cases.get(subject)
    post = await ctx.actor(OWNERS, case, "conclude")
    if "unit" in args:
        await ctx.ask(
            "verify.question",
            AskText(
                what="question",
                subject=case.number,
                detail=ctx.directory.unit_name(args["unit"]),
            ),
            choose("verify.ask_now", case.id, unit=args["unit"], label="standard_question"),
            case=case.id, unit=args["unit"],
        )  # fmt: skip
        return
    near = [code for code in (*case.co_units, case.owner) if code and code != post.unit]
    buttons = [
        choose("verify.ask", case.id, text=ctx.directory.unit_name(code), unit=code)
        for code in near[:5]
    ]
    await ctx.ask(
        "verify.unit", AskText(what="ask_unit", subject=case.number), *buttons, case=case.id
    )


@answer("verify.unit")
async def unit_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The unit by name."""
    unit = find_unit(ctx, message.text)
    await ask(ctx, str(dialog.data["case"]), {"unit": unit})


@answer("verify.question")
async def question_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The question."""
    await _ask(ctx, str(dialog.data["case"]), str(dialog.data["unit"]), message.text.strip())


@action("verify.ask_now", *OWNERS)
async def ask_now(ctx: Context, subject: str, args: Args) -> None:
    """The usual question: is it so, on what grounds, may it be published."""
    await ctx.close_dialog()
    await _ask(ctx, subject, args["unit"], "")


async def _ask(ctx: Context, case_id: str, unit: str, question: str) -> None:
    case = await begin(ctx, await ctx.work.cases.get(case_id))
    post = ctx.post(*OWNERS)
    actor = await ctx.actor(OWNERS, case, "conclude")
    made = Verification(
        id=ctx.services.ids.new(), case=case.id, unit=unit, question=question[:500],
        asked_by=ctx.me.id, asked_unit=actor.unit or post.unit, asked_at=ctx.at,
    )  # fmt: skip
    await ctx.work.verifications.add(made)
    await ctx.log(
        Step(
            entity=VERIFICATION.name, entity_id=made.id, action="ask", source="",
            target=made.state.value, actor=Actor(role=actor.role, person=ctx.me.id),
        ),
        made,
    )  # fmt: skip
    subject = f"verification:{made.id}"
    due = await clocks.due_of(ctx, f"case:{case.id}")
    if due is not None:
        # Half of what is left for the verdict: the owner still has to weigh the answer.
        due = max(ctx.at + timedelta(minutes=10), ctx.at + (due - ctx.at) / 2)
        await clocks.start(
            ctx, subject, Stage.ANSWER, case.grade,
            business=case.received_at, case=case.id, due_at=due,
        )  # fmt: skip
    card = QuestionCard(
        number=case.number, wording=case.wording[:200], question=question,
        unit=ctx.directory.unit_name(made.asked_unit), due_at=due,
    )  # fmt: skip
    buttons = [
        choose("verify.answer", made.id, label="finding_confirm", finding="confirm"),
        choose("verify.answer", made.id, label="finding_deny", finding="deny"),
        choose("verify.answer", made.id, label="finding_unknown", finding="unknown"),
        choose("verify.defer", made.id),
    ]
    reached = 0
    for role in (Role.HANDLER, Role.UNIT_HEAD):
        reached += await ctx.tell_role(role, card, *buttons, unit=unit, subject=subject)
    await ctx.reply(
        Done(
            what="asked_unit" if reached else "asked_nobody",
            subject=case.number, detail=ctx.directory.unit_name(unit),
        ),
        choose("verify.withdraw", made.id),
        choose("case.open", case.id, keep=True),
    )  # fmt: skip


@action("verify.answer", *OWNERS)
async def give_answer(ctx: Context, subject: str, args: Args) -> None:
    """Confirm, deny, or not known; then the grounds."""
    made = await ctx.work.verifications.get(subject)
    await ctx.actor(OWNERS, made, "answer")
    VERIFICATION.rule(made.state, "answer")
    case = await ctx.work.cases.get(made.case)
    await ctx.ask(
        "verify.basis",
        AskText(what="basis", subject=case.number, detail=f"finding_{args['finding']}"),
        id=made.id, finding=args["finding"],
    )  # fmt: skip


@answer("verify.basis")
async def basis_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The grounds; then whether they may be published."""
    await ctx.reply(
        Pick(what="publishable"),
        *[
            choose(
                "verify.finish", str(dialog.data["id"]), label=f"public_{public}",
                public=public, finding=str(dialog.data["finding"]),
                basis=message.text.strip()[:1000],
            )
            for public in ("yes", "no")
        ],
    )  # fmt: skip


@action("verify.finish", *OWNERS)
async def finish(ctx: Context, subject: str, args: Args) -> None:
    """The answer stands, becomes evidence, and the asking unit is told."""
    made = await ctx.work.verifications.get(subject)
    public = args["public"] == "yes"
    made = await ctx.move(
        VERIFICATION, ctx.work.verifications, made, "answer",
        finding=Finding(args["finding"]), basis=args["basis"], publishable=public,
        answered_by=ctx.me.id, answered_at=ctx.at, until=None,
    )  # fmt: skip
    await clocks.stop(ctx, f"verification:{made.id}")
    case = await ctx.work.cases.get(made.case)
    if made.finding is not Finding.UNKNOWN:
        await add(ctx, case, args["basis"], publishable=public, unit=made.unit)
    await ctx.settle_cards(
        f"verification:{made.id}", Settled(what="answered", who=ctx.me.name, at=ctx.at)
    )
    await ctx.tell(
        made.asked_by,
        Listing(what="unit_answered", subject=case.number, lines=(_line(ctx, made),), total=1),
        choose("case.open", case.id, keep=True),
        roles=OWNERS,
        unit=made.asked_unit,
    )
    await ctx.reply(Done(what="answer_given", subject=case.number))


def _line(ctx: Context, made: Verification) -> AnswerLine:
    return AnswerLine(
        unit=ctx.directory.unit_name(made.unit),
        finding=made.finding,
        basis=made.basis,
        public="yes" if made.publishable else "",
        until=made.until,
    )


@action("verify.defer", *OWNERS)
async def defer(ctx: Context, subject: str, args: Args) -> None:
    """需要时间: until when; the clock of the case does not move."""
    made = await ctx.work.verifications.get(subject)
    case = await ctx.work.cases.get(made.case)
    if "hours" not in args:
        VERIFICATION.rule(made.state, "defer")
        await ctx.reply(
            Pick(what="until", subject=case.number),
            *[
                choose("verify.defer", made.id, label=f"hours_{hours}", hours=hours)
                for hours in ("1", "4", "24")
            ],
        )
        return
    until = ctx.at + timedelta(hours=int(args["hours"]))
    made = await ctx.move(VERIFICATION, ctx.work.verifications, made, "defer", until=until)
    await clocks.start(
        ctx, f"verification:{made.id}", Stage.ANSWER, case.grade,
        business=case.received_at, case=case.id, due_at=until,
    )  # fmt: skip
    await ctx.tell(
        made.asked_by,
        Listing(what="unit_needs_time", subject=case.number, lines=(_line(ctx, made),), total=1),
    )
    await ctx.reply(
        Done(what="deferred", subject=case.number),
        choose("verify.answer", made.id, label="finding_confirm", finding="confirm"),
        choose("verify.answer", made.id, label="finding_deny", finding="deny"),
        choose("verify.answer", made.id, label="finding_unknown", finding="unknown"),
        subject=f"verification:{made.id}",
    )


@action("verify.withdraw", *OWNERS)
async def withdraw(ctx: Context, subject: str, args: Args) -> None:
    """The question is no longer needed."""
    del args
    made = await ctx.work.verifications.get(subject)
    made = await ctx.move(VERIFICATION, ctx.work.verifications, made, "withdraw")
    await clocks.stop(ctx, f"verification:{made.id}")
    await ctx.settle_cards(f"verification:{made.id}", Settled(what="question_withdrawn", at=ctx.at))
    await ctx.reply(Done(what="question_withdrawn"))


@action("verify.compare")
async def compare(ctx: Context, subject: str, args: Args) -> None:
    """The units' answers side by side."""
    del args
    case = await ctx.work.cases.get(subject)
    await case_cards.require_sight(ctx, case)
    made = await ctx.work.verifications.find(case=case.id, order="asked_at")
    lines = tuple(_line(ctx, one) for one in made)
    await ctx.reply(
        Listing(
            what="answers", subject=case.number, total=len(lines), lines=lines,
            empty="" if lines else "yes",
        )
    )  # fmt: skip


async def mark_overdue(ctx: Context, verification_id: str) -> None:
    """The clock says that an answer is late."""
    made = await ctx.work.verifications.get(verification_id)
    if VERIFICATION.has(made.state, "overdue"):
        await ctx.move(VERIFICATION, ctx.work.verifications, made, "overdue", by=CLOCK)
