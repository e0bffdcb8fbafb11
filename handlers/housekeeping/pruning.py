"""What is done with is deleted after its days (``config/retention.toml``).

Never touched: what waits or is in doubt, what was said once (``dedup``), what something hangs on
(``purpose``), posts of a bulletin in force: the ledger is the floor of a correction's audience.
"""

from datetime import datetime, timedelta
from typing import Any

from handlers.context import Context
from matrix.core.bulletin import BulletinState
from matrix.core.campaign import CampaignState
from matrix.core.conversation import InboxState
from matrix.core.delivery import DeliveryState, Lane
from matrix.core.events import Event
from matrix.core.roles import CLOCK

_SETTLED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.CANCELLED)
_ENDED = (CampaignState.CONVERGED, CampaignState.ABORTED, CampaignState.CLOSED_WITH_GAPS)
# An expired bulletin may be prolonged.
_IN_FORCE = (BulletinState.CURRENT, BulletinState.EXPIRED)


async def prune(ctx: Context) -> int:
    """Delete what is past its days; returns how many rows."""
    keep, work = ctx.policy.keep, ctx.work
    gone = 0
    if before := _before(ctx, keep.inbox):
        gone += await work.inbox.clear(state=InboxState.DONE, received_at__lt=before)
    if before := _before(ctx, keep.buttons):
        gone += await work.buttons.clear(expires_at__lt=before)
    if before := _before(ctx, keep.dialogs):
        gone += await work.dialogs.clear(expires_at__lt=before)
    if before := _before(ctx, keep.replies):
        gone += await _deliveries(
            ctx, lane=Lane.CONVERSATION, purpose="", dedup=None, created_at__lt=before
        )
    if before := _before(ctx, keep.posts):
        gone += await _posts(ctx, before)
    if before := _before(ctx, keep.steps):
        gone += await work.forget_steps("delivery", before)
    return gone


def _before(ctx: Context, days: int) -> datetime | None:
    return ctx.at - timedelta(days=days) if days else None


async def _deliveries(ctx: Context, **criteria: Any) -> int:
    """Settled rows that fit, with an event for those of each state."""
    gone = 0
    for state in _SETTLED:
        count = await ctx.work.deliveries.clear(state=state, **criteria)
        gone += count
        if count:
            await ctx.work.record(
                Event(
                    id=ctx.services.ids.new(), at=ctx.at, entity="delivery", entity_id="",
                    action="forget", source=state, target="", role=CLOCK.role,
                    data={"count": count},
                )
            )  # fmt: skip
    return gone


async def _posts(ctx: Context, before: datetime) -> int:
    gone = 0
    for campaign in await ctx.work.campaigns.find(
        state__in=_ENDED, ended_at__lt=before, order="ended_at"
    ):
        bulletin = await ctx.work.bulletins.get(campaign.bulletin)
        if bulletin.state not in _IN_FORCE:
            subject = f"campaign:{campaign.id}"
            gone += await _deliveries(ctx, lane=Lane.BROADCAST, subject=subject)
    return gone
