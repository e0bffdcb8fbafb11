"""What the clock does. Every sweep is idempotent: a restart fires what fell due once, in order."""

import dataclasses
from datetime import timedelta

from handlers import clocks
from handlers.context import Context
from handlers.housekeeping import feedback
from handlers.replies import choose
from handlers.replies.shared import Done
from handlers.replies.triage import Alarm, Digest, Reminder
from handlers.reposting import campaigns
from handlers.services import Services
from handlers.triage import filing, proposals
from handlers.verification.asking import mark_overdue
from matrix.core.bulletin import BULLETIN, BulletinState
from matrix.core.campaign import CampaignState, TaskState
from matrix.core.case import ASSIGNMENT, CASE, AssignmentState, Case, CaseState
from matrix.core.deadline import Deadline, Stage
from matrix.core.lead import LEAD, LeadState
from matrix.core.roles import CLOCK, Role
from matrix.ports import Work
from matrix.triage.deadline import LADDER, rung_at

_BATCH = 200


def clock_context(services: Services, work: Work) -> Context:
    """A context in which the clock acts."""
    return Context(services=services, work=work, at=services.clock.now(), clock=True)


async def tick(ctx: Context) -> None:
    """One sweep of everything that falls due, in the order of due times."""
    await fire_deadlines(ctx)
    await lapse_leads(ctx)
    await expire_bulletins(ctx)
    await review_monitored(ctx)
    await release_campaigns(ctx)
    await remind_operators(ctx)
    await feedback.send_due(ctx)
    for case in await ctx.work.cases.find(state=CaseState.CHECKING, limit=_BATCH):
        await feedback.close_if_done(ctx, case.id)


async def fire_deadlines(ctx: Context) -> None:
    """The ladder's rungs that are due, each once; reminders to one person are bundled."""
    due = await ctx.work.deadlines.find(
        closed_at=None, next_at__lte=ctx.at, order="next_at", limit=_BATCH
    )
    digests: dict[str, list[Reminder]] = {}
    for one in due:
        await _fire(ctx, one, digests)
    for person, lines in digests.items():
        if len(lines) == 1:
            await ctx.tell(person, lines[0])
        else:
            await ctx.tell(person, Digest(lines=tuple(lines)))


async def _fire(ctx: Context, one: Deadline, digests: dict[str, list[Reminder]]) -> None:
    rung = one.rung
    while rung < len(LADDER) and (rung_at(one.starts_at, one.due_at, rung) or ctx.at) <= ctx.at:
        rung += 1
    expired = one.due_at <= ctx.at
    case = await ctx.work.cases.maybe(one.case)
    if _muted(ctx, one, case):
        await ctx.work.deadlines.save(
            dataclasses.replace(one, next_at=ctx.policy.clocks.next_morning(ctx.at))
        )
        return
    one = await ctx.work.deadlines.save(
        dataclasses.replace(one, rung=rung, next_at=rung_at(one.starts_at, one.due_at, rung))
    )
    await ctx.note("deadline", one.id, f"rung-{rung}-{one.stage}", one.case)
    if expired:
        await _expired(ctx, one, case)
        one = await ctx.work.deadlines.get(one.id)
        if one.closed_at is not None:
            return
    if one.stage is Stage.RETURN:
        return
    for person in await _recipients(ctx, one, case, rung):
        digests.setdefault(person, []).append(await _reminder(ctx, one, case, rung))


def _muted(ctx: Context, one: Deadline, case: Case | None) -> bool:
    """Quiet hours hold back reminders except red and orange; what expires is never held."""
    urgent = case is not None and case.grade.urgent
    if case is None or urgent or one.due_at <= ctx.at:
        return False
    return ctx.policy.clocks.is_quiet(ctx.at)


async def _reminder(ctx: Context, one: Deadline, case: Case | None, rung: int) -> Reminder:
    number, wording = "", ""
    if case is not None:
        number, wording = case.number, case.wording[:60]
    else:
        kind, _, entity_id = one.subject.partition(":")
        lead = await ctx.work.leads.maybe(entity_id) if kind == "lead" else None
        if lead is not None:
            number, wording = lead.number, lead.text[:60]
    return Reminder(
        rung=f"rung_{min(rung, len(LADDER))}", stage=f"stage_{one.stage.value.replace('-', '_')}",
        number=number, wording=wording, due_at=one.due_at,
    )  # fmt: skip


