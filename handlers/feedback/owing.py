"""What every reporter is owed: once per person and outcome."""

from datetime import datetime, timedelta

from handlers.context import Context
from matrix.core.bulletin import Bulletin
from matrix.core.case import Case, Grade
from matrix.core.delivery import FEEDBACK, Feedback, FeedbackState
from matrix.core.errors import StaleVersion
from matrix.core.lead import Lead
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE


async def owe(
    ctx: Context,
    lead: Lead,
    outcome: str,
    *,
    grade: Grade | None = None,
    after: timedelta = timedelta(),
) -> Feedback | None:
    """Owe a lead's reporter one outcome, due after a while; red and orange in quiet hours too.

    (person, outcome) is unique: owing twice is once.
    """
    person = await ctx.work.people.maybe(lead.reporter)
    if person is None or (not person.notices and not outcome.startswith("bulletin:")):
        return None
    known = await ctx.work.feedback.one(person=lead.reporter, outcome=outcome)
    if known is not None:
        return known
    made = Feedback(
        id=ctx.services.ids.new(), person=lead.reporter, outcome=outcome, case=lead.case,
        lead=lead.id, due_at=_due(ctx, grade, after),
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


def _due(ctx: Context, grade: Grade | None, after: timedelta) -> datetime:
    due = ctx.at + after
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


async def owe_case(
    ctx: Context, case: Case, outcome: str, *, after: timedelta = timedelta()
) -> None:
    """Owe every reporter of the merged tree one outcome."""
    for lead in await tree(ctx, case):
        await owe(ctx, lead, outcome, grade=case.grade, after=after)


def undo_over(ctx: Context) -> timedelta:
    """Until what may be taken back cannot be any more: what is taken back was never said."""
    return timedelta(minutes=ctx.policy.undo_minutes)


def settled(ctx: Context, bulletin: Bulletin) -> timedelta:
    """From now until reporters may hear of a text: while it is fresh, its mistakes are found."""
    published = bulletin.issued_at or ctx.at
    due = published + timedelta(minutes=ctx.policy.feedback_minutes)
    return max(due - ctx.at, timedelta())


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
        await owe(ctx, lead, outcome, grade=case.grade, after=settled(ctx, bulletin))


async def catch_up(ctx: Context, case: Case, lead: Lead) -> None:
    """A lead that joins after publication is owed what the others were told."""
    bulletin = await ctx.work.bulletins.maybe(case.bulletin)
    if bulletin is not None and bulletin.state == "current":
        await owe(
            ctx, lead, f"bulletin:{bulletin.id}", grade=case.grade, after=settled(ctx, bulletin)
        )


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
