"""People and posts: invitations, unbinding a lost phone, ending a post.

An answer goes through its action: who is no administrator any more has none left to give.
"""

import dataclasses

from handlers.access import beijing_date
from handlers.context import Context
from handlers.housekeeping import people
from handlers.importing.directory import reload
from handlers.intake import identity
from handlers.replies import choose
from handlers.replies.shared import AskText, Done, Pick
from handlers.replies.triage import Alarm
from handlers.router import Args, action, answer, perform
from matrix.core.case import AssignmentState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.directory import Person, Post
from matrix.core.errors import Refusal
from matrix.core.roles import OWNERS, Role


@action("admin.invite", Role.ADMIN)
async def invite(ctx: Context, subject: str, args: Args) -> None:
    """邀请 <姓名>: a one-time code for a person of the directory."""
    if subject:
        await _invite(ctx, await people.fresh(ctx, subject))
        return
    if not args.get("text"):
        await ctx.ask("admin.invite", AskText(what="invite_whom"))
        return
    await _invite(ctx, await people.only(ctx, args["text"]))


@answer("admin.invite")
async def invite_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The name."""
    del dialog
    await perform(ctx, "admin.invite", "", {"text": message.text})


async def _invite(ctx: Context, person: Person) -> None:
    code = await identity.invite(ctx, person.id)
    await ctx.reply(Done(what="invited", subject=person.name, detail=code))


@action("admin.unbind", Role.ADMIN)
async def unbind(ctx: Context, subject: str, args: Args) -> None:
    """解绑 <姓名>: a lost phone; every chat account of the person is revoked."""
    if subject:
        await _unbind(ctx, await people.fresh(ctx, subject))
        return
    if not args.get("text"):
        await ctx.ask("admin.unbind", AskText(what="unbind_whom"))
        return
    await _unbind(ctx, await people.only(ctx, args["text"]))


@answer("admin.unbind")
async def unbind_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The name."""
    del dialog
    await perform(ctx, "admin.unbind", "", {"text": message.text})


async def _unbind(ctx: Context, person: Person) -> None:
    bound = await ctx.work.identities.find(person=person.id, revoked_at=None)
    for one in bound:
        await ctx.work.identities.save(dataclasses.replace(one, revoked_at=ctx.at))
    await ctx.note("person", person.id, "unbind")
    await ctx.reply(Done(what="unbound", subject=person.name, detail=str(len(bound))))


@action("admin.end_post", Role.ADMIN)
async def end_post(ctx: Context, subject: str, args: Args) -> None:
    """结束任职 <姓名>: which post; its open work moves to the deputy or raises an alarm."""
    if args.get("person"):
        await _pick_post(ctx, await people.fresh(ctx, args["person"]))
        return
    if not subject:
        if not args.get("text"):
            await ctx.ask("admin.end_post", AskText(what="end_whose_post"))
            return
        await _pick_post(ctx, await people.only(ctx, args["text"]))
        return
    await _end(ctx, await ctx.work.posts.get(subject))


async def _end(ctx: Context, post: Post) -> None:
    # A post that has not begun ends on its first day: an import refuses reversed dates.
    last = max(beijing_date(ctx.at), post.valid_from)
    post = await ctx.work.posts.save(dataclasses.replace(post, ended=True, valid_to=last))
    await ctx.note("post", post.id, "end")
    await reload(ctx)
    deputy = next(
        (p.person for p in ctx.directory.posts if p.deputy_of == post.person and not p.ended), ""
    )
    moved = 0
    for one in await ctx.work.assignments.find(
        person=post.person, unit=post.unit, state=AssignmentState.ACKNOWLEDGED
    ):
        await ctx.work.assignments.save(dataclasses.replace(one, person=deputy))
        await ctx.note("assignment", one.id, "handover", one.case, to=deputy)
        case = await ctx.work.cases.get(one.case)
        if not deputy:
            await ctx.tell_role(
                Role.DESK,
                Alarm(what="nobody", number=case.number, detail=ctx.directory.unit_name(post.unit)),
            )
        else:
            await ctx.tell(
                deputy,
                Done(what="taken_over", subject=case.number),
                choose("case.open", case.id, keep=True),
                roles=OWNERS,
                unit=post.unit,
            )
        moved += 1
    await ctx.reply(Done(what="post_ended", detail=str(moved)))


@answer("admin.end_post")
async def end_post_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The name."""
    del dialog
    await perform(ctx, "admin.end_post", "", {"text": message.text})


async def _pick_post(ctx: Context, person: Person) -> None:
    posts = [p for p in ctx.directory.posts if p.person == person.id and not p.ended]
    if not posts:
        raise Refusal("no_posts", {"what": person.name})
    await ctx.reply(
        Pick(what="which_post", subject=person.name),
        *[
            choose(
                "admin.end_post",
                post.id,
                label=f"post_{post.role}",
                text=ctx.directory.unit_name(post.unit),
            )
            for post in posts[:8]
        ],
    )
