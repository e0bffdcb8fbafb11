"""Consultation and verdict: evidence first, 属实 is a possible verdict."""

import dataclasses
from typing import cast

from handlers import clocks
from handlers.assignment.acting import progress
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.assignment import Concluded
from handlers.replies.shared import AskText, Done, Pick, Settled
from handlers.router import Args, action, answer
from matrix.core.bulletin import REVISION, RevisionState
from matrix.core.case import CASE, Case, Verdict
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.roles import OWNERS, Role
from matrix.core.verification import Consultation, Finding


@action("case.consult", *OWNERS, Role.DESK)
async def consult(ctx: Context, subject: str, args: Args) -> None:
    """会商: a recorded joint judgement is opened; what about?"""
    del args
    case = await ctx.work.cases.get(subject)
    CASE.rule(case.state, "consult")
    await ctx.ask("case.consult", AskText(what="consult_topic", subject=case.number), case=case.id)


@answer("case.consult")
async def consult_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The topic; every unit of the case is asked for its position."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    case = await ctx.move(CASE, ctx.work.cases, case, "consult", stage_since=ctx.at)
    made = Consultation(
        id=ctx.services.ids.new(), case=case.id, topic=message.text.strip()[:300], opened_at=ctx.at
    )
    await ctx.work.consultations.add(made)
    await ctx.note("consultation", made.id, "open", case.id)
    for one in await ctx.work.assignments.find(case=case.id):
        await ctx.tell_role(
            Role.HANDLER,
            Pick(what="position", subject=case.number, detail=made.topic),
            choose("case.position", made.id),
            unit=one.unit,
            subject=f"consultation:{made.id}",
        )
    await ctx.reply(
        Done(what="consulting", subject=case.number),
        choose("case.position", made.id),
        choose("case.settle", case.id),
    )


@action("case.position", *OWNERS, Role.DESK)
async def position(ctx: Context, subject: str, args: Args) -> None:
    """What this person's unit thinks; dissent is kept."""
    del args
    await ctx.ask("case.position", AskText(what="position"), id=subject)


