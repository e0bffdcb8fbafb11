"""A case as colleagues see it, with the buttons that this person may press now."""

from collections.abc import Sequence

from handlers import access, clocks
from handlers.cards import leads as lead_cards
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies import Choice, choose
from handlers.replies.shared import CaseCard, NationalLine
from matrix.core.appeal import AppealState
from matrix.core.case import ASSIGNMENT, CASE, AssignmentState, Case, CaseState, Verdict
from matrix.core.errors import NotAllowed
from matrix.core.roles import OWNERS, Role
from matrix.triage.national import national

SEEING = frozenset(
    {
        Role.DESK, Role.LEADER, Role.PUBLISHER, Role.REVIEWER_1, Role.REVIEWER_2,
        Role.REVIEWER_3, Role.HANDLER, Role.UNIT_HEAD, Role.ADMIN,
    }
)  # fmt: skip


async def require_sight(ctx: Context, case: Case) -> None:
    """Raises NotAllowed for who has no business with the case."""
    for post in ctx.posts:
        if post.role not in SEEING:
            continue
        if await access.reaches(ctx.work, post, case, "see"):
            return
        asked = await ctx.work.verifications.count(case=case.id, unit=post.unit)
        if post.unit and asked:
            return
    raise NotAllowed("case")


async def card(ctx: Context, case: Case) -> CaseCard:
    """The case. Reporters are counted, never named."""
    spread = await proposals.spread_of(ctx, case.claim, case.id)
    appeals = await ctx.work.appeals.count(case=case.id, state=AppealState.OPEN)
    merged = await ctx.work.cases.maybe(case.merged_into)
    main = await ctx.work.cases.maybe(case.parent)
    below = await ctx.work.cases.count(parent=case.id)
    return CaseCard(
        number=case.number,
        grade=case.grade,
        state=case.state,
        wording=case.wording[:200],
        reasons=lead_cards.reasons(ctx, case.routing),
        graded=lead_cards.graded(case.assessment),
        certainty=str(case.assessment.get("certainty") or ""),
        owner=ctx.directory.unit_name(case.owner),
        co_units=lead_cards.names(ctx, case.co_units),
        leads=spread.leads,
        groups=spread.groups,
        areas=spread.areas,
        first_at=case.received_at,
        due_at=await clocks.case_due(ctx, case.id),
        verdict=case.verdict.value if case.verdict else "",
        paused=case.paused_reason,
        review_at=case.review_at,
        correction="yes" if case.correction_open else "",
        appeals=str(appeals) if appeals else "",
        merged_into=merged.number if merged else "",
        main=main.number if main else "",
        below=str(below or ""),
        publish_by=await clocks.publish_by(ctx, case),
        national=tuple(
            NationalLine(duty=one.duty, due_at=one.due_at)
            for one in national(case.event_class, case.received_at)
        ),
        watched_until=await clocks.watched_until(ctx, case),
    )


async def show(ctx: Context, case: Case) -> None:
    """The card with this person's buttons."""
    await require_sight(ctx, case)
    await ctx.reply(await card(ctx, case), *await choices(ctx, case), subject=f"case:{case.id}")


# Button → the lifecycle action that must be open to the person; order is the order shown.
_CASE_BUTTONS: Sequence[tuple[str, str]] = (
    ("case.dispatch", "dispatch"),
    ("case.decline", "decline"),
    ("case.refer", "refer"),
    ("case.recall", "recall"),
    ("case.conclude", "conclude"),
    ("case.consult", "consult"),
    ("case.settle", "settle"),
    ("draft.start", "draft"),
    ("case.monitor", "monitor"),
    ("case.doubt", "doubt"),
    ("case.resume", "resume"),
    ("case.close", "close"),
    ("case.reopen", "reopen"),
)
_WORKING = frozenset({CaseState.ACKNOWLEDGED, CaseState.VERIFYING, CaseState.CONSULTING})


async def choices(ctx: Context, case: Case) -> list[Choice]:
    """What this person may do now: follows from posts, the case and the table."""
    if case.merged_into:
        return [choose("case.unmerge", case.id)] if ctx.has(Role.DESK) else []
    buttons = [*await _assignment_buttons(ctx, case), *await _working_buttons(ctx, case)]
    if await _may_extend(ctx, case):
        buttons.append(choose("case.extend", case.id))
    for name, row in _CASE_BUTTONS:
        if _fits(case, name) and await ctx.may(CASE, case, row):
            buttons.append(choose(name, case.id))
    if case.state in {CaseState.DRAFTING, CaseState.IN_REVIEW, CaseState.APPROVED}:
        buttons.append(choose("draft.open", case.id, keep=True))
    buttons += _deciding_buttons(ctx, case)
    if ctx.has(Role.DESK, Role.HANDLER, Role.UNIT_HEAD):
        buttons.append(choose("case.leads", case.id, keep=True))
        if await ctx.work.appeals.count(case=case.id):
            buttons.append(choose("case.appeals", case.id, keep=True))
    return buttons


def _deciding_buttons(ctx: Context, case: Case) -> list[Choice]:
    """The desk decides much behind one button, a leader who owns the case until its verdict."""
    if ctx.has(Role.DESK):
        return [choose("case.more", case.id, keep=True)]
    if ctx.has(Role.LEADER) and CASE.has(case.state, "undo_owner"):
        return [choose("case.owner", case.id)]
    return []


def _fits(case: Case, name: str) -> bool:
    """Whether the verdict leaves this end open, and whether it needs a person at all."""
    opinion = case.verdict is Verdict.OPINION
    match name:
        case "draft.start" | "case.monitor":
            return not opinion
        case "case.close":
            return case.state is not CaseState.CHECKING and (
                opinion or case.state is not CaseState.CONCLUDED
            )
        case _:
            return True


async def _working_buttons(ctx: Context, case: Case) -> list[Choice]:
    if case.state not in _WORKING or not await ctx.may(CASE, case, "conclude"):
        return []
    names = ("verify.ask", "evidence.add", "verify.compare", "enquiry.ask")
    return [
        *(choose(name, case.id, keep=True) for name in names),
        choose("draft.holding", case.id),
    ]


async def _may_extend(ctx: Context, case: Case) -> bool:
    if not any(p.role in OWNERS and p.unit == case.owner for p in ctx.posts):
        return False
    return bool(
        await ctx.work.deadlines.count(
            subject=f"case:{case.id}", stage__in=clocks.EXTENDABLE, closed_at=None
        )
    )


async def _assignment_buttons(ctx: Context, case: Case) -> list[Choice]:
    units = {post.unit for post in ctx.posts if post.role in {Role.HANDLER, Role.UNIT_HEAD}}
    buttons = []
    for one in await ctx.work.assignments.find(case=case.id):
        if one.unit not in units:
            continue
        if await ctx.may(ASSIGNMENT, one, "acknowledge"):
            buttons.append(choose("assignment.acknowledge", one.id))
        if await ctx.may(ASSIGNMENT, one, "return"):
            buttons.append(choose("assignment.return", one.id))
        if one.state in {
            AssignmentState.OFFERED, AssignmentState.DESIGNATED, AssignmentState.ACKNOWLEDGED,
        }:  # fmt: skip
            buttons.append(choose("assignment.handover", one.id))
    return buttons
