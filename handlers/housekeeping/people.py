"""People of the directory: found by name or handle, added in a chat, taken back."""

import dataclasses
import unicodedata
from collections.abc import Iterable
from typing import cast

from handlers.access import beijing_date, is_over
from handlers.context import Context
from handlers.importing.cells import CellFault, code
from handlers.importing.directory import reload
from handlers.importing.rows import plain_build
from handlers.importing.schema import TABLES
from handlers.intake import identity
from handlers.replies import choose
from handlers.replies.people import PersonAdded, PersonKnown, PersonLine, PostHeld
from handlers.replies.shared import AskText, Done, Settled
from handlers.router import Args, action, answer, perform
from matrix.core.conversation import Dialog, Inbound
from matrix.core.directory import Person, Post
from matrix.core.errors import Refusal
from matrix.core.roles import Role
from matrix.privacy import mask

__all__ = ["fresh", "holds", "in_time", "lines", "named", "only", "said"]

_LONGEST = 20
"""Characters of a name: what a line of a list shows whole."""
_SERIAL = "ry"
"""Handles made here begin with it, so that a later table of the district's own meets none."""


def named(ctx: Context, text: str) -> list[Person]:
    """Who bears a name or handle and has not left; who registered themselves have no name."""
    wanted = text.strip()
    everybody = ctx.directory.people.values()
    return [p for p in everybody if p.name and wanted in {p.name, p.handle} and not p.ended]


async def only(ctx: Context, text: str) -> Person:
    """The one person whom a name or handle means. Raises Refusal."""
    hits = named(ctx, text)
    if len(hits) != 1:
        raise Refusal("no_such_person", {"what": text.strip()[:20]})
    return await fresh(ctx, hits[0].id)


async def fresh(ctx: Context, person_id: str) -> Person:
    """The person of a button, as stored now. Raises Refusal for who has left."""
    person = await ctx.work.people.get(person_id)
    if person.ended:
        raise Refusal("no_such_person", {"what": person.name})
    return person


def holds(ctx: Context, person: str) -> list[Post]:
    """The person's posts of today and to come."""
    today = beijing_date(ctx.at)
    return [p for p in ctx.directory.posts if p.person == person and not is_over(p, today)]


def said(ctx: Context, unit: str, role: Role) -> PostHeld:
    """A post in words."""
    return PostHeld(unit=ctx.directory.unit_name(unit) or ctx.policy.short_name, role=role)


async def lines(ctx: Context, people: Iterable[Person]) -> tuple[PersonLine, ...]:
    """A line each, with the posts and whether a chat account is bound."""
    shown = list(people)
    bound = await ctx.work.identities.find(
        person__in=tuple(one.id for one in shown), revoked_at=None
    )
    there = {one.person for one in bound}
    return tuple(
        PersonLine(
            name=one.name,
            handle=one.handle,
            state="bound" if one.id in there else "unbound",
            posts=tuple(said(ctx, post.unit, post.role) for post in holds(ctx, one.id)),
        )
        for one in shown
    )


def in_time(ctx: Context) -> bool:
    """Whether what the pressed button takes back was done less than half an hour ago."""
    return bool(ctx.undo_facts(0)["in_time"])


@action("admin.add_person", Role.ADMIN)
async def add_person(ctx: Context, subject: str, args: Args) -> None:
    """添加人员 <姓名> [代号]."""
    del subject
    if not args.get("text"):
        await ctx.ask("admin.add_person", AskText(what="add_whom"))
        return
    await _add(ctx, args["text"])


@answer("admin.add_person")
async def add_person_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The name, and the handle where one is wanted."""
    del dialog
    await perform(ctx, "admin.add_person", "", {"text": message.text})


async def _add(ctx: Context, text: str) -> None:
    name, *rest = text.split(maxsplit=1) or [""]
    handle = rest[0].strip() if rest else ""
    _check(name, handle)
    known = named(ctx, name)
    if known and not handle:
        await ctx.reply(
            PersonKnown(name=name, lines=await lines(ctx, known)),
            *[choose("admin.add_post", p.id, label="add_post_to", text=p.handle) for p in known],
        )
        return
    person = await _back(ctx, name, handle) if handle else None
    if person is None:
        handle = handle or await _free_handle(ctx)
        made = plain_build(TABLES["people"], None, {"handle": handle, "name": name})
        person = await ctx.work.people.add(cast("Person", made))
    await ctx.note("person", person.id, "add")
    await reload(ctx)
    await ctx.reply(
        PersonAdded(name=person.name, handle=person.handle),
        choose("admin.add_post", person.id),
        choose("admin.invite", person.id),
        choose("admin.undo_person", person.id, label="undo"),
        subject=f"person:{person.id}",
    )


async def _back(ctx: Context, name: str, handle: str) -> Person | None:
    """Whoever left under this handle, in the directory again; None where it is free.

    Raises Refusal where it is, or was, somebody else's: the log names people by it.
    """
    holder = await ctx.work.people.one(handle=handle)
    if holder is None:
        return None
    if not holder.ended or holder.name != name:
        raise Refusal("handle_taken", {"what": handle, "detail": holder.name})
    back = dataclasses.replace(holder, ended=False)
    await ctx.work.people.save(back)
    return back


def _check(name: str, handle: str) -> None:
    """Raises Refusal for what is no name, no handle, or gives somebody's number away."""
    # Full-width digits are digits, too.
    plain = unicodedata.normalize("NFKC", f"{name} {handle}")
    if mask(plain) != plain:
        raise Refusal("name_with_number")
    hidden = any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in name)
    if hidden or len(name) > _LONGEST or not any(one.isalpha() for one in name):
        raise Refusal("bad_name")
    try:
        code(handle)
    except CellFault:
        # Imports allow more; here a second word would otherwise be half of a name.
        raise Refusal("bad_handle") from None


async def _free_handle(ctx: Context) -> str:
    while True:
        handle = f"{_SERIAL}{await ctx.work.serial('person-handle'):03}"
        if await ctx.work.people.one(handle=handle) is None:
            return handle


@action("admin.undo_person", Role.ADMIN)
async def undo_person(ctx: Context, subject: str, args: Args) -> None:
    """撤销: for half an hour, while the person has neither a post nor a chat account."""
    del args
    person = await ctx.work.people.get(subject)
    if not in_time(ctx):
        raise Refusal("late_person")
    used = await ctx.work.posts.count(person=person.id, ended=False)
    used += await ctx.work.identities.count(person=person.id)
    if person.ended or used:
        raise Refusal("person_in_use")
    await ctx.work.people.save(dataclasses.replace(person, ended=True))
    await identity.lapse(ctx, person.id)
    await ctx.note("person", person.id, "undo")
    await reload(ctx)
    await ctx.settle_cards(f"person:{person.id}", Settled(what="undone", at=ctx.at))
    await ctx.reply(Done(what="undone", subject=person.name))
