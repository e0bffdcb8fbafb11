"""The card that asks a reviewer, and who is asked."""

from handlers import clocks
from handlers.cards import evidence
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import RemarkLine, ReviewCard
from matrix.core.bulletin import REBUTTALS, Revision, RevisionState
from matrix.core.case import Case, Verdict
from matrix.core.deadline import Stage
from matrix.core.roles import Role
from matrix.triage.linter import lint

STEPS = {
    RevisionState.REVIEW_1: (1, Role.REVIEWER_1),
    RevisionState.REVIEW_2: (2, Role.REVIEWER_2),
    RevisionState.REVIEW_3: (3, Role.REVIEWER_3),
}


async def card(ctx: Context, case: Case, revision: Revision, step: int) -> ReviewCard:
    """The version with its evidence and remarks."""
    held = await ctx.work.evidence.find(case=case.id, order="added_at")
    remarks = lint(
        title=revision.title, fact=revision.fact, rumor=revision.rumor, why=revision.why,
        todo=revision.todo, rebuts=revision.judged_as in REBUTTALS,
        partly=case.verdict is Verdict.PARTLY_TRUE,
    )  # fmt: skip
    return ReviewCard(
        step=f"step_{step}",
        number=case.number,
        grade=case.grade,
        kind=revision.kind,
        serial=revision.serial,
        drafter=ctx.directory.person_name(revision.drafter),
        unit=ctx.directory.unit_name(revision.unit),
        title=revision.title,
        evidence=tuple(evidence.line(one, 60) for one in held),
        remarks=tuple(RemarkLine(code=one.code, part=f"part_{one.part}") for one in remarks),
        urgent="yes" if revision.urgent else "",
        expires_at=revision.expires_at,
        review_at=revision.review_at,
        due_at=await clocks.due_of(ctx, f"revision:{revision.id}"),
    )


async def ask_reviewers(ctx: Context, case: Case, revision: Revision) -> int:
    """Everyone who holds the role of the step is asked; returns how many were reached."""
    step, role = STEPS[revision.state]
    await clocks.start(
        ctx, f"revision:{revision.id}", Stage.REVIEW, case.grade,
        business=case.received_at, case=case.id,
    )  # fmt: skip
    shown = await card(ctx, case, revision, step)
    buttons = [
        choose("review.pass", revision.id),
        choose("review.back", revision.id),
        choose("review.full", revision.id, keep=True),
        choose("review.diff", revision.id, keep=True),
        *await evidence.offered(ctx, case.id),
    ]
    if role is Role.REVIEWER_2 and not revision.corrects:
        buttons.append(choose("case.doubt", case.id, keep=True))
    return await ctx.tell_role(role, shown, *buttons, subject=f"revision:{revision.id}")
