"""Who speaks: invitations, first contact, notices, help."""

import dataclasses
import hashlib
import re
from datetime import timedelta

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.intake import Help, HelpLine, Welcome
from handlers.replies.shared import Done
from handlers.router import ACTIONS, Args, action
from matrix.core.conversation import Inbound
from matrix.core.directory import ChannelIdentity, Invitation, Person, Post
from matrix.core.errors import Refusal
from matrix.core.roles import Role

_CODE = re.compile(r"(?:/start\s+)?(PY-[A-Za-z0-9_-]{8,24})")


def digest(code: str) -> str:
    """What is kept of an invitation code."""
    return hashlib.sha256(code.encode()).hexdigest()


async def invite(ctx: Context, person: str) -> str:
    """A one-time code that binds one chat account to a person; earlier open ones lapse."""
    await lapse(ctx, person)
    code = f"PY-{ctx.services.ids.token()}"
    await ctx.work.invitations.add(
        Invitation(
            id=ctx.services.ids.new(),
            digest=digest(code),
            person=person,
            made_by=ctx.person.id if ctx.person else "",
            expires_at=ctx.at + timedelta(hours=ctx.policy.invitation_hours),
        )
    )
    await ctx.note("person", person, "invite")
    return code


async def lapse(ctx: Context, person: str) -> None:
    """A person's open invitations bind nobody any more."""
    for old in await ctx.work.invitations.find(person=person, used_at=None):
        await ctx.work.invitations.save(dataclasses.replace(old, expires_at=ctx.at))


async def try_invitation(ctx: Context, text: str) -> bool:
    """Bind the chat account when the text is an invitation code.

    Raises:
        Refusal: the code is forged, used or expired.
    """
    found = _CODE.fullmatch(text.strip())
    if found is None:
        return False
    invitation = await ctx.work.invitations.one(digest=digest(found.group(1)))
    if invitation is None:
        raise Refusal("invitation_unknown")
    if invitation.used_at is not None:
        raise Refusal("invitation_used")
    if invitation.expires_at <= ctx.at:
        raise Refusal("invitation_expired")
    await ctx.work.invitations.save(dataclasses.replace(invitation, used_at=ctx.at))
    for old in await ctx.work.identities.find(
        platform=ctx.platform, external=ctx.external, revoked_at=None
    ):
        await ctx.work.identities.save(dataclasses.replace(old, revoked_at=ctx.at))
    await bind(ctx, invitation.person)
    ctx.person = await ctx.work.people.get(invitation.person)
    ctx.posts = tuple(await ctx.work.posts.find(person=invitation.person))
    await greet(ctx, again=True)
    return True


async def bind(ctx: Context, person: str) -> None:
    """Bind this chat account to a person."""
    await ctx.work.identities.add(
        ChannelIdentity(
            id=ctx.services.ids.new(),
            platform=ctx.platform,
            external=ctx.external,
            chat=ctx.chat,
            person=person,
            bound_at=ctx.at,
        )
    )
    await ctx.note("person", person, "bind")


async def admit_public(ctx: Context, message: Inbound) -> bool:
    """A stranger reports as 群众 where the district allows it; only a pseudonym is kept."""
    del message
    if not ctx.policy.public_reports:
        return False
    person_id = ctx.services.ids.new()
    person = Person(id=person_id, handle=f"pub-{person_id}", name="")
    await ctx.work.people.add(person)
    post = Post(id=ctx.services.ids.new(), person=person_id, role=Role.PUBLIC)
    await ctx.work.posts.add(post)
    await bind(ctx, person_id)
    ctx.person, ctx.posts = person, (post,)
    return True


async def greet(ctx: Context, *, again: bool = False) -> None:
    """First contact: what is kept, for how long, how to stop."""
    if ctx.me.greeted and not again:
        return
    ctx.person = await ctx.work.people.save(dataclasses.replace(ctx.me, greeted=True))
    roles = tuple(dict.fromkeys(post.role.value for post in ctx.posts))
    await ctx.reply(
        Welcome(
            name=ctx.me.name,
            roles=roles,
            files_days=ctx.policy.keep.files,
            originals_days=ctx.policy.keep.originals,
        ),
        choose("help.show", keep=True),
    )


HELP = (
    "lead.how", "lead.mine", "lead.area", "lead.search", "lead.supplement", "lead.withdraw",
    "appeal.file",
    "todo.mine", "lead.enter", "desk.handover", "desk.doubts", "duty.roster", "case.mine",
    "draft.campaign",
    "task.mine", "review.mine", "publish.mine", "bulletin.list", "campaign.live", "town.state",
    "leader.overview", "drill.start",
    "admin.people", "admin.add_person", "admin.add_post", "admin.invite", "admin.unbind",
    "admin.end_post",
    "notices.stop", "notices.start",
)  # fmt: skip
"""Commands in the order in which help lists them."""


@action("help.show")
async def show_help(ctx: Context, subject: str, args: Args) -> None:
    """Only what this person may do."""
    del subject, args
    mine = [
        HelpLine(command=name.replace(".", "_"))
        for name in HELP
        if name in ACTIONS and ACTIONS[name].open_to(ctx)
    ]
    await ctx.reply(Help(lines=tuple(mine)))


@action("lead.how")
async def how_to_report(ctx: Context, subject: str, args: Args) -> None:
    """我要报: what to send."""
    del subject, args
    await ctx.reply(Done(what="how_to_report"))


@action("notices.stop")
async def stop(ctx: Context, subject: str, args: Args) -> None:
    """No more notices to this reporter, except answers to what they ask."""
    del subject, args
    ctx.person = await ctx.work.people.save(dataclasses.replace(ctx.me, notices=False))
    await ctx.reply(Done(what="notices_stopped"), choose("notices.start"))


@action("notices.start")
async def start(ctx: Context, subject: str, args: Args) -> None:
    """Notices again."""
    del subject, args
    ctx.person = await ctx.work.people.save(dataclasses.replace(ctx.me, notices=True))
    await ctx.reply(Done(what="notices_started"))


@action("dialog.cancel")
async def cancel(ctx: Context, subject: str, args: Args) -> None:
    """Forget the open question."""
    del subject, args
    await ctx.close_dialog()
    await ctx.reply(Done(what="cancelled"))