async def _recipients(ctx: Context, one: Deadline, case: Case | None, rung: int) -> list[str]:
    """提醒 assignee → 催办 deputy → 督办 unit head → desk and leader. Un-owned climb too."""
    kind, _, entity_id = one.subject.partition(":")
    people: list[str] = []
    if kind == "lead" or case is None:
        people = ctx.holders(Role.DESK)
        return people if rung < 3 else [*people, *ctx.holders(Role.LEADER)]  # noqa: PLR2004
    if kind == "revision":
        revision = await ctx.work.revisions.get(entity_id)
        people = ctx.holders(*_REVIEWING.get(revision.state.value, (Role.HANDLER,)))
    elif kind == "verification":
        unit = (await ctx.work.verifications.get(entity_id)).unit
        people = ctx.holders(Role.HANDLER, unit=unit)
    else:
        people = await _assignees(ctx, one, case)
    if rung >= 2:  # noqa: PLR2004
        deputies = [p.person for p in ctx.directory.posts if p.deputy_of in people]
        people = [*people, *deputies]
    if rung >= 3 and case.owner:  # noqa: PLR2004
        people = [*people, *ctx.holders(Role.UNIT_HEAD, unit=case.owner)]
    if rung >= 4 or not people:  # noqa: PLR2004
        people = [*people, *ctx.holders(Role.DESK, Role.LEADER)]
    return list(dict.fromkeys(people))


_REVIEWING = {
    "review-1": (Role.REVIEWER_1,),
    "review-2": (Role.REVIEWER_2,),
    "review-3": (Role.REVIEWER_3,),
    "signed-urgent": (Role.REVIEWER_1,),
    "signed": (Role.PUBLISHER,),
}


async def _assignees(ctx: Context, one: Deadline, case: Case) -> list[str]:
    if case.state is CaseState.APPROVED:
        return ctx.holders(Role.PUBLISHER)
    if one.subject.startswith("assignment:"):
        made = await ctx.work.assignments.get(one.subject.partition(":")[2])
        return [made.person] if made.person else ctx.holders(Role.HANDLER, unit=made.unit)
    lead = await ctx.work.assignments.one(
        case=case.id, lead=True, state=AssignmentState.ACKNOWLEDGED
    )
    if lead is not None and lead.person:
        return [lead.person]
    return ctx.holders(Role.HANDLER, unit=case.owner) if case.owner else []


async def _expired(ctx: Context, one: Deadline, case: Case | None) -> None:
    """What an expiry itself does, beyond reminding."""
    kind, _, entity_id = one.subject.partition(":")
    match one.stage:
        case Stage.FILE:
            await _file_by_itself(ctx, one, kind, entity_id)
        case Stage.ACKNOWLEDGE:
            await _unacknowledged(ctx, entity_id, case)
        case Stage.STALE:
            await _stale(ctx, one, entity_id, case)
        case Stage.ANSWER:
            await mark_overdue(ctx, entity_id)
        case Stage.RETURN:
            await clocks.stop(ctx, one.subject, Stage.RETURN)
        case Stage.FIRST_PUBLICATION if one.rung <= 3:  # noqa: PLR2004
            await _alarm(ctx, "publication_late", case, "")
        case _:
            pass


async def _unacknowledged(ctx: Context, assignment_id: str, case: Case | None) -> None:
    made = await ctx.work.assignments.get(assignment_id)
    if ASSIGNMENT.has(made.state, "expire"):
        await ctx.move(ASSIGNMENT, ctx.work.assignments, made, "expire", by=CLOCK)
        await _alarm(ctx, "unacknowledged", case, ctx.directory.unit_name(made.unit))


async def _stale(ctx: Context, one: Deadline, assignment_id: str, case: Case | None) -> None:
    made = await ctx.work.assignments.get(assignment_id)
    await clocks.stop(ctx, one.subject, Stage.STALE)
    working = {CaseState.ACKNOWLEDGED, CaseState.VERIFYING, CaseState.CONSULTING}
    if case is None or case.state not in working or not ASSIGNMENT.has(made.state, "stale"):
        return
    made = await ctx.move(ASSIGNMENT, ctx.work.assignments, made, "stale", by=CLOCK, person="")
    await filing.start_offer(ctx, case, made)
    await _alarm(ctx, "stale", case, ctx.directory.unit_name(made.unit))


