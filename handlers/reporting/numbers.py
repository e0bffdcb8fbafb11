"""Which things the digits of a typed text name, as far as this person may see them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers import access, matters
from handlers.cards import cases as case_cards
from handlers.context import Context
from handlers.drafting import writing
from matrix.core.campaign import RepostTask
from matrix.core.case import Case
from matrix.core.errors import NotAllowed, NotFound
from matrix.core.lead import Lead
from matrix.core.roles import REPORTERS, Role
from matrix.triage.calendar import LOCAL

# Characters: a question about a number is shorter, a message worth reporting is longer.
SHORT = 30
# Buttons: what a person can look through on a phone.
MOST = 9
# Leads of one day that are looked through for those that a reporter may see.
_DAY = 500
_DASHES = re.compile("[\u2010-\u2015\u2212\uff0d]")
_DAY_OF_YEAR = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_LEAD = re.compile(rf"(?<![0-9异-]){_DAY_OF_YEAR}-[0-9]{{2,4}}(?![0-9-])")
_APPEAL = re.compile(rf"异 ?({_DAY_OF_YEAR}-[0-9]{{2,4}})(?![0-9-])")
_CASE = re.compile(
    "([\u4e00-\u9fff]{1,8}) ?-? ?([0-9]{4,5})(?![0-9-])(?: ?转 ?([0-9]{1,5})(?![0-9]))?"
)
_ALONE = re.compile(
    "(?:线索|案件|任务)? ?(?:([0-9]{4}-[0-9]{2,4})|([0-9]{4,5})|转 ?([0-9]{1,5})) ?号?"
)
_WHOLE = re.compile("[\u4e00-\u9fff]{1,8}-[0-9]{4,5}(?: ?转 ?[0-9]{1,5})?")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A lead, case, task, or an operator's tasks. ``label`` is its number, and a lead's day."""

    kind: str
    id: str
    label: str


async def named(ctx: Context, text: str) -> list[Thing]:
    """The things that a typed text names; empty where it is no question about a number.

    The rule: a number alone names everything that it fits, in any year. A text of at most 30
    characters without a link names what it contains only where that exists and this person may
    see it. Everything else, and every forwarded message (``handlers.messages`` does not ask
    here), is what its sender reports.

    Raises:
        NotFound: a whole number stands alone and nothing that the person may see has it.
    """
    said = " ".join(_DASHES.sub("-", unicodedata.normalize("NFKC", text)).split())
    alone = _ALONE.fullmatch(said)
    if alone is not None:
        lead, digits, task = alone.groups()
        found = await _alone(ctx, lead or "", digits or "", task or "")
    elif len(said) <= SHORT and not _LINK.search(said):
        found = await _within(ctx, said)
    else:
        return []
    whole = _WHOLE.fullmatch(said) or _APPEAL.fullmatch(said)
    if not found and (whole or (alone and alone[1])):
        raise NotFound(said)
    return list({(one.kind, one.id): one for one in found}.values())[:MOST]


async def _alone(ctx: Context, lead: str, digits: str, task: str) -> list[Thing]:
    if lead:
        return await _leads(ctx, await _numbered(ctx, number=lead))
    if task:
        tasks = await ctx.work.tasks.find(serial=int(task), order="-id", limit=_DAY)
        return [await _task(ctx, one) for one in tasks if _may_open(ctx, one)][:MOST]
    found: list[Thing] = []
    for case in await ctx.work.cases.find(number__ends=f"-{digits}", order="-filed_at"):
        found += await _case(ctx, case)
    if re.fullmatch(_DAY_OF_YEAR, digits):
        found += await _leads(ctx, await _numbered(ctx, number__starts=f"{digits}-"))
    return found


async def _numbered(ctx: Context, **criteria: Any) -> list[Lead]:
    return await ctx.work.leads.find(order="-received_at", limit=_DAY, **criteria)


async def _within(ctx: Context, said: str) -> list[Thing]:
    found: list[Thing] = []
    for number in _LEAD.findall(said):
        found += await _leads(ctx, await _numbered(ctx, number=number))
    for number in _APPEAL.findall(said):
        found += [
            Thing(kind="appeal", id=one.id, label=one.number)
            for one in await ctx.work.appeals.find(number=f"异{number}", order="-received_at")
            if ctx.has(Role.DESK) or one.person == ctx.me.id
        ]
    for name, digits, serial in _CASE.findall(said):
        case = await _case_named(ctx, name, digits)
        if case is None:
            continue
        task = await ctx.work.tasks.one(case=case.id, serial=int(serial)) if serial else None
        if task is not None and _may_open(ctx, task):
            found.append(await _task(ctx, task))
        elif not serial:
            found += await _case(ctx, case)
    return found


async def _case_named(ctx: Context, name: str, digits: str) -> Case | None:
    """The words before a number run into its name: 请问云江-0312 is 云江-0312."""
    for start in range(len(name)):
        number = f"{name[start:]}-{digits}"
        case = await ctx.work.cases.one(number=number) or await matters.maybe(ctx, number)
        if case is not None:
            return case
    return None


async def _leads(ctx: Context, leads: Sequence[Lead]) -> list[Thing]:
    seen = [one for one in leads if access.sees_lead(ctx.directory, ctx.posts, one)]
    return [
        Thing(
            kind="lead",
            id=one.id,
            label=f"{one.number} · {one.received_at.astimezone(LOCAL).date().isoformat()}",
        )
        for one in seen[:MOST]
    ]


async def _case(ctx: Context, case: Case) -> list[Thing]:
    """The case or 普法 text; to an operator the own tasks, to a reporter the own leads in it."""
    try:
        if matters.stands_alone(case):
            return await _text(ctx, case)
        await case_cards.require_sight(ctx, case)
    except NotAllowed:
        pass
    else:
        return [Thing(kind="case", id=case.id, label=case.number)]
    found: list[Thing] = []
    if ctx.has(Role.OPERATOR):
        own = await ctx.work.tasks.count(case=case.id, operator=ctx.me.id)
        found += [Thing(kind="tasks", id=case.id, label=case.number)] if own else []
    if ctx.has(*REPORTERS):
        found += await _leads(
            ctx, await ctx.work.leads.find(case=case.id, reporter=ctx.me.id, order="-id")
        )
    return found


async def _text(ctx: Context, case: Case) -> list[Thing]:
    """A 普法 text. Raises NotAllowed."""
    text = await writing.current(ctx, case)
    await ctx.actor(writing.SEEING, text, "see")
    return [Thing(kind="text", id=case.id, label=case.number)]


async def _task(ctx: Context, task: RepostTask) -> Thing:
    case = await matters.of(ctx, task.case)
    return Thing(kind="task", id=task.id, label=f"{case.number} 转{task.serial}")


def _may_open(ctx: Context, task: RepostTask) -> bool:
    if ctx.has(Role.PUBLISHER, Role.DESK):
        return True
    return ctx.has(Role.OPERATOR) and task.operator == ctx.me.id
