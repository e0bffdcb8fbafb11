"""延期: a stage gets more time when somebody else approves; the business clock does not."""

from handlers import clocks
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.assignment import ExtensionCard
from handlers.replies.shared import AskText, Done, Pick, Settled
from handlers.responsible import holding
from handlers.router import Args, action, answer
from matrix.core.case import Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Deadline
from matrix.core.extension import EXTENSION, Extension
from matrix.core.lifecycle import Step
from matrix.core.roles import OWNERS, Actor, Role

HOURS = ("1", "4", "8")
"""Offered, counted like the stage itself: on the wall clock or in working time."""
_DECIDERS = (Role.UNIT_HEAD, Role.LEADER)


async def _running(ctx: Context, case: Case) -> Deadline:
    """The stage whose owner may ask for more time. Raises GuardRefused."""
    found = await ctx.work.deadlines.find(
        subject=f"case:{case.id}", stage__in=clocks.EXTENDABLE, closed_at=None, limit=1
    )
    ctx.require("still_runs", holds=bool(found))
    return found[0]


@action("case.extend", *OWNERS)
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """申请延期: how long, then why. Where first publication leaves no room it is refused."""
    case = await ctx.work.cases.get(subject)
    await _owner(ctx, case)
    one = await _running(ctx, case)
    if "hours" not in args:
        await ctx.reply(
            Pick(what="extend", subject=case.number),
            *[choose("case.extend", case.id, label=f"hours_{one}", hours=one) for one in HOURS],
        )
        return
    minutes = int(args["hours"]) * 60
    ctx.require("extension_room", holds=_moves(ctx, one, minutes))
    open_ = await ctx.work.extensions.count(deadline=one.id, state="asked")
    ctx.require("one_extension", holds=not open_)
    await ctx.ask(
        "case.extend", AskText(what="why_extend", subject=case.number),
        case=case.id, minutes=str(minutes),
    )  # fmt: skip


async def _owner(ctx: Context, case: Case) -> Actor:
    actor = await ctx.actor(OWNERS, case, "extend")
    ctx.require("owner_asks", holds=actor.unit == case.owner)
    return actor


def _moves(ctx: Context, one: Deadline, minutes: int) -> bool:
    return clocks.extended(ctx, one, minutes).due_at > one.due_at


@answer("case.extend")
async def reason_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The reason. The unit's head decides, at 红 and 橙 and for heads themselves a leader."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    reason, minutes = message.text.strip(), int(str(dialog.data["minutes"]))
    ctx.require("reason", holds=bool(reason))
    actor = await _owner(ctx, case)
    one = await _running(ctx, case)
    heads = [
        each for each in holding(ctx, Role.UNIT_HEAD, unit=actor.unit) if each.person != ctx.me.id
    ]
    by_leader = case.grade.urgent or actor.role is Role.UNIT_HEAD or not heads
    made = Extension(
        id=ctx.services.ids.new(), case=case.id, deadline=one.id, unit=actor.unit,
        minutes=minutes, reason=reason[:300], by_leader=by_leader, asked_by=ctx.me.id,
        asked_at=ctx.at,
    )  # fmt: skip
    await ctx.work.extensions.add(made)
    step = Step(
        entity=EXTENSION.name, entity_id=made.id, action="ask", source="",
        target=made.state.value, actor=actor,
    )  # fmt: skip
    await ctx.log(step, made, minutes=minutes)
    shown = ExtensionCard(
        number=case.number, grade=case.grade, wording=case.wording[:100],
        stage=f"stage_{one.stage.value.replace('-', '_')}", who=ctx.me.name,
        unit=ctx.directory.unit_name(actor.unit), reason=made.reason, due_at=one.due_at,
        until=clocks.extended(ctx, one, minutes).due_at,
        publish_by=await clocks.publish_by(ctx, case),
    )  # fmt: skip
    for each in holding(ctx, Role.LEADER) if by_leader else heads:
        await ctx.tell(
            each.person, shown,
            choose("extension.approve", made.id), choose("extension.refuse", made.id),
            subject=f"extension:{made.id}", roles=(each.role,), unit=each.unit,
        )  # fmt: skip
    await ctx.reply(Done(what="extension_asked", subject=case.number))


@action("extension.approve", *_DECIDERS)
async def approve(ctx: Context, subject: str, args: Args) -> None:
    """同意: the stage's clock moves, up to its cap; the business clock stays."""
    del args
    made = await ctx.work.extensions.get(subject)
    one = await ctx.work.deadlines.get(made.deadline)
    made = await _decide(ctx, made, "approve", runs=one.closed_at is None)
    one = await clocks.extend(ctx, one, made.minutes)
    await _told(ctx, made, "extension_approved", "extended", one)


@action("extension.refuse", *_DECIDERS)
async def refuse(ctx: Context, subject: str, args: Args) -> None:
    """不同意: the clock stays as it is."""
    del args
    made = await ctx.work.extensions.get(subject)
    made = await _decide(ctx, made, "refuse", runs=True)
    one = await ctx.work.deadlines.get(made.deadline)
    await _told(ctx, made, "extension_refused", "not_extended", one)


async def _decide(ctx: Context, made: Extension, verb: str, *, runs: bool) -> Extension:
    roles = (Role.LEADER,) if made.by_leader else _DECIDERS
    return await ctx.move(
        EXTENSION, ctx.work.extensions, made, verb, by=await ctx.actor(roles, made, verb),
        facts={"runs": runs}, decided_by=ctx.me.id, decided_at=ctx.at,
    )  # fmt: skip


async def _told(ctx: Context, made: Extension, settled: str, done: str, one: Deadline) -> None:
    case = await ctx.work.cases.get(made.case)
    await ctx.settle_cards(
        f"extension:{made.id}", Settled(what=settled, who=ctx.me.name, at=ctx.at)
    )
    await ctx.tell(
        made.asked_by,
        Settled(what=f"your_{settled}", who=ctx.me.name, at=one.due_at, detail=case.number),
        choose("case.open", case.id, keep=True),
        roles=OWNERS, unit=made.unit,
    )  # fmt: skip
    await ctx.reply(Done(what=done, subject=case.number), choose("case.open", case.id, keep=True))
