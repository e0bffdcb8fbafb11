"""Handing a text to the owners of groups: one task of the platform for all groups of one owner."""

from collections.abc import Iterable
from datetime import timedelta

from handlers.context import Context
from handlers.reposting import jobs
from handlers.reposting.owned import KIND
from matrix.core.bulletin import Bulletin
from matrix.core.campaign import Campaign
from matrix.core.delivery import Delivery, Lane
from matrix.core.directory import Account


async def hand_over(
    ctx: Context, campaign: Campaign, bulletin: Bulletin, accounts: Iterable[Account]
) -> None:
    """One task per owner with all of the owner's groups."""
    by_owner: dict[tuple[str, str], list[str]] = {}
    for account in accounts:
        by_owner.setdefault((account.platform, account.owner), []).append(account.address)
    issuer = ctx.directory.unit_name(bulletin.issuer)
    text = f"{bulletin.title}\n{bulletin.short}\n{issuer} {bulletin.url}".strip()
    for (platform, owner), groups in by_owner.items():
        template = Delivery(
            id="", lane=Lane.BROADCAST, platform="", address="",
            subject=f"campaign:{campaign.id}", content={"plain": text, "groups": groups},
            created_at=ctx.at, give_up_at=ctx.at + timedelta(days=1),
        )  # fmt: skip
        purpose = f"{KIND}:{campaign.id}:{owner}"
        await jobs.post(ctx, template, {platform: [(owner, "", purpose)]})
