"""What is to be published, what is out, and what may be done about it."""

import dataclasses
from collections.abc import Collection
from datetime import timedelta

from handlers import matters
from handlers.cards.bulletins import shown
from handlers.cards.lists import case_lines
from handlers.cards.publishing import date_choices
from handlers.context import Context
from handlers.publishing.issuing import touch
from handlers.replies import choose
from handlers.replies.drafting import BulletinLine
from handlers.replies.shared import Done, Listing, Settled
from handlers.router import Args, action
from matrix.core.bulletin import (
    BULLETIN,
    Bulletin,
    BulletinState,
    Kind,
    Revision,
    RevisionState,
)
from matrix.core.case import CaseState
from matrix.core.errors import NotFound, Refusal
from matrix.core.roles import REVIEWERS, Role

_PAGE = 8
_BESIDES = (Kind.CAMPAIGN, Kind.CORRECTION, Kind.UPDATE, Kind.WITHDRAWAL, Kind.HOLDING)
_LOOK_BACK = 50
"""Newest signatures: what was not published among so many has been forgotten by all."""


@action("publish.mine", Role.PUBLISHER)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """待发布与已发布: signed texts first, then what is out."""
    del subject, args
    waiting = await ctx.work.cases.find(state=CaseState.APPROVED, order="received_at", limit=_PAGE)
    out = await ctx.work.bulletins.find(
        state=BulletinState.CURRENT, kind__ne=Kind.IMPORTED, order="-issued_at", limit=_PAGE
    )
    buttons = []
    for case in waiting:
        revision = (await ctx.work.revisions.find(case=case.id, order="-serial", limit=1))[0]
        buttons.append(choose("publish.link", revision.id, text=case.number, keep=True))
    others = await _signed_otherwise(ctx, {one.subject for one in buttons})
    for revision in others:
        number = (await matters.of(ctx, revision.case)).number
        buttons.append(choose("publish.link", revision.id, text=number, keep=True))
    buttons += [choose("bulletin.open", one.id, text=one.number, keep=True) for one in out]
    lines = (*await case_lines(ctx, waiting), *[await _line(ctx, one) for one in others])
    await ctx.reply(
        Listing(
            what="to_publish", total=len(lines), lines=lines, empty="" if lines or out else "yes",
        ),
        *buttons,
    )  # fmt: skip


async def _line(ctx: Context, revision: Revision) -> BulletinLine:
    return BulletinLine(
        number=(await matters.of(ctx, revision.case)).number, kind=revision.kind,
        title=revision.title, expires_at=revision.expires_at, review_at=revision.review_at,
    )  # fmt: skip


async def _signed_otherwise(ctx: Context, shown: Collection[str]) -> list[Revision]:
    """Signed texts that no stage of a case shows: 普法, corrections, holding notices."""
    signed = await ctx.work.revisions.find(
        kind__in=_BESIDES, state=RevisionState.SIGNED, order="-signed_at", limit=_LOOK_BACK
    )
    published = await ctx.work.bulletins.find(revision__in=[one.id for one in signed])
    out = {one.revision for one in published}
    return [one for one in signed if one.id not in out and one.id not in shown][:_PAGE]


@action("bulletin.list", Role.PUBLISHER, Role.DESK, *REVIEWERS)
async def listed(ctx: Context, subject: str, args: Args) -> None:
    """通报: what is out, the newest first; with a number, that one in whatever state."""
    del subject
    number = args.get("text", "")
    if number:
        found = await ctx.work.bulletins.one(number=number)
        if found is None:
            raise Refusal("no_such_bulletin", {"what": number[:20]})
        await _open(ctx, found)
        return
    out = await ctx.work.bulletins.find(
        state=BulletinState.CURRENT, order="-issued_at", limit=_PAGE
    )
    total = await ctx.work.bulletins.count(state=BulletinState.CURRENT)
    lines = tuple(
        BulletinLine(
            number=one.number, kind=one.kind, title=one.title,
            expires_at=one.expires_at, review_at=one.review_at,
        )
        for one in out
    )  # fmt: skip
    await ctx.reply(
        Listing(what="bulletins", total=total, lines=lines, empty="" if out else "yes"),
        *[choose("bulletin.open", one.id, text=one.number, keep=True) for one in out],
    )


@action("bulletin.open", Role.PUBLISHER, Role.DESK, *REVIEWERS)
async def open_bulletin(ctx: Context, subject: str, args: Args) -> None:
    """A bulletin with what may be done about it."""
    del args
    bulletin = await ctx.work.bulletins.maybe(subject)
    if bulletin is None:
        raise NotFound("bulletin")
    await _open(ctx, bulletin)


async def _open(ctx: Context, bulletin: Bulletin) -> None:
    buttons = []
    current = bulletin.state is BulletinState.CURRENT
    if current and ctx.has(Role.PUBLISHER) and bulletin.case:
        buttons = [
            choose("bulletin.correct", bulletin.id),
            choose("bulletin.update", bulletin.id),
            choose("bulletin.withdraw", bulletin.id),
            choose("campaign.live", bulletin.id, keep=True),
        ]
    prolonged = await ctx.may(BULLETIN, bulletin, "prolong")
    if prolonged:
        buttons.append(choose("bulletin.prolong", bulletin.id))
    if prolonged or (current and ctx.has(Role.PUBLISHER, *REVIEWERS)):
        buttons += date_choices("bulletin", bulletin)
    await ctx.reply(
        await shown(ctx, bulletin, dated=True), *buttons, subject=f"bulletin:{bulletin.id}"
    )


@action("bulletin.prolong", *REVIEWERS)
async def prolong(ctx: Context, subject: str, args: Args) -> None:
    """An expired bulletin holds again for half a year."""
    del args
    bulletin = await ctx.work.bulletins.get(subject)
    bulletin = await touch(
        ctx, dataclasses.replace(bulletin, expires_at=ctx.at + timedelta(days=180))
    )
    bulletin = await ctx.move(BULLETIN, ctx.work.bulletins, bulletin, "prolong")
    await ctx.settle_cards(
        f"bulletin:{bulletin.id}", Settled(what="prolonged", who=ctx.me.name, at=ctx.at)
    )
    await ctx.reply(
        Done(what="prolonged", subject=bulletin.number), *date_choices("bulletin", bulletin)
    )
