"""有效期 and 复核日期 of a text: usual choices or a typed day, before it is out and afterwards."""

import dataclasses
import re
from datetime import date, datetime, timedelta

from handlers import matters
from handlers.cards.bulletins import shown
from handlers.cards.publishing import date_choices
from handlers.context import Context
from handlers.drafting import writing
from handlers.publishing.issuing import touch
from handlers.replies import choose
from handlers.replies.shared import AskText
from handlers.router import Args, action, answer
from matrix.core.bulletin import BULLETIN, Bulletin, BulletinState, Kind, Revision, RevisionState
from matrix.core.case import CaseState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import REVIEWERS, Role
from matrix.triage.calendar import LOCAL, day_end

_DAY = re.compile(r"(?:(20\d{2})\s*[-年./])?\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*[日号]?")
LONG = "长期"
USUAL = (7, 30)
"""Days of the usual choices."""
# A day without its year is the coming one if that lies within half a year, else it is over.
_NEAR = timedelta(days=183)


def parse_day(text: str, now: datetime) -> datetime:
    """Read 2026-12-31, 12 月 31 日 or 12-31 as the end of that day in Beijing.

    Raises:
        Refusal: no day is written there, or it is over.
    """
    found = _DAY.search(text)
    if found is None:
        raise Refusal("no_date")
    today = now.astimezone(LOCAL).date()
    year, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        wanted = date(year or today.year, month, day)
        if not year and wanted < today and date(today.year + 1, month, day) - today < _NEAR:
            wanted = date(today.year + 1, month, day)
    except ValueError:
        raise Refusal("no_date") from None
    if wanted < today:
        raise Refusal("date_past")
    return day_end(wanted)


def in_days(now: datetime, days: int) -> datetime:
    """The end of the day that is so many days ahead in Beijing."""
    return day_end(now.astimezone(LOCAL).date() + timedelta(days=days))


@action("date.ask")
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """Until when: seven days, thirty, for good, or a typed day."""
    kind, of = args["kind"], args["of"]
    thing = await _thing(ctx, kind, subject)
    buttons = [
        choose("date.set", subject, label=f"days_{days}", kind=kind, of=of, days=str(days))
        for days in USUAL
    ]
    if not _needed(thing, of):
        buttons.append(choose("date.set", subject, label="days_long", kind=kind, of=of))
    await ctx.ask("date.typed", AskText(what=of, subject=thing.title), *buttons,
                  kind=kind, id=subject, of=of)  # fmt: skip


@action("date.set")
async def chosen(ctx: Context, subject: str, args: Args) -> None:
    """One of the usual choices."""
    at = in_days(ctx.at, int(args["days"])) if args.get("days") else None
    await ctx.close_dialog()
    await _set(ctx, args["kind"], subject, args["of"], at)


@answer("date.typed")
async def typed(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """A day, or 长期."""
    text = message.text.strip()
    at = None if text == LONG else parse_day(text, ctx.at)
    await _set(ctx, str(dialog.data["kind"]), str(dialog.data["id"]), str(dialog.data["of"]), at)


async def _thing(ctx: Context, kind: str, subject: str) -> Revision | Bulletin:
    """The text, when this person may date it now. Raises Refusal, NotAllowed."""
    if kind == "bulletin":
        ctx.post(*REVIEWERS, Role.PUBLISHER)
        return await ctx.work.bulletins.get(subject)
    revision = await ctx.work.revisions.get(subject)
    if revision.state is RevisionState.DRAFT:
        await ctx.actor(writing.drafters(revision), revision, "edit")
        return revision
    ctx.post(*REVIEWERS, Role.PUBLISHER)
    if await ctx.work.bulletins.count(revision=revision.id):
        raise Refusal("already_published")
    return revision


def _needed(thing: Revision | Bulletin, of: str) -> bool:
    """A notice that something is being checked must be looked at again."""
    return of == "review_at" and thing.kind is Kind.HOLDING


async def _set(ctx: Context, kind: str, subject: str, of: str, at: datetime | None) -> None:
    thing = await _thing(ctx, kind, subject)
    if at is None and _needed(thing, of):
        raise Refusal("review_needed")
    if isinstance(thing, Revision):
        dated = {of: at}
        thing = await ctx.work.revisions.save(dataclasses.replace(thing, **dated))  # type: ignore[arg-type]
        await ctx.note("revision", thing.id, of, thing.case, day=_day(at))
        await writing.show(ctx, await matters.of(ctx, thing.case), thing)
        return
    await _date_bulletin(ctx, thing, of, at)


async def _date_bulletin(ctx: Context, bulletin: Bulletin, of: str, at: datetime | None) -> None:
    """A bulletin that is out; an expired one holds again with a new day."""
    for changing in await ctx.work.revisions.find(corrects=bulletin.id):
        ctx.require("no_correction", holds=changing.state in writing.OVER)
    dated = {of: at}
    bulletin = await touch(ctx, dataclasses.replace(bulletin, **dated))  # type: ignore[arg-type]
    if bulletin.state is BulletinState.EXPIRED and of == "expires_at":
        bulletin = await ctx.move(BULLETIN, ctx.work.bulletins, bulletin, "prolong")
    else:
        ctx.require("current", holds=bulletin.state is BulletinState.CURRENT)
        bulletin = await ctx.work.bulletins.save(bulletin)
    await ctx.note("bulletin", bulletin.id, of, bulletin.case, day=_day(at))
    if of == "review_at":
        await _case_follows(ctx, bulletin)
    await ctx.reply(await shown(ctx, bulletin, dated=True), *date_choices("bulletin", bulletin))


async def _case_follows(ctx: Context, bulletin: Bulletin) -> None:
    """A case whose only text is a holding notice is watched until the notice's review date."""
    case = await ctx.work.cases.maybe(bulletin.case)
    watched = case is not None and case.state is CaseState.MONITOR_ONLY
    if case is not None and watched and case.bulletin == bulletin.id:
        await ctx.work.cases.save(dataclasses.replace(case, review_at=bulletin.review_at))


def _day(at: datetime | None) -> str:
    return at.astimezone(LOCAL).date().isoformat() if at else ""
