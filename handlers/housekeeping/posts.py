"""A post made in a chat, and taken back.

It is the post that an import of the same row would make, with the same key.
"""

import dataclasses
from collections.abc import Collection
from typing import cast

from handlers.access import beijing_date, in_force, is_over
from handlers.context import Context
from handlers.housekeeping import people
from handlers.importing.directory import reload
from handlers.importing.rows import new_id, plain_build
from handlers.importing.schema import TABLES
from handlers.replies import choose
from handlers.replies.people import PostAdded
from handlers.replies.shared import Done, Settled
from handlers.reposting.tasks import LIVE
from handlers.router import Args, action
from matrix.core.case import AssignmentState
from matrix.core.directory import Person, Post
from matrix.core.errors import Refusal
from matrix.core.roles import OWNERS, Role

BETWEEN = ";"
"""Between the codes of accounts in what a button carries."""


async def make(
    ctx: Context, person: Person, unit: str, role: Role, accounts: Collection[str] = ()
) -> None:
    """A new post from today; of an operator who has one already, further accounts."""
    if unit and ctx.directory.units[unit].ended:
        raise Refusal("no_such_unit", {"what": ctx.directory.unit_name(unit)})
    today = beijing_date(ctx.at)
    held = await _held(ctx, person, unit, role)
    if held is None:
        post = await _added(ctx, person, unit, role, accounts)
    elif accounts and in_force(held, today):
        more = (*held.accounts, *accounts)
        post = await ctx.work.posts.save(dataclasses.replace(held, accounts=more))
    else:
        raise Refusal("post_there", {"what": person.name, "detail": held.valid_from})
    done = await ctx.note("post", post.id, "accounts" if held else "add", accounts=list(accounts))
    await reload(ctx)
    bound = await ctx.work.identities.count(person=person.id, revoked_at=None)
    await ctx.reply(
        PostAdded(
            name=person.name,
            post=people.said(ctx, unit, role),
            accounts=tuple(ctx.directory.accounts[one].name for one in accounts),
            since=None if held else ctx.at,
            unbound="" if bound else "yes",
        ),
        choose("admin.invite", person.id),
        choose(
            "admin.undo_post", post.id, label="undo", made="" if held else "yes",
            accounts=BETWEEN.join(accounts), done=done,
        ),
        # Each step has a card of its own: taking one back leaves the others'.
        subject=f"appointed:{done}",
    )  # fmt: skip


async def _held(ctx: Context, person: Person, unit: str, role: Role) -> Post | None:
    """The same post, of today or to come."""
    today = beijing_date(ctx.at)
    same = await ctx.work.posts.find(person=person.id, unit=unit, role=role, ended=False)
    return next((post for post in same if not is_over(post, today)), None)


async def _added(
    ctx: Context, person: Person, unit: str, role: Role, accounts: Collection[str]
) -> Post:
    """The row of an import; one of today that was taken back is held again."""
    table = TABLES["posts"]
    values = {
        "person": person.id, "unit": unit, "role": role, "valid_from": beijing_date(ctx.at),
        "valid_to": "", "deputy_of": "", "accounts": tuple(accounts), "ended": False,
    }  # fmt: skip
    before = await ctx.work.posts.maybe(new_id(table, values))
    post = cast("Post", plain_build(table, before, values))
    return await (ctx.work.posts.save(post) if before else ctx.work.posts.add(post))


@action("admin.undo_post", Role.ADMIN)
async def undo_post(ctx: Context, subject: str, args: Args) -> None:
    """撤销: the post ends, or gives back the accounts that it got, while nothing hangs on it."""
    post = await ctx.work.posts.get(subject)
    if not people.in_time(ctx):
        raise Refusal("late_post")
    given = args["accounts"].split(BETWEEN)
    if post.ended or await _followed(ctx, post, given):
        raise Refusal("post_in_use")
    left = tuple(one for one in post.accounts if one not in given)
    # An operator without accounts is none: whichever of several steps is taken back last ends it.
    if left or (not args["made"] and post.role is not Role.OPERATOR):
        after = dataclasses.replace(post, accounts=left)
    else:
        after = dataclasses.replace(post, ended=True, valid_to=beijing_date(ctx.at))
    await ctx.work.posts.save(after)
    await ctx.note("post", post.id, "undo")
    await reload(ctx)
    await ctx.settle_cards(f"appointed:{args['done']}", Settled(what="undone", at=ctx.at))
    await ctx.reply(Done(what="post_undone", subject=ctx.directory.person_name(post.person)))


async def _followed(ctx: Context, post: Post, accounts: Collection[str]) -> bool:
    """Whether the person has acted in the role since, or a task or a case waits for them."""
    since = ctx.pressed.created_at if ctx.pressed else ctx.at
    if await ctx.work.events(person=post.person, role=post.role, at__gt=since):
        return True
    waiting = await ctx.work.tasks.count(
        operator=post.person, account__in=tuple(accounts), state__in=LIVE
    )
    handed = await ctx.work.assignments.count(
        person=post.person, unit=post.unit, state=AssignmentState.ACKNOWLEDGED
    )
    return bool(waiting or (handed and post.role in OWNERS))
