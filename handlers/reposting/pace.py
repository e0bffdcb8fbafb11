"""How fast a broadcast went: shown while it runs, kept in the log when it has ended."""

from collections.abc import Sequence

from handlers.context import Context
from handlers.replies.reposting import Pace
from matrix.broadcast.spread import SHARES, Spread, spread
from matrix.core.campaign import Campaign, RepostTask, TaskState

_NOT_ASKED = frozenset({TaskState.EXEMPT, TaskState.VOID})


def measured(campaign: Campaign, tasks: Sequence[RepostTask]) -> Spread:
    """The spread of a broadcast, by its tasks."""
    asked = [task for task in tasks if task.state not in _NOT_ASKED]
    posted = [task.posted_at for task in asked if task.posted_at is not None]
    return spread(len(asked), campaign.started_at or campaign.created_at, posted)


def shown(campaign: Campaign, tasks: Sequence[RepostTask]) -> Pace | None:
    """For the board; None before anything was posted."""
    found = measured(campaign, tasks)
    if campaign.started_at is None or found.width is None:
        return None
    half, most, nearly = (found.reached.get(share) for share in SHARES)
    return Pace(half=half, most=most, nearly=nearly, width=found.width)


async def keep(ctx: Context, campaign: Campaign) -> None:
    """Write the figures of an ended broadcast to the log: seconds; null where not reached."""
    tasks = await ctx.work.tasks.find(campaign=campaign.id)
    found = measured(campaign, tasks)
    times = {f"s{share}": _seconds(found, share) for share in SHARES}
    await ctx.note(
        "campaign", campaign.id, "spread", campaign.case, posted=found.posted,
        planned=found.planned, width=found.width.total_seconds() if found.width else None, **times,
    )  # fmt: skip


def _seconds(found: Spread, share: int) -> float | None:
    return found.reached[share].total_seconds() if share in found.reached else None
