"""通报稿: at 300 % of a clock a notice is drafted from the log; only a person sends it."""

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import Done, Settled
from handlers.replies.triage import Criticism, CriticismDraft, CriticismStep
from handlers.responsible import assignees, unit_of
from handlers.router import Args, action
from matrix.core.case import Case
from matrix.core.deadline import Deadline
from matrix.core.roles import Role
from matrix.triage.ladder import LADDER

_RUNG = "rung-"
_ENDED = ("criticism-issued", "criticism-discarded")


async def draft(ctx: Context, one: Deadline, case: Case | None) -> None:
    """Put it before desk and leaders. Nothing goes out by itself."""
    await ctx.note("deadline", one.id, "criticism-drafted", one.case)
    shown = CriticismDraft(notice=await _notice(ctx, one, case))
    for person in dict.fromkeys(ctx.holders(Role.DESK, Role.LEADER)):
        await ctx.tell(
            person, shown,
            choose("criticism.issue", one.id), choose("criticism.discard", one.id),
            subject=f"criticism:{one.id}",
        )  # fmt: skip


async def _notice(ctx: Context, one: Deadline, case: Case | None) -> Criticism:
    """Who, what was due, since when, and which reminders went before: as the log has it."""
    number, wording = (case.number, case.wording) if case is not None else await _lead(ctx, one)
    people = await assignees(ctx, one, case) if case is not None else []
    events = await ctx.work.events(entity="deadline", entity_id=one.id)
    rungs = [(e.action.split("-")[1], e.at) for e in events if e.action.startswith(_RUNG)]
    steps = [
        CriticismStep(rung=f"rung_{rung}", at=at) for rung, at in rungs if rung != str(len(LADDER))
    ]
    return Criticism(
        number=number,
        wording=wording[:200],
        unit=ctx.directory.unit_name(await unit_of(ctx, one.subject, case, one.stage)),
        # Where nobody has taken it on, the unit answers, not everyone in it.
        taken_by=ctx.directory.person_name(people[0].person) if len(people) == 1 else "",
        stage=f"stage_{one.stage.value.replace('-', '_')}",
        starts_at=one.starts_at,
        due_at=one.due_at,
        open_due=one.due_at if one.closed_at is None else None,
        closed_at=one.closed_at,
        steps=tuple(steps),
    )


async def _lead(ctx: Context, one: Deadline) -> tuple[str, str]:
    lead = await ctx.work.leads.get(one.subject.partition(":")[2])
    return lead.number, lead.text


async def _undecided(ctx: Context, deadline: str) -> Deadline:
    for event in await ctx.work.events(entity="deadline", entity_id=deadline):
        ctx.require("criticism_open", holds=event.action not in _ENDED)
    return await ctx.work.deadlines.get(deadline)


@action("criticism.issue", Role.DESK, Role.LEADER)
async def issue(ctx: Context, subject: str, args: Args) -> None:
    """批准: to the heads of the unit and the leaders, and into the log."""
    del args
    one = await _undecided(ctx, subject)
    case = await ctx.work.cases.maybe(one.case)
    unit = await unit_of(ctx, one.subject, case, one.stage)
    heads = ctx.holders(Role.UNIT_HEAD, unit=unit) if unit else []
    notice = await _notice(ctx, one, case)
    reached = 0
    for person in dict.fromkeys([*heads, *ctx.holders(Role.LEADER)]):
        reached += await ctx.tell(person, notice) is not None
    await ctx.note("deadline", one.id, "criticism-issued", one.case, unit=unit)
    await _settle(ctx, one, "criticism_issued")
    await ctx.reply(Done(what="criticism_issued", subject=notice.number, detail=str(reached)))


@action("criticism.discard", Role.DESK, Role.LEADER)
async def discard(ctx: Context, subject: str, args: Args) -> None:
    """不发: nothing was sent, and the log says so."""
    del args
    one = await _undecided(ctx, subject)
    await ctx.note("deadline", one.id, "criticism-discarded", one.case)
    await _settle(ctx, one, "criticism_discarded")
    await ctx.reply(Done(what="criticism_discarded"))


async def _settle(ctx: Context, one: Deadline, what: str) -> None:
    await ctx.settle_cards(f"criticism:{one.id}", Settled(what=what, who=ctx.me.name, at=ctx.at))
