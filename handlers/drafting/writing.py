"""The draft in four parts: prefilled, replaced by sending text, checked, submitted."""

import dataclasses
import hashlib
from datetime import datetime, timedelta
from typing import Any

from handlers import clocks, matters
from handlers.assignment.acting import progress
from handlers.cards.publishing import date_choices
from handlers.cards.reviews import ask_reviewers
from handlers.context import Context
from handlers.drafting.prefilled import prefilled
from handlers.replies import Choice, choose
from handlers.replies.drafting import DraftCard, RemarkLine
from handlers.replies.shared import AskText, Done, Settled
from handlers.router import Args, action, answer
from matrix.core.bulletin import (
    REBUTTALS,
    REVISION,
    TWO_SIGNERS,
    Kind,
    Revision,
    RevisionState,
)
from matrix.core.case import CASE, REBUTTABLE, Case, CaseState, Verdict
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import GuardRefused, NotFound, Refusal
from matrix.core.lifecycle import Step
from matrix.core.roles import OWNERS, Actor, Role
from matrix.triage.calendar import LOCAL, day_end
from matrix.triage.linter import Remark, lint

SEEING = frozenset({*OWNERS, Role.DESK, Role.LEADER, Role.PUBLISHER})
PARTS = ("title", "fact", "rumor", "why", "todo")
_OPEN = {RevisionState.DRAFT}
OVER = frozenset(
    {
        RevisionState.SIGNED, RevisionState.RATIFIED, RevisionState.REFUSED,
        RevisionState.SENT_BACK, RevisionState.PULLED_BACK,
    }
)  # fmt: skip
LIMITS = {"title": 64, "fact": 2000, "rumor": 500, "why": 3000, "todo": 1000}
"""Characters per part; a title fits every account of the matrix."""


def kind_for(verdict: Verdict | None) -> Kind:
    """What may follow a verdict (domain §3)."""
    if verdict in REBUTTABLE:
        return Kind.FIRST
    if verdict is Verdict.TRUE:
        return Kind.STATEMENT
    return Kind.HOLDING


def is_main(revision: Revision, case: Case) -> bool:
    """Whether the case's stages mirror this revision: its own text, not a correction."""
    mirrored = {CaseState.CONCLUDED, CaseState.DRAFTING, CaseState.IN_REVIEW, CaseState.APPROVED}
    fits = case.verdict is not None and revision.kind is kind_for(case.verdict)
    return fits and not revision.corrects and case.state in mirrored


async def start(
    ctx: Context,
    case: Case,
    kind: Kind,
    *,
    corrects: str = "",
    original: Kind | None = None,
    base: Revision | None = None,
) -> Revision:
    """A new revision, prefilled from the last one or from the case."""
    serial = await ctx.work.serial(f"revision:{case.id}")
    post = next((p for p in ctx.posts if p.role in OWNERS), None)
    parts = (
        {part: getattr(base, part) for part in PARTS}
        if base is not None
        else await prefilled(ctx, case, kind)
    )
    revision = Revision(
        id=ctx.services.ids.new(), case=case.id, kind=kind, serial=serial,
        drafter=ctx.me.id if ctx.person else "", unit=post.unit if post else case.owner,
        corrects=corrects, original=original or (base.original if base else None),
        created_at=ctx.at, **parts,
        expires_at=base.expires_at if base else None,
        review_at=base.review_at if base else _look_again(ctx, kind),
    )  # fmt: skip
    await ctx.work.revisions.add(revision)
    role = post.role if post else Role.MACHINE
    await ctx.log(
        Step(
            entity=REVISION.name, entity_id=revision.id, action="make", source="",
            target=revision.state.value, actor=Actor(role=role, person=revision.drafter),
        ),
        revision,
    )  # fmt: skip
    return revision


def _look_again(ctx: Context, kind: Kind) -> datetime | None:
    """What is not settled is looked at again; the drafter may choose another day."""
    if kind is not Kind.HOLDING:
        return None
    return day_end(ctx.at.astimezone(LOCAL).date() + timedelta(days=ctx.policy.review_days))


def drafters(revision: Revision) -> frozenset[Role]:
    """Who writes a text of this kind."""
    del revision
    return OWNERS


@action("draft.start", *OWNERS)
async def begin(ctx: Context, subject: str, args: Args) -> None:
    """拟稿: of the kind that the verdict allows."""
    del args
    case = await matters.of(ctx, subject)
    case = await ctx.move(CASE, ctx.work.cases, case, "draft", stage_since=ctx.at)
    await progress(ctx, case.id)
    revision = await start(ctx, case, kind_for(case.verdict))
    await show(ctx, case, revision)