@answer("case.position")
async def position_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Recorded under the person."""
    made = await ctx.work.consultations.get(str(dialog.data["id"]))
    positions = {**made.positions, ctx.me.id: message.text.strip()[:500]}
    await ctx.work.consultations.save(dataclasses.replace(made, positions=positions))
    await ctx.note("consultation", made.id, "position", made.case)
    await ctx.reply(Done(what="position_noted"))


@action("case.settle", *OWNERS, Role.DESK)
async def settle(ctx: Context, subject: str, args: Args) -> None:
    """The decision of the consultation."""
    del args
    case = await ctx.work.cases.get(subject)
    CASE.rule(case.state, "settle")
    await ctx.ask("case.settle", AskText(what="decision", subject=case.number), case=case.id)


@answer("case.settle")
async def settle_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Signed by who wrote it; the case goes on."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    case = await ctx.move(CASE, ctx.work.cases, case, "settle", stage_since=ctx.at)
    for made in await ctx.work.consultations.find(case=case.id, decided_at=None):
        await ctx.work.consultations.save(
            dataclasses.replace(
                made, decision=message.text.strip()[:500], signer=ctx.me.id, decided_at=ctx.at
            )
        )
        await ctx.note("consultation", made.id, "decide", case.id)
        await ctx.settle_cards(
            f"consultation:{made.id}", Settled(what="decided", who=ctx.me.name, at=ctx.at)
        )
    await ctx.reply(
        Done(what="decided", subject=case.number), choose("case.open", case.id, keep=True)
    )


@action("case.conclude", *OWNERS)
async def conclude(ctx: Context, subject: str, args: Args) -> None:
    """给结论: which verdict, then on what grounds."""
    case = await ctx.work.cases.get(subject)
    CASE.rule(case.state, "conclude")
    if "verdict" not in args:
        await ctx.reply(
            Pick(what="verdict", subject=case.number),
            *[
                choose(
                    "case.conclude", case.id, label=f"verdict_{one.value.replace('-', '_')}",
                    verdict=one.value,
                )
                for one in Verdict
            ],
        )  # fmt: skip
        return
    await ctx.ask(
        "case.conclude",
        AskText(
            what="verdict_basis", subject=case.number,
            detail=f"verdict_{args['verdict'].replace('-', '_')}",
        ),
        case=case.id, verdict=args["verdict"],
    )  # fmt: skip


@answer("case.conclude")
async def conclude_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The verdict stands when there is evidence for it."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    verdict = Verdict(str(dialog.data["verdict"]))
    answers = await ctx.work.verifications.find(case=case.id, state="answered")
    facts = {
        "verdict": verdict,
        "evidence": await ctx.work.evidence.count(case=case.id),
        "about_owner": bool(cast("dict[str, object]", case.assessment).get("about_owner")),
        "second_unit": any(
            one.unit != case.owner and one.finding is not Finding.UNKNOWN for one in answers
        ),
    }
    case = await ctx.move(
        CASE, ctx.work.cases, case, "conclude", facts=facts, verdict=verdict,
        verdict_basis=message.text.strip()[:1000], concluded_by=ctx.me.id, stage_since=ctx.at,
    )  # fmt: skip
    await clocks.stop(ctx, f"case:{case.id}", Stage.VERIFY, Stage.HOLDING)
    await progress(ctx, case.id)
    await clocks.start(
        ctx, f"case:{case.id}", Stage.DRAFT, case.grade, business=case.received_at, case=case.id
    )
    await ctx.reply(
        Concluded(
            number=case.number, verdict=f"verdict_{verdict.value.replace('-', '_')}",
            basis=case.verdict_basis,
        ),
        *_after(case),
        subject=f"case:{case.id}",
    )  # fmt: skip
    if verdict is not Verdict.FALSE:
        await _tell_leaders(ctx, case)


def _after(case: Case) -> list[Choice]:
    if case.verdict is Verdict.OPINION:
        return [choose("case.open", case.id, keep=True)]
    return [choose("draft.start", case.id), choose("case.doubt", case.id)]


async def _tell_leaders(ctx: Context, case: Case) -> None:
    """What is true, doubtful or an opinion may end in other ways than a rebuttal."""
    verdict = f"verdict_{case.verdict.value.replace('-', '_')}" if case.verdict else ""
    reply = Concluded(number=case.number, verdict=verdict, basis=case.verdict_basis)
    ends = [] if case.verdict is Verdict.OPINION else [choose("case.monitor", case.id)]
    await ctx.tell_role(Role.LEADER, reply, *ends, subject=f"case:{case.id}")
    await ctx.tell_role(Role.DESK, reply, choose("case.open", case.id, keep=True))


@action("case.doubt", *OWNERS, Role.REVIEWER_2, Role.DESK)
async def doubt(ctx: Context, subject: str, args: Args) -> None:
    """事实存疑: back to verification; a text under review is pulled back."""
    del args
    case = await ctx.work.cases.get(subject)
    case = await ctx.move(
        CASE, ctx.work.cases, case, "doubt", verdict=None, concluded_by="", stage_since=ctx.at
    )
    for one in await ctx.work.revisions.find(case=case.id):
        if one.state in {RevisionState.REVIEW_1, RevisionState.REVIEW_2, RevisionState.REVIEW_3}:
            await ctx.move(REVISION, ctx.work.revisions, one, "pull_back", comment="doubt")
            await ctx.settle_cards(
                f"revision:{one.id}", Settled(what="doubted", who=ctx.me.name, at=ctx.at)
            )
    await clocks.stop(ctx, f"case:{case.id}", Stage.DRAFT, Stage.REVIEW)
    await clocks.start(
        ctx, f"case:{case.id}", Stage.VERIFY, case.grade, business=case.received_at, case=case.id
    )
    await ctx.settle_cards(f"case:{case.id}", Settled(what="doubted", who=ctx.me.name, at=ctx.at))
    if case.owner:
        await ctx.tell_role(
            Role.HANDLER, Done(what="doubted", subject=case.number),
            choose("case.open", case.id, keep=True), unit=case.owner,
        )  # fmt: skip
    await ctx.reply(Done(what="doubted", subject=case.number))
