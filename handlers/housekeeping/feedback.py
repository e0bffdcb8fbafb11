"""What reporters are told: once per person and outcome, and when a case may close."""

from datetime import datetime, timedelta

from handlers import clocks
from handlers.appeals import cards as appeals
from handlers.context import Context
from handlers.replies import Choice, Reply, choose
from handlers.replies.intake import FeedbackBulletin, FeedbackCorrection, FeedbackOther
from handlers.replies.triage import Alarm
from matrix.core.bulletin import Bulletin, Kind, RevisionState
from matrix.core.campaign import ENDED
from matrix.core.case import ASSIGNMENT, CASE, AssignmentState, Case, CaseState, Grade
from matrix.core.delivery import FEEDBACK, Feedback, FeedbackState
from matrix.core.errors import StaleVersion
from matrix.core.lead import LEAD, Lead
from matrix.core.lifecycle import Step
from matrix.core.roles import CLOCK, MACHINE, Role

OPEN = (FeedbackState.DUE, FeedbackState.IN_DOUBT, FeedbackState.FAILED)


async def owe(
    ctx: Context,
    lead: Lead,
    outcome: str,
    *,
    grade: Grade | None = None,
    wait_for_undo: bool = False,
) -> Feedback | None:
    """Owe a lead's reporter one outcome. (person, outcome) is unique: owing twice is once."""
    person = await ctx.work.people.maybe(lead.reporter)
    if person is None or (not person.notices and not outcome.startswith("bulletin:")):
        return None
    known = await ctx.work.feedback.one(person=lead.reporter, outcome=outcome)
    if known is not None:
        return known
    made = Feedback(
        id=ctx.services.ids.new(), person=lead.reporter, outcome=outcome, case=lead.case,
        lead=lead.id, due_at=_due(ctx, grade, wait_for_undo=wait_for_undo),
    )  # fmt: skip
    try:
        await ctx.work.feedback.add(made)
    except StaleVersion:
        return None
    step = Step(
        entity=FEEDBACK.name, entity_id=made.id, action="owe", source="",
        target=made.state.value, actor=MACHINE,
    )  # fmt: skip
    await ctx.log(step, made)
    return made


def _due(ctx: Context, grade: Grade | None, *, wait_for_undo: bool) -> datetime:
    due = ctx.at + timedelta(minutes=ctx.policy.undo_minutes if wait_for_undo else 0)
    urgent = grade is not None and grade.urgent
    if not urgent and ctx.policy.clocks.is_quiet(due):
        return ctx.policy.clocks.next_morning(due)
    return due


async def tree(ctx: Context, case: Case) -> list[Lead]:
    """Every lead of a case and of the cases merged into it."""
    leads = await ctx.work.leads.find(case=case.id)
    for child in await ctx.work.cases.find(merged_into=case.id):
        leads += await tree(ctx, child)
    return leads


async def owe_case(ctx: Context, case: Case, outcome: str, *, wait_for_undo: bool = False) -> None:
    """Owe every reporter of the merged tree one outcome."""
    for lead in await tree(ctx, case):
        await owe(ctx, lead, outcome, grade=case.grade, wait_for_undo=wait_for_undo)


async def owe_publication(
    ctx: Context, case: Case, bulletin: Bulletin, old: Bulletin | None
) -> None:
    """Owe a publication to the tree; a correction also to everyone the original reached."""
    outcome = f"bulletin:{bulletin.id}"
    leads = await tree(ctx, case)
    if old is not None:
        leads += await ctx.work.leads.find(bulletin=old.id)
        for told in await ctx.work.feedback.find(outcome=f"bulletin:{old.id}"):
            leads.append(await ctx.work.leads.get(told.lead))
    for lead in leads:
        await owe(ctx, lead, outcome, grade=case.grade)


async def catch_up(ctx: Context, case: Case, lead: Lead) -> None:
    """A lead that joins after publication is owed what the others were told."""
    bulletin = await ctx.work.bulletins.maybe(case.bulletin)
    if bulletin is not None and bulletin.state == "current":
        await owe(ctx, lead, f"bulletin:{bulletin.id}", grade=case.grade)


async def forget(ctx: Context, lead: Lead, outcome: str) -> None:
    """An outcome that was undone before it was told is not owed any more."""
    for one in await ctx.work.feedback.find(
        person=lead.reporter, outcome=outcome, state=FeedbackState.DUE
    ):
        await ctx.work.feedback.remove(one.id)
        await ctx.note("feedback", one.id, "forget", one.case)


async def forget_case(ctx: Context, case: Case, outcome: str) -> None:
    """The same for every reporter of a tree."""
    for lead in await tree(ctx, case):
        await forget(ctx, lead, outcome)


