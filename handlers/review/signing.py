"""三审: pass, send back, take a signature back; the urgent path's ratification."""

import dataclasses

from handlers import clocks, matters
from handlers.cards.lists import case_lines
from handlers.cards.publishing import ask_publisher
from handlers.cards.reviews import STEPS, ask_reviewers, card
from handlers.context import Context
from handlers.drafting.writing import PARTS, is_main
from handlers.feedback import closing
from handlers.publishing.correcting import open_correction
from handlers.replies import choose
from handlers.replies.drafting import Changed, FullText
from handlers.replies.shared import AskText, Done, Listing, Settled
from handlers.router import Args, action, answer
from matrix.core.bulletin import REVISION, TWO_SIGNERS, Review, Revision, RevisionState
from matrix.core.case import CASE, Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import NotFound
from matrix.core.roles import DISTRICT, OWNERS, REVIEWERS, Role
from matrix.triage.linter import compose

SEEING = frozenset({*DISTRICT, *OWNERS})


async def facts_of(ctx: Context, case: Case, revision: Revision) -> dict[str, object]:
    """Who signed this version, who verified: for the four eyes."""
    signed = await ctx.work.reviews.find(revision=revision.id, passed=True, undone=False)
    answers = await ctx.work.verifications.find(case=case.id, state="answered")
    held = await ctx.work.evidence.find(case=case.id)
    verifiers = {one.answered_by for one in answers} | {one.added_by for one in held}
    return {
        "signers": {one.person for one in signed},
        "verifiers": {*verifiers, case.concluded_by},
        "urgent_grade": case.grade.urgent,
    }


async def _sign(
    ctx: Context, revision: Revision, step: int, *, passed: bool, comment: str = ""
) -> None:
    await ctx.work.reviews.add(
        Review(
            id=ctx.services.ids.new(), revision=revision.id, case=revision.case, step=step,
            person=ctx.me.id, passed=passed, digest=revision.digest, comment=comment, at=ctx.at,
        )
    )  # fmt: skip


@action("review.pass", *REVIEWERS)
async def sign(ctx: Context, subject: str, args: Args) -> None:
    """通过: the signature stands on this version's digest."""
    del args
    revision = await ctx.work.revisions.get(subject)
    case = await matters.of(ctx, revision.case)
    step = STEPS.get(revision.state, (0, Role.REVIEWER_1))[0]
    last = revision.state is RevisionState.REVIEW_3
    urgent = last and revision.urgent and revision.kind not in TWO_SIGNERS
    revision = await ctx.move(
        REVISION, ctx.work.revisions, revision, "pass_urgent" if urgent else "pass",
        facts=await facts_of(ctx, case, revision), signed_at=ctx.at if last else None,
    )  # fmt: skip
    await _sign(ctx, revision, step, passed=True)
    await clocks.stop(ctx, f"revision:{revision.id}", Stage.REVIEW)
    await ctx.settle_cards(
        f"revision:{revision.id}", Settled(what="passed", who=ctx.me.name, at=ctx.at)
    )
    if revision.state in STEPS:
        await ask_reviewers(ctx, case, revision)
    else:
        await _signed(ctx, case, revision)
    await ctx.reply(
        Done(what="passed", subject=case.number, detail=str(revision.serial)),
        choose("review.undo", revision.id, version=str(revision.version), step=str(step)),
        subject=f"signed:{revision.id}",
    )


async def _signed(ctx: Context, case: Case, revision: Revision) -> None:
    if is_main(revision, case) and CASE.has(case.state, "approve"):
        case = await ctx.move(CASE, ctx.work.cases, case, "approve", stage_since=ctx.at)
    if revision.state is RevisionState.SIGNED_URGENT:
        await clocks.start(
            ctx, f"revision:{revision.id}", Stage.RATIFY, case.grade,
            business=case.received_at, case=case.id,
        )  # fmt: skip
        await ctx.tell_role(
            Role.REVIEWER_1,
            FullText(number=case.number, serial=revision.serial, text=text_of(revision)),
            choose("review.ratify", revision.id),
            choose("review.refuse", revision.id),
            subject=f"ratify:{revision.id}",
        )
    await ask_publisher(ctx, case, revision)


