"""What is deleted when its time is over, as the first greeting promises."""

import dataclasses
from datetime import timedelta

from handlers.context import Context
from matrix.core.appeal import AppealState
from matrix.core.lead import LeadState

_BATCH = 500
_OPEN = frozenset({LeadState.RECEIVED, LeadState.QUEUED, LeadState.NEEDS_INFO})


async def forget_originals(ctx: Context) -> int:
    """Sealed originals past their time; the masked text stays. Returns how many."""
    limit = ctx.at - timedelta(days=ctx.policy.keep.originals)
    old = await ctx.work.leads.find(received_at__lt=limit, sealed__ne="", limit=_BATCH)
    done = [lead for lead in old if lead.state not in _OPEN]
    for lead in done:
        await ctx.work.leads.save(dataclasses.replace(lead, sealed=""))
        await ctx.note("lead", lead.id, "forget-original", lead.case)
    appeals = await ctx.work.appeals.find(
        received_at__lt=limit, sealed__ne="", state__ne=AppealState.OPEN, limit=_BATCH
    )
    for appeal in appeals:
        await ctx.work.appeals.save(dataclasses.replace(appeal, sealed=""))
        await ctx.note("appeal", appeal.id, "forget-original", appeal.case)
    return len(done) + len(appeals)


async def old_files(ctx: Context) -> list[str]:
    """Digests of files past their time; their rows are marked, the bytes are the caller's."""
    limit = ctx.at - timedelta(days=ctx.policy.keep.files)
    old = await ctx.work.attachments.find(at__lt=limit, removed_at=None, limit=_BATCH)
    for one in old:
        await ctx.work.attachments.save(dataclasses.replace(one, removed_at=ctx.at))
        await ctx.note("attachment", one.id, "remove")
    return [one.digest for one in old]
