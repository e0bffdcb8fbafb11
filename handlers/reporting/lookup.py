"""Anything typed that contains a number finds it; the log of a case; the leader's overview."""

from handlers import access
from handlers.appeals import deciding
from handlers.cards import appeals as appeal_cards
from handlers.cards import cases as case_cards
from handlers.cards.lists import case_lines
from handlers.context import Context
from handlers.drafting import writing
from handlers.replies import choose
from handlers.replies.intake import LeadLine
from handlers.replies.shared import EventLine, Listing, Pick
from handlers.reporting import numbers
from handlers.reposting import operating, overseeing
from handlers.router import Args, action
from handlers.triage import queue
from matrix.core.appeal import Appeal
from matrix.core.case import CaseState
from matrix.core.errors import NotFound
from matrix.core.lead import Lead
from matrix.core.roles import Role


async def find(ctx: Context, text: str) -> bool:
    """Open what a typed text names, or offer what it may mean; False when it names nothing.

    What counts as a question about a number is said in ``numbers.named``, which also raises.
    """
    found = await numbers.named(ctx, text)
    if not found:
        return False
    if len(found) == 1:
        await thing(ctx, f"{found[0].kind}:{found[0].id}", {})
        return True
    await ctx.reply(
        Pick(what="which_number", subject=text[:30]),
        *[
            choose(
                "look.thing", f"{one.kind}:{one.id}", label=f"look_{one.kind}", text=one.label,
                keep=True,
            )
            for one in found
        ],
    )  # fmt: skip
    return True


@action("look.thing")
async def thing(ctx: Context, subject: str, args: Args) -> None:
    """A lead, case, text or task, with what this person may do. Raises NotFound out of sight."""
    del args
    kind, _, entity_id = subject.partition(":")
    if kind == "case":
        await case_cards.show(ctx, await ctx.work.cases.get(entity_id))
    elif kind == "task":
        await overseeing.open_task(ctx, entity_id, {})
    elif kind == "appeal":
        await _appeal(ctx, await ctx.work.appeals.get(entity_id))
    elif kind == "text":
        await writing.reopen(ctx, entity_id, {})
    elif kind == "tasks":
        await operating.mine(ctx, "", {})
    else:
        await _lead(ctx, await ctx.work.leads.get(entity_id))


async def _appeal(ctx: Context, appeal: Appeal) -> None:
    if ctx.has(Role.DESK):
        await deciding.show(ctx, appeal.id, {})
        return
    if appeal.person != ctx.me.id:
        raise NotFound(appeal.number)
    line = await appeal_cards.line(ctx, appeal)
    await ctx.reply(Listing(what="appeal", lines=(line,), total=1))


async def _lead(ctx: Context, lead: Lead) -> None:
    if not access.sees_lead(ctx.directory, ctx.posts, lead):
        raise NotFound(lead.number)
    if ctx.has(Role.DESK):
        await queue.open_lead(ctx, lead.id, {})
        return
    own = lead.reporter == ctx.me.id
    acting = [choose("lead.supplement", lead.id), choose("lead.withdraw", lead.id)] if own else []
    line = LeadLine(number=lead.number, state=lead.state, at=lead.received_at, text=lead.text[:200])
    await ctx.reply(Listing(what="lead", lines=(line,), total=1), *acting)


_TOLD = frozenset(
    {
        "appeal",
        "case",
        "assignment",
        "revision",
        "bulletin",
        "campaign",
        "verification",
        "extension",
    }
)


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