@action("review.back", *REVIEWERS)
async def back(ctx: Context, subject: str, args: Args) -> None:
    """退回修改: with a comment that the drafter sees."""
    del args
    revision = await ctx.work.revisions.get(subject)
    REVISION.rule(revision.state, "send_back")
    case = await matters.of(ctx, revision.case)
    await ctx.ask("review.back", AskText(what="comment", subject=case.number), id=revision.id)


@answer("review.back")
async def back_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The comment."""
    revision = await ctx.work.revisions.get(str(dialog.data["id"]))
    case = await matters.of(ctx, revision.case)
    comment = message.text.strip()[:500]
    step = STEPS.get(revision.state, (0, Role.REVIEWER_1))[0]
    revision = await ctx.move(REVISION, ctx.work.revisions, revision, "send_back", comment=comment)
    await _sign(ctx, revision, step, passed=False, comment=comment)
    if is_main(revision, case) and CASE.has(case.state, "return"):
        case = await ctx.move(CASE, ctx.work.cases, case, "return", stage_since=ctx.at)
        await clocks.start(
            ctx, f"case:{case.id}", Stage.DRAFT, case.grade,
            business=case.received_at, case=case.id,
        )  # fmt: skip
    await clocks.stop(ctx, f"revision:{revision.id}")
    await ctx.settle_cards(
        f"revision:{revision.id}", Settled(what="sent_back", who=ctx.me.name, at=ctx.at)
    )
    await ctx.tell(
        revision.drafter,
        Done(what="sent_back_to_you", subject=case.number, detail=comment),
        choose("draft.open", case.id, keep=True),
        subject=f"case:{case.id}",
        roles=OWNERS,
        unit=revision.unit,
    )
    await ctx.reply(Done(what="sent_back", subject=case.number))


@action("review.undo", *REVIEWERS)
async def undo(ctx: Context, subject: str, args: Args) -> None:
    """撤销签字: until the next one signs."""
    revision = await ctx.work.revisions.get(subject)
    case = await matters.of(ctx, revision.case)
    step = int(args["step"])
    signed = await ctx.work.reviews.one(revision=revision.id, step=step, passed=True, undone=False)
    facts = {
        **ctx.undo_facts(int(args["version"])),
        "signer": signed.person if signed else "",
        "published": await ctx.work.bulletins.count(revision=revision.id, state__ne="signed"),
    }
    was_signed = revision.state is RevisionState.SIGNED
    revision = await ctx.move(REVISION, ctx.work.revisions, revision, "undo", facts=facts)
    if signed is not None:
        await ctx.work.reviews.save(dataclasses.replace(signed, undone=True))
    if was_signed and is_main(revision, case) and CASE.has(case.state, "unsign"):
        case = await ctx.move(CASE, ctx.work.cases, case, "unsign", stage_since=ctx.at)
    for stale in (f"revision:{revision.id}", f"publish:{revision.id}"):
        await ctx.settle_cards(stale, Settled(what="unsigned", who=ctx.me.name, at=ctx.at))
    await ask_reviewers(ctx, case, revision)
    await ctx.reply(Done(what="unsigned", subject=case.number))


@action("review.ratify", Role.REVIEWER_1)
async def ratify(ctx: Context, subject: str, args: Args) -> None:
    """补审通过."""
    del args
    revision = await ctx.work.revisions.get(subject)
    case = await matters.of(ctx, revision.case)
    revision = await ctx.move(
        REVISION, ctx.work.revisions, revision, "ratify", facts=await facts_of(ctx, case, revision)
    )
    await _sign(ctx, revision, 1, passed=True)
    await _ratification_over(ctx, revision, "ratified")
    await ctx.reply(Done(what="ratified", subject=case.number))


@action("review.refuse", Role.REVIEWER_1)
async def refuse(ctx: Context, subject: str, args: Args) -> None:
    """补审不通过: opens a correction."""
    del args

    revision = await ctx.work.revisions.get(subject)
    case = await matters.of(ctx, revision.case)
    revision = await ctx.move(
        REVISION, ctx.work.revisions, revision, "refuse", facts=await facts_of(ctx, case, revision)
    )
    await _sign(ctx, revision, 1, passed=False)
    await _ratification_over(ctx, revision, "refused")
    bulletin = await ctx.work.bulletins.one(revision=revision.id)
    if bulletin is None:
        await _back_to_drafter(ctx, case, revision)
    elif bulletin.state == "current":
        await open_correction(ctx, bulletin)
    await ctx.reply(Done(what="refused", subject=case.number))


async def _back_to_drafter(ctx: Context, case: Case, revision: Revision) -> None:
    """Refused before it was out: nothing to correct, the text is written again."""
    if is_main(revision, case) and CASE.has(case.state, "return"):
        case = await ctx.move(CASE, ctx.work.cases, case, "return", stage_since=ctx.at)
    await ctx.settle_cards(
        f"publish:{revision.id}", Settled(what="refused", who=ctx.me.name, at=ctx.at)
    )
    await ctx.tell(
        revision.drafter, Done(what="sent_back_to_you", subject=case.number),
        choose("draft.open", case.id, keep=True), subject=f"case:{case.id}",
        roles=OWNERS, unit=revision.unit,
    )  # fmt: skip


async def _ratification_over(ctx: Context, revision: Revision, what: str) -> None:

    await clocks.stop(ctx, f"revision:{revision.id}", Stage.RATIFY)
    await ctx.settle_cards(f"ratify:{revision.id}", Settled(what=what, who=ctx.me.name, at=ctx.at))
    await closing.close_if_done(ctx, revision.case)


def text_of(revision: Revision) -> str:
    """The full text of a version."""
    return compose(
        title=revision.title, fact=revision.fact, rumor=revision.rumor,
        why=revision.why, todo=revision.todo,
    )  # fmt: skip


@action("review.full", *SEEING)
async def full(ctx: Context, subject: str, args: Args) -> None:
    """看全文."""
    del args
    revision = await ctx.work.revisions.get(subject)
    await ctx.actor(SEEING, revision, "see")
    case = await matters.of(ctx, revision.case)
    await ctx.reply(FullText(number=case.number, serial=revision.serial, text=text_of(revision)))


@action("review.diff", *SEEING)
async def diff(ctx: Context, subject: str, args: Args) -> None:
    """看改动: since the version before."""
    del args
    revision = await ctx.work.revisions.get(subject)
    await ctx.actor(SEEING, revision, "see")
    case = await matters.of(ctx, revision.case)
    before = await ctx.work.revisions.one(case=case.id, serial=revision.serial - 1)
    changed = tuple(
        Changed(
            part=f"part_{part}",
            before=(getattr(before, part) if before else "")[:300],
            after=getattr(revision, part)[:300],
        )
        for part in PARTS
        if before is None or getattr(before, part) != getattr(revision, part)
    )
    await ctx.reply(
        Listing(
            what="changes", subject=case.number, total=len(changed), lines=changed,
            empty="" if changed else "yes",
        )
    )  # fmt: skip


@action("review.mine", *REVIEWERS)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """待审: what waits for this person's signature."""
    del subject, args
    cases, buttons = [], []
    for state, (_, role) in STEPS.items():
        if not ctx.has(role):
            continue
        for revision in await ctx.work.revisions.find(state=state, order="created_at"):
            case = await matters.of(ctx, revision.case)
            cases.append(case)
            buttons.append(choose("review.open", revision.id, text=case.number, keep=True))

    await ctx.reply(
        Listing(
            what="my_reviews", total=len(cases), lines=await case_lines(ctx, cases[:8]),
            empty="" if cases else "yes",
        ),
        *buttons[:8],
    )  # fmt: skip


@action("review.open", *REVIEWERS)
async def open_review(ctx: Context, subject: str, args: Args) -> None:
    """The card again."""
    del args

    revision = await ctx.work.revisions.get(subject)
    if revision.state not in STEPS:
        raise NotFound("review")
    case = await matters.of(ctx, revision.case)
    await ctx.reply(
        await card(ctx, case, revision, STEPS[revision.state][0]),
        choose("review.pass", revision.id),
        choose("review.back", revision.id),
        choose("review.full", revision.id, keep=True),
        choose("review.diff", revision.id, keep=True),
        subject=f"revision:{revision.id}",
    )