@action("draft.holding", *OWNERS)
async def holding(ctx: Context, subject: str, args: Args) -> None:
    """核查中提示 while verification runs: no verdict, and says so."""
    del args
    case = await matters.of(ctx, subject)
    await ctx.actor(OWNERS, case, "conclude")
    await progress(ctx, case.id)
    await show(ctx, case, await start(ctx, case, Kind.HOLDING))


async def current(ctx: Context, case: Case) -> Revision:
    """The newest revision of a case. Raises NotFound."""
    found = await ctx.work.revisions.find(case=case.id, order="-serial", limit=1)
    if not found:
        raise NotFound("draft")
    return found[0]


@action("draft.open")
async def reopen(ctx: Context, subject: str, args: Args) -> None:
    """The newest version of a case's text; a sent-back one becomes a new version."""
    del args
    case = await matters.of(ctx, subject)
    revision = await current(ctx, case)
    about = revision if matters.stands_alone(case) else case
    await ctx.actor(SEEING, about, "see")
    closed = {RevisionState.SENT_BACK, RevisionState.PULLED_BACK, RevisionState.REFUSED}
    if revision.state in closed and ctx.has(*OWNERS):
        again = await start(ctx, case, revision.kind, corrects=revision.corrects, base=revision)
        again = await ctx.work.revisions.save(dataclasses.replace(again, comment=revision.comment))
        revision = again
    await show(ctx, case, revision)


def remarks_of(revision: Revision, verdict: Verdict | None = None) -> tuple[Remark, ...]:
    """The linter's remarks on a revision, and on what its case's verdict asks of it."""
    return lint(
        title=revision.title, fact=revision.fact, rumor=revision.rumor, why=revision.why,
        todo=revision.todo, rebuts=revision.judged_as in REBUTTALS,
        partly=verdict is Verdict.PARTLY_TRUE,
    )  # fmt: skip


def lines_of(revision: Revision, verdict: Verdict | None) -> tuple[RemarkLine, ...]:
    """The same as shown."""
    return tuple(
        RemarkLine(code=one.code, part=f"part_{one.part}", blocking="yes" if one.blocking else "")
        for one in remarks_of(revision, verdict)
    )


async def show(ctx: Context, case: Case, revision: Revision) -> None:
    """The draft with what its drafter may do now."""
    await ctx.reply(
        DraftCard(
            number=case.number, kind=revision.kind, serial=revision.serial, title=revision.title,
            fact=revision.fact, rumor=revision.rumor, why=revision.why, todo=revision.todo,
            comment=revision.comment, remarks=lines_of(revision, case.verdict),
            expires_at=revision.expires_at, review_at=revision.review_at,
            due_at=await clocks.case_due(ctx, case.id),
        ),
        *_choices(ctx, revision, case),
        subject=f"draft:{revision.id}",
    )  # fmt: skip


def _choices(ctx: Context, revision: Revision, case: Case) -> list[Choice]:
    if revision.state is RevisionState.DRAFT:
        buttons = [
            choose("draft.part", revision.id, label=f"edit_{part}", part=part, keep=True)
            for part in PARTS
        ]
        if ctx.services.pages.reachable:
            buttons.append(choose("draft.page", revision.id, keep=True))
        buttons += date_choices("revision", revision)
        if revision.kind is Kind.CORRECTION:
            buttons.append(choose("evidence.add", case.id, keep=True))
        buttons.append(choose("draft.submit", revision.id, keep=True))
        if case.grade.urgent and revision.kind in REBUTTALS:
            buttons.append(choose("draft.submit_urgent", revision.id, keep=True))
        return buttons
    if REVISION.has(revision.state, "pull_back"):
        return [choose("draft.pull_back", revision.id)]
    return []


@action("draft.part", *OWNERS)
async def part(ctx: Context, subject: str, args: Args) -> None:
    """Replace one part by sending its text."""
    revision = await ctx.work.revisions.get(subject)
    await ctx.actor(OWNERS, revision, "edit")
    if revision.state not in _OPEN:
        raise Refusal("draft_closed")
    await ctx.ask(
        "draft.part",
        AskText(what="part", subject=f"part_{args['part']}", detail=str(LIMITS[args["part"]])),
        id=revision.id, part=args["part"],
    )  # fmt: skip


@answer("draft.part")
async def part_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The part's new text."""
    name = str(dialog.data["part"])
    await write(ctx, str(dialog.data["id"]), {name: message.text})


