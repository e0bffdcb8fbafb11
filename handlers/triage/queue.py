"""待办: what waits for the desk, nearest due first; opening an item claims it for a while."""

import dataclasses
from datetime import datetime, timedelta

from handlers import clocks
from handlers.cards import appeals as appeal_cards
from handlers.cards import cases as case_cards
from handlers.cards import leads as lead_cards
from handlers.cards import pictures
from handlers.context import Context
from handlers.proposing import proposals
from handlers.replies import Choice, Reply, choose
from handlers.replies.shared import Listing
from handlers.replies.triage import QueueLine
from handlers.router import Args, action
from matrix.core.appeal import Appeal, AppealState
from matrix.core.case import Case, CaseState
from matrix.core.lead import Lead, LeadState
from matrix.core.roles import Role

WAITING = (
    CaseState.FILED, CaseState.DISPATCHED, CaseState.CONCLUDED, CaseState.MONITOR_ONLY,
    CaseState.REFERRED,
)  # fmt: skip
_FAR = "9999"
Item = Lead | Case | Appeal
_KINDS: dict[type, str] = {Lead: "lead", Case: "case", Appeal: "appeal"}


@action("desk.todo", Role.DESK)
async def todo(ctx: Context, subject: str, args: Args) -> None:
    """Five a page."""
    del subject
    page = int(args.get("page") or 0)
    size = ctx.policy.page
    items, total = await _items(ctx, (page + 1) * size)
    shown = items[page * size : (page + 1) * size]
    buttons: list[Choice] = []
    lines = []
    for item, due in shown:
        lines.append(await _line(ctx, item, due))
        kind = _KINDS[type(item)]
        buttons.append(choose(f"{kind}.open", item.id, text=item.number, keep=True))
    if total > (page + 1) * size:
        buttons.append(choose("desk.todo", label="next_page", keep=True, page=str(page + 1)))
    await ctx.reply(
        Listing(what="todo", total=total, lines=tuple(lines), empty="" if lines else "yes"),
        *buttons,
    )


async def _items(ctx: Context, most: int) -> tuple[list[tuple[Item, datetime | None]], int]:
    """At least the first ``most``, nearest due first, and how many there are in all.

    An appeal has no clock and stands where it came in.
    """
    leads = await _leads(ctx, most)
    cases = await ctx.work.cases.find(state__in=WAITING, merged_into="", order="received_at")
    appeals = await ctx.work.appeals.find(state=AppealState.OPEN, order="received_at")
    items: list[tuple[Item, datetime | None]] = [*leads]
    items += [(case, await clocks.case_due(ctx, case.id)) for case in cases]
    items += [(appeal, appeal.received_at) for appeal in appeals]
    queued = await ctx.work.leads.count(state=LeadState.QUEUED)
    items.sort(key=lambda pair: pair[1].isoformat() if pair[1] else _FAR)
    return items, queued + len(cases) + len(appeals)


async def _leads(ctx: Context, most: int) -> list[tuple[Lead, datetime | None]]:
    """The first ``most`` leads by their clocks: of a flood only these are read."""
    due = {
        one.subject.partition(":")[2]: one.due_at for one in await clocks.nearest(ctx, "lead", most)
    }
    await ctx.work.leads.load(due)
    found = [await ctx.work.leads.get(name) for name in due]
    clocked = [(lead, due[lead.id]) for lead in found if lead.state is LeadState.QUEUED]
    if len(clocked) == most:
        return [*clocked]
    waiting = await ctx.work.leads.find(state=LeadState.QUEUED, order="received_at")
    return [
        (lead, due.get(lead.id) or await clocks.due_of(ctx, f"lead:{lead.id}")) for lead in waiting
    ]


async def _line(ctx: Context, item: Item, due: datetime | None) -> Reply:
    if isinstance(item, Appeal):
        return await appeal_cards.line(ctx, item)
    claimed = ""
    if item.claimed_until and item.claimed_until > ctx.at:
        claimed = ctx.directory.person_name(item.claimed_by)
    if isinstance(item, Lead):
        return QueueLine(
            number=item.number,
            grade=proposals.grade_of(item),
            text=item.text[:40],
            lead_state=item.state,
            due_at=due,
            claimed=claimed,
        )
    return QueueLine(
        number=item.number,
        grade=item.grade,
        text=item.wording[:40],
        case_state=item.state,
        due_at=due,
        claimed=claimed,
    )


@action("lead.open", Role.DESK)
async def open_lead(ctx: Context, subject: str, args: Args) -> None:
    """Show a lead and claim it for five minutes; others see by whom."""
    del args
    lead = await ctx.work.leads.get(subject)
    if lead.state is LeadState.QUEUED and not _held_by_other(ctx, lead):
        lead = await ctx.work.leads.save(
            dataclasses.replace(lead, claimed_by=ctx.me.id, claimed_until=_until(ctx))
        )
    shown = await lead_cards.card(ctx, lead)
    open_ = lead.state is LeadState.QUEUED
    buttons = await lead_cards.choices(ctx, lead) if open_ else pictures.offered(lead)
    await ctx.reply(shown, *buttons, subject=f"lead:{lead.id}")


@action("case.open")
async def open_case(ctx: Context, subject: str, args: Args) -> None:
    """Show a case with what this person may do now; the desk claims it by opening."""
    del args
    case = await ctx.work.cases.get(subject)
    if ctx.has(Role.DESK) and not _held_by_other(ctx, case):
        case = await ctx.work.cases.save(
            dataclasses.replace(case, claimed_by=ctx.me.id, claimed_until=_until(ctx))
        )
    await case_cards.show(ctx, case)


def _held_by_other(ctx: Context, item: Lead | Case) -> bool:
    held = item.claimed_until is not None and item.claimed_until > ctx.at
    return held and item.claimed_by != ctx.me.id


def _until(ctx: Context) -> datetime:
    return ctx.at + timedelta(minutes=ctx.policy.claim_minutes)
