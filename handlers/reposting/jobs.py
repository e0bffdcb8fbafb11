"""Deliveries of one text to many addresses are put in together with the jobs that send them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from handlers.context import Context
from matrix.broadcast.plan import Job, jobs
from matrix.core.delivery import DELIVERY, Delivery, DeliveryState
from matrix.core.events import Event
from matrix.core.roles import MACHINE

_CLAIM = DELIVERY.rule(DeliveryState.PENDING, "claim")
_CANCEL = DELIVERY.rule(DeliveryState.PENDING, "cancel")


async def post(
    ctx: Context, template: Delivery, targets: Mapping[str, Sequence[tuple[str, str, str]]]
) -> None:
    """Put in one delivery per target and the jobs for them.

    ``targets`` by the platform that sends them: (address, account, purpose). Ids begin with the
    template's.
    """
    for platform, some in targets.items():
        one = replace(template, platform=platform, id=ctx.services.ids.new())
        ids = await ctx.work.ledger.post(one, some)
        await ctx.work.enqueue("broadcast", *(job.name for job in jobs(one.subject, ids, platform)))


async def cancel(ctx: Context, subject: str, reason: str) -> None:
    """What of a subject has not gone out will not: one statement, one event."""
    count = await ctx.work.ledger.drop(subject, _CANCEL.source, _CANCEL.target, reason)
    if count:
        await ctx.work.record(
            Event(
                id=ctx.services.ids.new(), at=ctx.at, entity=DELIVERY.name, entity_id=subject,
                action=_CANCEL.action, source=_CANCEL.source, target=_CANCEL.target,
                role=MACHINE.role, data={"count": count},
            )
        )  # fmt: skip


async def resume(ctx: Context, subject: str) -> None:
    """Jobs for everything of a subject that still waits: after a hold."""
    turn = f"r{await ctx.work.serial(f'run:{subject}')}"
    waiting = await ctx.work.ledger.waiting(subject, _CLAIM.source)
    names = [
        job.name for line, ids in waiting.items() for job in jobs(subject, ids, line, turn=turn)
    ]
    if names:
        await ctx.work.enqueue("broadcast", *names)


async def once_more(ctx: Context, one: Delivery) -> None:
    """A job for a delivery whose job may have come to its end: a doubt was resolved."""
    turn = f"r{await ctx.work.serial(f'run:{one.subject}')}"
    job = Job(subject=one.subject, first=one.id, last=one.id, line=one.platform, turn=turn)
    await ctx.work.enqueue("broadcast", job.name)