async def write(ctx: Context, revision_id: str, parts: dict[str, str]) -> Revision:
    """Replace parts of a draft. Raises Refusal when it is closed or a part is too long."""
    revision = await ctx.work.revisions.get(revision_id)
    await ctx.actor(OWNERS, revision, "edit")
    if revision.state not in _OPEN:
        raise Refusal("draft_closed")
    for name, text in parts.items():
        if name not in PARTS or len(text) > LIMITS[name]:
            raise Refusal("part_too_long", {"detail": str(LIMITS.get(name, 0))})
    cleaned: dict[str, Any] = {name: text.strip() for name, text in parts.items()}
    revision = await ctx.work.revisions.save(dataclasses.replace(revision, **cleaned))
    await ctx.note("revision", revision.id, "edit", revision.case, parts=sorted(parts))
    await progress(ctx, revision.case)
    await show(ctx, await matters.of(ctx, revision.case), revision)
    return revision


def digest(revision: Revision) -> str:
    """What reviewers sign."""
    text = "\x00".join(getattr(revision, part) for part in PARTS)
    return hashlib.sha256(text.encode()).hexdigest()


@action("draft.submit", *OWNERS)
async def submit(ctx: Context, subject: str, args: Args) -> None:
    """提交审签: three reviews, or two for holding notices and withdrawals."""
    del args
    await _submit(ctx, subject, urgent=False)


@action("draft.submit_urgent", *OWNERS)
async def submit_urgent(ctx: Context, subject: str, args: Args) -> None:
    """加急: two sign now, the first review is made up within 24 hours."""
    del args
    await _submit(ctx, subject, urgent=True)


async def grounds(ctx: Context, case: Case) -> dict[str, object]:
    """What a bulletin stands on: verdict and publishable sources, by grade (domain §7.1)."""
    return {
        "verdict": case.verdict,
        "grade": case.grade,
        "publishable": await ctx.work.evidence.count(case=case.id, publishable=True),
    }


async def _submit(ctx: Context, revision_id: str, *, urgent: bool) -> None:
    revision = await ctx.work.revisions.get(revision_id)
    case = await matters.of(ctx, revision.case)
    ctx.require("urgent_grade", holds=not urgent or case.grade.urgent)
    blocking = [one.code for one in remarks_of(revision, case.verdict) if one.blocking]
    short = urgent or revision.kind in TWO_SIGNERS
    facts = {"blocking": blocking, **await grounds(ctx, case)}
    try:
        revision = await ctx.move(
            REVISION, ctx.work.revisions, dataclasses.replace(revision, urgent=urgent),
            "submit_short" if short else "submit", facts=facts, digest=digest(revision),
        )  # fmt: skip
    except GuardRefused as refused:
        if refused.key != "guard_lint_clean":
            raise
        raise Refusal("lint_blocks", {"detail": f"lint_{blocking[0]}"}) from refused
    if is_main(revision, case) and CASE.has(case.state, "submit"):
        case = await ctx.move(CASE, ctx.work.cases, case, "submit", stage_since=ctx.at)
        await clocks.stop(ctx, f"case:{case.id}", Stage.DRAFT)
    await progress(ctx, case.id)
    await ctx.settle_cards(
        f"draft:{revision.id}", Settled(what="submitted", who=ctx.me.name, at=ctx.at)
    )
    reached = await ask_reviewers(ctx, case, revision)
    await ctx.reply(
        Done(what="submitted" if reached else "submitted_nobody", subject=case.number),
        choose("draft.pull_back", revision.id),
        subject=f"submitted:{revision.id}",
    )


@action("draft.pull_back")
async def pull_back(ctx: Context, subject: str, args: Args) -> None:
    """撤回修改: a new version starts from the first review."""
    del args
    revision = await ctx.work.revisions.get(subject)
    published = await ctx.work.bulletins.count(revision=revision.id, state__ne="signed")
    case = await matters.of(ctx, revision.case)
    ctx.require(
        "drafter_is_actor",
        holds=revision.drafter == ctx.me.id or ctx.has(Role.UNIT_HEAD, Role.PUBLISHER),
    )
    revision = await ctx.move(
        REVISION, ctx.work.revisions, revision, "pull_back", facts={"published": published}
    )
    if is_main(revision, case) and CASE.has(case.state, "return"):
        case = await ctx.move(CASE, ctx.work.cases, case, "return", stage_since=ctx.at)
    await clocks.stop(ctx, f"revision:{revision.id}")
    for subject_ in (f"revision:{revision.id}", f"publish:{revision.id}"):
        await ctx.settle_cards(subject_, Settled(what="pulled_back", who=ctx.me.name, at=ctx.at))
    if ctx.has(*OWNERS):
        again = await start(ctx, case, revision.kind, corrects=revision.corrects, base=revision)
        await show(ctx, case, again)
        return
    await ctx.tell(
        revision.drafter, Done(what="publisher_returned", subject=case.number),
        choose("draft.open", case.id, keep=True), roles=OWNERS, unit=revision.unit,
    )  # fmt: skip
    await ctx.reply(Done(what="pulled_back", subject=case.number))
