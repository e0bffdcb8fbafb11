"""看名单: who will get a broadcast, and whom the publisher leaves out before it starts."""

import dataclasses

from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.drafting import TaskLine
from handlers.replies.shared import Listing
from handlers.reposting import planning
from handlers.router import Args, action
from matrix.core.campaign import Campaign, CampaignState
from matrix.core.directory import Account, Tier
from matrix.core.roles import Role

PAGE = 10
"""Accounts a page, each with its button."""
BEFORE = frozenset({CampaignState.PLANNED, CampaignState.ARMED})


@action("campaign.targets", Role.PUBLISHER, Role.DESK)
async def targets(ctx: Context, subject: str, args: Args) -> None:
    """Before the start the preview with its accounts, ten a page; afterwards the bare list."""
    campaign = await ctx.work.campaigns.get(subject)
    page = int(args.get("page") or 0)
    accounts = await _accounts(ctx, campaign)
    shown = accounts[page * PAGE : (page + 1) * PAGE]
    lines = tuple(_line(campaign, account) for account in shown)
    buttons = _buttons(ctx, campaign, shown, page)
    if len(accounts) > (page + 1) * PAGE:
        buttons.append(
            choose(
                "campaign.targets", campaign.id, label="next_page", keep=True, page=str(page + 1)
            )
        )
    if campaign.state not in BEFORE:
        await ctx.reply(Listing(what="targets", total=len(accounts), lines=lines), *buttons)
        return
    if ctx.has(Role.PUBLISHER):
        buttons.append(choose("campaign.start", campaign.id))
    preview = dataclasses.replace(await planning.card(ctx, campaign), lines=lines)
    await ctx.reply(preview, *buttons, subject=f"campaign:{campaign.id}")


async def _accounts(ctx: Context, campaign: Campaign) -> list[Account]:
    found = [await ctx.work.accounts.maybe(code) for code in campaign.accounts]
    return [account for account in found if account is not None]


def _line(campaign: Campaign, account: Account) -> TaskLine:
    state = "exempt" if account.id in campaign.exempt else f"tier_{account.tier}"
    return TaskLine(number=account.id, account=account.name, state=state)


def _buttons(ctx: Context, campaign: Campaign, shown: list[Account], page: int) -> list[Choice]:
    """One button an account, where it may be left out: what corrects goes to all it reached."""
    if campaign.state not in BEFORE or campaign.corrects or not ctx.has(Role.PUBLISHER):
        return []
    return [
        choose(
            f"campaign.{'include' if account.id in campaign.exempt else 'exempt'}_account",
            campaign.id,
            label="include_account" if account.id in campaign.exempt else "exempt_account",
            text=account.name, keep=True, account=account.id, page=str(page),
        )
        for account in shown
        if account.tier is not Tier.MAIN
    ]  # fmt: skip


@action("campaign.exempt_account", Role.PUBLISHER)
async def exempt_account(ctx: Context, subject: str, args: Args) -> None:
    """An account is left out of this broadcast; the preview shows the new counts."""
    campaign = await _open(ctx, subject)
    exempt = {**campaign.exempt, args["account"]: "publisher"}
    ctx.require("somebody_left", holds=len(exempt) < len(campaign.accounts))
    await _save(ctx, campaign, exempt, "exempt", args)


@action("campaign.include_account", Role.PUBLISHER)
async def include_account(ctx: Context, subject: str, args: Args) -> None:
    """The exemption is taken back."""
    campaign = await _open(ctx, subject)
    exempt = {code: why for code, why in campaign.exempt.items() if code != args["account"]}
    await _save(ctx, campaign, exempt, "include", args)


async def _open(ctx: Context, campaign_id: str) -> Campaign:
    campaign = await ctx.work.campaigns.get(campaign_id)
    ctx.require("not_started", holds=campaign.state in BEFORE)
    ctx.require("not_correcting", holds=not campaign.corrects)
    return campaign


async def _save(
    ctx: Context, campaign: Campaign, exempt: dict[str, str], what: str, args: Args
) -> None:
    campaign = await ctx.work.campaigns.save(dataclasses.replace(campaign, exempt=exempt))
    await ctx.note("campaign", campaign.id, what, campaign.case, account=args["account"])
    await targets(ctx, campaign.id, args)