async def _file_by_itself(ctx: Context, one: Deadline, kind: str, entity_id: str) -> None:
    """Red and orange dispatch themselves and tell the desk; others climb the ladder."""
    if kind == "case":
        case = await ctx.work.cases.get(entity_id)
        if case.state is CaseState.FILED and case.grade.urgent and case.owner:
            await clocks.stop(ctx, one.subject, Stage.FILE)
            case = await filing.dispatch(ctx, case)
            await _alarm(ctx, "dispatched_itself", case, ctx.directory.unit_name(case.owner))
        return
    lead = await ctx.work.leads.get(entity_id)
    grade = proposals.grade_of(lead)
    if lead.state is not LeadState.QUEUED or not grade.urgent or not lead.proposal.get("owner"):
        return
    case = await filing.open_case(ctx, lead)
    case = await filing.dispatch(ctx, case)
    await _alarm(ctx, "dispatched_itself", case, ctx.directory.unit_name(case.owner))


async def _alarm(ctx: Context, what: str, case: Case | None, detail: str) -> None:
    buttons = [choose("case.open", case.id, keep=True)] if case is not None else []
    number = case.number if case is not None else ""
    await ctx.tell_role(Role.DESK, Alarm(what=what, number=number, detail=detail), *buttons)


async def lapse_leads(ctx: Context) -> None:
    """A lead whose reporter added nothing for thirty days lapses."""
    limit = ctx.at - timedelta(days=ctx.policy.lapse_days)
    for lead in await ctx.work.leads.find(
        state=LeadState.NEEDS_INFO, last_part_at__lt=limit, limit=_BATCH
    ):
        await ctx.move(LEAD, ctx.work.leads, lead, "lapse", by=CLOCK)


async def expire_bulletins(ctx: Context) -> None:
    """Bulletins past their expiry leave matching; a reviewer may prolong them."""
    from handlers.intake.reporter import shown
    from handlers.publishing.issuing import touch

    for bulletin in await ctx.work.bulletins.find(
        state=BulletinState.CURRENT, expires_at__lte=ctx.at, limit=_BATCH
    ):
        expired = await ctx.move(
            BULLETIN, ctx.work.bulletins, await touch(ctx, bulletin), "expire", by=CLOCK
        )
        await ctx.tell_role(
            Role.REVIEWER_2, shown(ctx, expired), choose("bulletin.prolong", expired.id),
            subject=f"bulletin:{expired.id}",
        )  # fmt: skip


async def review_monitored(ctx: Context) -> None:
    """A monitored case whose review date has come is verified again."""
    for case in await ctx.work.cases.find(
        state=CaseState.MONITOR_ONLY, review_at__lte=ctx.at, limit=_BATCH
    ):
        resumed = await ctx.move(
            CASE, ctx.work.cases, case, "resume", by=CLOCK,
            verdict=None, review_at=None, stage_since=ctx.at,
        )  # fmt: skip
        await clocks.verify_again(ctx, resumed)
        if resumed.owner:
            await ctx.tell_role(
                Role.HANDLER, Done(what="monitor_over", subject=resumed.number),
                choose("case.open", resumed.id, keep=True), unit=resumed.owner,
            )  # fmt: skip
        await _alarm(ctx, "monitor_review", resumed, "")


async def release_campaigns(ctx: Context) -> None:
    """Armed campaigns start at T."""
    for campaign in await ctx.work.campaigns.find(
        state=CampaignState.ARMED, release_at__lte=ctx.at, order="release_at"
    ):
        await campaigns.start(ctx, campaign)


async def remind_operators(ctx: Context) -> None:
    """Whoever lacks is reminded once at half time and once when it is due, and only they."""
    for campaign in await ctx.work.campaigns.find(state=CampaignState.RUNNING):
        begun = campaign.started_at or ctx.at
        open_ = await ctx.work.tasks.find(
            campaign=campaign.id, state__in=(TaskState.DELIVERED, TaskState.SEEN)
        )
        due = [
            task
            for task in open_
            if begun + (task.due_at - begun) / 2 <= ctx.at and task.reminders < 1
        ] + [task for task in open_ if task.due_at <= ctx.at and task.reminders < 2]  # noqa: PLR2004
        fresh = {task.id: task for task in due}
        if not fresh:
            continue
        await campaigns.urge(ctx, campaign, list(fresh.values()))
        for task in fresh.values():
            count = 2 if task.due_at <= ctx.at else 1
            await ctx.work.tasks.save(dataclasses.replace(task, reminders=count))
