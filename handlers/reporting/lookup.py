"""Anything typed that contains a number finds it; the log of a case; the leader's overview."""

from handlers.context import Context
from handlers.intake.reporter import own
from handlers.replies import choose
from handlers.replies.intake import LeadLine
from handlers.replies.shared import EventLine, Listing
from handlers.reporting import cases as case_cards
from handlers.reporting.lists import case_lines
from handlers.reposting import tasks as tasking
from handlers.router import Args, action
from handlers.triage import queue
from matrix.core.case import CaseState
from matrix.core.errors import NotFound
from matrix.core.lead import Lead
from matrix.core.roles import REPORTERS, Role


@action("look.number")
async def number(ctx: Context, subject: str, args: Args) -> None:
    """A lead's, case's or task's number. Raises NotFound, also for what is out of reach."""
    case = await ctx.work.cases.one(number=subject)
    if case is not None:
        if args.get("task"):
            task = await ctx.work.tasks.one(case=case.id, serial=int(args["task"]))
            if task is None:
                raise NotFound(f"{subject} 转{args['task']}")
            await tasking.open_task(ctx, task.id, {})
            return
        if ctx.has(Role.OPERATOR) and not ctx.has(*case_cards.SEEING):
            await tasking.mine(ctx, "", {})
            return
        await case_cards.show(ctx, case)
        return
    leads = await ctx.work.leads.find(number=subject, order="-received_at", limit=5)
    lead = next((one for one in leads if _may_see(ctx, one)), None)
    if lead is None:
        raise NotFound(subject)
    if ctx.has(Role.DESK):
        await queue.open_lead(ctx, lead.id, {})
        return
    await own(ctx, lead.id)
    line = LeadLine(number=lead.number, state=lead.state, at=lead.received_at, text=lead.text[:200])
    await ctx.reply(
        Listing(what="lead", lines=(line,), total=1),
        choose("lead.supplement", lead.id),
        choose("lead.withdraw", lead.id),
    )


def _may_see(ctx: Context, lead: Lead) -> bool:
    return ctx.has(Role.DESK) or (ctx.has(*REPORTERS) and lead.reporter == ctx.me.id)


_TOLD = frozenset({"case", "assignment", "revision", "bulletin", "campaign", "verification"})


@action("look.log", Role.DESK, Role.LEADER, Role.ADMIN)
async def log(ctx: Context, subject: str, args: Args) -> None:
    """What happened to a case: who did what when, from the event log."""
    del args
    case = await ctx.work.cases.get(subject)
    await case_cards.require_sight(ctx, case)
    lines = [
        EventLine(
            at=event.at,
            entity=f"event_{event.entity}",
            state=event.target,
            who=ctx.directory.person_name(event.person),
        )
        for event in await ctx.work.events(case=case.id)
        if event.entity in _TOLD and event.target and event.target != event.source
    ]
    await ctx.reply(
        Listing(what="log", subject=case.number, total=len(lines), lines=tuple(lines[-20:]))
    )


@action("leader.overview", Role.LEADER)
async def overview(ctx: Context, subject: str, args: Args) -> None:
    """总览: open cases, gravest and nearest due first."""
    del subject, args
    running = [
        state
        for state in CaseState
        if state not in {CaseState.CLOSED, CaseState.NOT_ACCEPTED, CaseState.REFERRED}
    ]
    cases = await ctx.work.cases.find(state__in=running, merged_into="", order="received_at")
    lines = await case_lines(ctx, cases[:10])
    await ctx.reply(
        Listing(what="overview", total=len(cases), lines=lines, empty="" if lines else "yes"),
        *[choose("case.open", case.id, text=case.number, keep=True) for case in cases[:10]],
    )
