"""What has become of the tasks that owners of groups must confirm (``handing``, ``owned``).

Their groups' own tasks are *delivered* until the platform says that a group has the message; that
answer is their proof.
"""

from datetime import datetime

from handlers import matters
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.triage import Alarm
from handlers.reposting import planning
from handlers.reposting.owned import KIND, OPEN, act_on, tasks_of
from matrix.broadcast.owners import SETTLES, GroupsSeen
from matrix.core.campaign import TASK, CampaignState, RepostTask, TaskState
from matrix.core.delivery import Delivery, DeliveryState
from matrix.core.roles import MACHINE, Role


async def settled(ctx: Context, delivery: Delivery) -> None:
    """The platform has taken the task, or not. ``!a|b`` in the remote id are groups it refused."""
    tasks = await tasks_of(ctx, delivery)
    waiting = [(task, account) for task, account in tasks if task.state is TaskState.CREATED]
    refused = set(delivery.remote_id.partition("!")[2].split("|"))
    taken: list[RepostTask] = []
    failed: list[RepostTask] = []
    for task, account in waiting:
        if delivery.state is DeliveryState.SENT and account.address not in refused:
            taken.append(task)
        elif delivery.state in {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.CANCELLED}:
            failed.append(task)
    why = delivery.error or "not-a-group-of-the-owner"
    await ctx.move_all(TASK, ctx.work.tasks, taken, "deliver", MACHINE)
    await ctx.move_all(TASK, ctx.work.tasks, failed, "fail", MACHINE, reason=why)
    campaign = await ctx.work.campaigns.get(delivery.purpose.split(":")[1])
    if delivery.state is DeliveryState.SENT and campaign.state is CampaignState.ABORTED:
        # It was on its way when the broadcast was stopped.
        await act_on(ctx, delivery, "cancel")
    if waiting and (delivery.state is DeliveryState.FAILED or refused - {""}):
        await _alarm(ctx, waiting[0][0], "groups_failed", delivery.error or str(len(refused)))


async def _alarm(ctx: Context, task: RepostTask, what: str, detail: str) -> None:
    case = await matters.of(ctx, task.case)
    await ctx.tell_role(
        Role.PUBLISHER, Alarm(what=what, number=case.number, detail=detail),
        choose("campaign.list", task.campaign, keep=True),
    )  # fmt: skip


async def waiting(ctx: Context) -> list[Delivery]:
    """Tasks of the platform of which something is not known yet, the oldest first."""
    if not ctx.services.owner_platforms:
        return []
    found: dict[str, Delivery] = {}
    seen: set[str] = set()
    for task in await ctx.work.tasks.find(state__in=OPEN):
        if task.campaign in seen or task.operator:
            continue
        seen.add(task.campaign)
        for one in await ctx.work.deliveries.find(
            purpose__starts=f"{KIND}:{task.campaign}:", state=DeliveryState.SENT
        ):
            found[one.id] = one
    return sorted(found.values(), key=lambda one: one.id)


async def seen(ctx: Context, delivery: Delivery, said: GroupsSeen) -> None:
    """Write what the platform returned; what it does not name stays as it is."""
    tasks = await tasks_of(ctx, delivery)
    settles = (delivery.sent_at or ctx.at) + SETTLES <= ctx.at
    cancelled = await ctx.work.deliveries.count(
        purpose=f"cancel:{delivery.id}", state=DeliveryState.SENT
    )
    pending = said.pending(account.address for _, account in tasks)
    left = 0
    for task, account in tasks:
        at = said.sent.get(account.address)
        if at is not None and TASK.has(task.state, "post") and task.state not in _BY_HAND:
            await _posted(ctx, task, delivery, at)
        elif task.state in OPEN:
            why = said.refused.get(account.address, "")
            if account.address in pending and settles:
                back = bool(cancelled) and task.state is TaskState.UNKNOWN
                why = "taken-back" if back else "" if said.owner_there else "owner-left"
            if why:
                await ctx.move(TASK, ctx.work.tasks, task, "fail", by=MACHINE, reason=why)
            left += why == "owner-left"
    if left:
        await _alarm(ctx, tasks[0][0], "owner_left", str(left))
    if tasks:
        await planning.advance(ctx, tasks[0][0].campaign)


_BY_HAND = frozenset({TaskState.CREATED, TaskState.SEEN, TaskState.DECLINED})
"""States of tasks that people work on."""


async def _posted(ctx: Context, task: RepostTask, delivery: Delivery, at: datetime) -> None:
    """The platform's answer is the proof."""
    task = await ctx.move(
        TASK, ctx.work.tasks, task, "post", by=MACHINE, posted_at=at, late=at > task.due_at,
        url=delivery.remote_id, reason="",
    )  # fmt: skip
    await ctx.move(TASK, ctx.work.tasks, task, "verify", by=MACHINE)
