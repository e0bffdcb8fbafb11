"""通报稿: the ladder's last rung drafts a notice; only a person sends it."""

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import Done, Settled
from handlers.replies.triage import LateNotice
from handlers.router import Args, action
from matrix.core.case import Case
from matrix.core.deadline import Deadline
from matrix.core.errors import Refusal
from matrix.core.roles import Role


def _notice(ctx: Context, one: Deadline, case: Case, *, draft: bool) -> LateNotice:
    late = ctx.at - one.due_at
    return LateNotice(
        number=case.number,
        unit=ctx.directory.unit_name(case.owner),
        stage=f"stage_{one.stage.value.replace('-', '_')}",
        starts_at=one.starts_at,
        due_at=one.due_at,
        hours=str(int(late.total_seconds() // 3600)),
        draft="yes" if draft else "",
    )


async def draft(ctx: Context, one: Deadline, case: Case) -> None:
    """Desk and leader see what would be said, to whom, and decide."""
    await ctx.note("deadline", one.id, "notice-draft", case.id)
    for role in (Role.DESK, Role.LEADER):
        await ctx.tell_role(
            role, _notice(ctx, one, case, draft=True),
            choose("notice.send", one.id), choose("notice.drop", one.id),
            choose("case.open", case.id, keep=True), subject=f"notice:{one.id}",
        )  # fmt: skip


@action("notice.send", Role.DESK, Role.LEADER)
async def send(ctx: Context, subject: str, args: Args) -> None:
    """The notice goes to the unit's heads and to the leader. Raises Refusal when all is done."""
    del args
    one = await ctx.work.deadlines.get(subject)
    if one.closed_at is not None:
        raise Refusal("notice_done")
    case = await ctx.work.cases.get(one.case)
    shown = _notice(ctx, one, case, draft=False)
    heads = await ctx.tell_role(Role.UNIT_HEAD, shown, unit=case.owner)
    await ctx.tell_role(Role.LEADER, shown)
    await ctx.note("deadline", one.id, "notice-sent", case.id, heads=heads)
    await _settle(ctx, one, "noticed")


@action("notice.drop", Role.DESK, Role.LEADER)
async def drop(ctx: Context, subject: str, args: Args) -> None:
    """不通报."""
    del args
    one = await ctx.work.deadlines.get(subject)
    await ctx.note("deadline", one.id, "notice-dropped", one.case)
    await _settle(ctx, one, "notice_dropped")


async def _settle(ctx: Context, one: Deadline, what: str) -> None:
    await ctx.settle_cards(f"notice:{one.id}", Settled(what=what, who=ctx.me.name, at=ctx.at))
    number = (await ctx.work.cases.get(one.case)).number
    await ctx.reply(Done(what=what, subject=number))