async def send_due(ctx: Context) -> None:
    """Say what is due. The row stays *due* until the channel has accepted it."""
    due = await ctx.work.feedback.find(
        state=FeedbackState.DUE, due_at__lte=ctx.at, order="due_at", limit=200
    )
    for one in due:
        dedup = f"feedback:{one.id}:{len(one.tried)}"
        if await ctx.work.deliveries.count(dedup=dedup):
            continue
        lead = await ctx.work.leads.get(one.lead)
        told = await _words(ctx, one, lead)
        delivery = None
        if told is not None:
            delivery = await ctx.tell(
                one.person, told[0], *told[1], purpose=f"feedback:{one.id}", dedup=dedup,
                subject=f"mine:{lead.id}", skip=one.tried,
            )  # fmt: skip
        if delivery is None:
            failed = await ctx.move(FEEDBACK, ctx.work.feedback, one, "fail", by=MACHINE)
            await give_up(ctx, failed)


async def give_up(ctx: Context, one: Feedback) -> None:
    """No lawful channel is left: the desk sees it."""
    one = await ctx.move(FEEDBACK, ctx.work.feedback, one, "give_up", by=MACHINE)
    lead = await ctx.work.leads.get(one.lead)
    await ctx.tell_role(Role.DESK, Alarm(what="undeliverable", number=lead.number))
    if one.case:
        await close_if_done(ctx, one.case)


async def _words(ctx: Context, one: Feedback, lead: Lead) -> tuple[Reply, list[Choice]] | None:
    kind, _, target = one.outcome.partition(":")
    dispute = choose("lead.dispute", lead.id, label="lead_unsatisfied")
    if kind != "bulletin":
        return FeedbackOther(
            number=lead.number,
            outcome=kind.replace("-", "_"),
            detail=lead.reason,
            url=lead.reference,
        ), [dispute] if LEAD.has(lead.state, "dispute") else []
    bulletin = await ctx.work.bulletins.get(target)
    if bulletin.kind in {Kind.CORRECTION, Kind.WITHDRAWAL}:
        return (
            FeedbackCorrection(
                number=lead.number, title=bulletin.title, short=bulletin.short, url=bulletin.url,
                withdrawn="yes" if bulletin.kind is Kind.WITHDRAWAL else "",
            ),
            [choose("lead.copy", bulletin.id, keep=True)] if bulletin.answers else [],
        )  # fmt: skip
    claim = await ctx.work.claims.maybe(lead.claim)
    first = claim is not None and claim.first_lead == lead.id
    return (
        FeedbackBulletin(
            number=lead.number, verdict=bulletin.verdict,
            holding="yes" if bulletin.kind is Kind.HOLDING else "",
            issuer=ctx.directory.unit_name(bulletin.issuer), short=bulletin.short,
            url=bulletin.url, first="yes" if first else "",
        ),
        [
            *([choose("lead.copy", bulletin.id, keep=True)] if bulletin.answers else []),
            choose("lead.rate", lead.id, label="rate_useful", rating="useful"),
            dispute,
            *appeals.offered(bulletin),
        ],
    )  # fmt: skip


# -- when a case may close -------------------------------------------------------------------


async def open_of(ctx: Context, case: Case) -> tuple[str, ...]:
    """What keeps a case from closing, as codes."""
    found = []
    if await ctx.work.feedback.count(case=case.id, state__in=OPEN):
        found.append("feedback")
    campaigns = await ctx.work.campaigns.find(case=case.id)
    if any(campaign.state not in ENDED for campaign in campaigns):
        found.append("campaign")
    if await ctx.work.revisions.count(case=case.id, state=RevisionState.SIGNED_URGENT):
        found.append("ratification")
    return tuple(found)


async def close_if_done(ctx: Context, case_id: str) -> None:
    """Close a case in checking when nothing is open any more."""
    case = await ctx.work.cases.get(case_id)
    if case.state is not CaseState.CHECKING or case.correction_open:
        return
    open_ = await open_of(ctx, case)
    if open_:
        return
    await ctx.move(
        CASE, ctx.work.cases, case, "close", by=CLOCK if ctx.clock else MACHINE,
        facts={"open": open_}, stage_since=ctx.at,
    )  # fmt: skip
    await clocks.stop_case(ctx, case)
    await clocks.watch(ctx, case)


async def finish_assignments(ctx: Context, case: Case) -> None:
    """The units have done their part."""
    for one in await ctx.work.assignments.find(case=case.id):
        if one.state is AssignmentState.ACKNOWLEDGED:
            by = MACHINE if ctx.person is None else None
            await ctx.move(ASSIGNMENT, ctx.work.assignments, one, "finish", by=by)
        await clocks.stop(ctx, f"assignment:{one.id}")
