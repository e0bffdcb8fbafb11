"""Tasks move with what has become of their deliveries: many at once, each by its row."""

import dataclasses
from collections.abc import Mapping, Sequence

from handlers.context import Context
from matrix.core.campaign import TASK, RepostTask, TaskState
from matrix.core.delivery import Delivery, DeliveryState
from matrix.core.roles import MACHINE

_VERBS = {
    (TaskState.CREATED, DeliveryState.SENDING): "send",
    (TaskState.SENDING, DeliveryState.SENT): "sent",
    (TaskState.UNKNOWN, DeliveryState.SENT): "post",
    (TaskState.SENDING, DeliveryState.PENDING): "wait",
    (TaskState.UNKNOWN, DeliveryState.PENDING): "wait",
    (TaskState.SENDING, DeliveryState.IN_DOUBT): "lose",
}
_POSTED = {"sent", "post"}


async def posts(
    ctx: Context, deliveries: Mapping[str, Delivery]
) -> Sequence[tuple[Delivery, RepostTask]]:
    """Direct posts by their tasks' ids; returns those that their channel has refused for good.

    The channel's own answer, or who looked after a doubt, is the proof of a direct post.
    """
    await ctx.work.tasks.load(list(deliveries))
    moves: dict[str, list[RepostTask]] = {}
    for task_id, delivery in deliveries.items():
        task = await ctx.work.tasks.get(task_id)
        if verb := _verb(task, delivery):
            moves.setdefault(verb, []).append(_told(ctx, task, verb, delivery))
    refused: list[tuple[Delivery, RepostTask]] = []
    for verb, some in moves.items():
        moved = await ctx.move_all(TASK, ctx.work.tasks, some, verb, MACHINE)
        if verb in _POSTED:
            await ctx.move_all(TASK, ctx.work.tasks, moved, "verify", MACHINE)
        if verb == "fail":
            refused = [
                (deliveries[task.id], task)
                for task in moved
                if deliveries[task.id].state is DeliveryState.FAILED
            ]
    return refused


def _verb(task: RepostTask, delivery: Delivery) -> str:
    """What the table calls it; empty where this task has gone on without its delivery."""
    if delivery.state in {DeliveryState.FAILED, DeliveryState.CANCELLED}:
        return "fail" if TASK.has(task.state, "fail") else ""
    return _VERBS.get((task.state, delivery.state), "")


def _told(ctx: Context, task: RepostTask, verb: str, delivery: Delivery) -> RepostTask:
    if verb == "fail":
        return dataclasses.replace(task, reason=delivery.error)
    if verb not in _POSTED:
        return task
    return dataclasses.replace(
        task, url=delivery.remote_id, posted_at=ctx.at, late=ctx.at > task.due_at
    )


async def cards(ctx: Context, delivery: Delivery, rest: str) -> None:
    """An operator's card, ``campaign:operator``: all tasks on it are delivered, or none can be."""
    campaign, _, operator = rest.partition(":")
    tasks = await ctx.work.tasks.find(campaign=campaign, operator=operator, state=TaskState.CREATED)
    if delivery.state is DeliveryState.SENT:
        await ctx.move_all(TASK, ctx.work.tasks, tasks, "deliver", MACHINE)
    elif delivery.state is DeliveryState.FAILED:
        await ctx.move_all(TASK, ctx.work.tasks, tasks, "fail", MACHINE, reason=delivery.error)
