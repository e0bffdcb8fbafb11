"""What is known of groups whose owner confirms in a client; how owners are urged, and stopped.

One delivery is one task of the platform: all groups of one owner (``handing``). What becomes of
it is followed in ``owners``.
"""

from collections.abc import Iterable
from datetime import timedelta

from handlers.cards.publishing import is_direct
from handlers.context import Context
from matrix.broadcast.owners import may_remind
from matrix.core.campaign import TASK, Campaign, RepostTask, TaskState
from matrix.core.delivery import Delivery, DeliveryState
from matrix.core.directory import Account
from matrix.core.roles import MACHINE

KIND = "groups"
"""What the purposes of these deliveries begin with."""
OPEN = (TaskState.DELIVERED, TaskState.UNKNOWN)
"""States in which the owner may still confirm, or may have."""


def confirms(ctx: Context, account: Account) -> bool:
    """Whether what is sent to the account waits for its owner."""
    owned = account.platform in ctx.services.owner_platforms and bool(account.owner)
    return owned and is_direct(ctx, account)


async def tasks_of(ctx: Context, delivery: Delivery) -> list[tuple[RepostTask, Account]]:
    """The tasks that one delivery is for, with their accounts."""
    campaign = delivery.purpose.split(":")[1]
    groups = delivery.content.get("groups")
    named = set(groups) if isinstance(groups, list) else set()
    found = []
    for task in await ctx.work.tasks.find(campaign=campaign, order="serial"):
        account = await ctx.work.accounts.get(task.account)
        mine = (account.platform, account.owner) == (delivery.platform, delivery.address)
        if mine and account.address in named:
            found.append((task, account))
    return found


async def remind(ctx: Context, campaign: Campaign, open_: Iterable[RepostTask]) -> int:
    """Ask the platform to remind the owners who lack; returns how many were reminded."""
    lacking = {task.id for task in open_ if task.state is TaskState.DELIVERED}
    reminded = 0
    for delivery in await handed(ctx, campaign):
        if not lacking & {task.id for task, _ in await tasks_of(ctx, delivery)}:
            continue
        purpose = f"remind:{delivery.id}"
        earlier = [one.created_at for one in await ctx.work.deliveries.find(purpose=purpose)]
        if may_remind(earlier, ctx.at, timedelta(minutes=ctx.policy.bundle_minutes)):
            await act_on(ctx, delivery, "remind")
            reminded += 1
    return reminded


async def take_back(ctx: Context, campaign: Campaign) -> None:
    """Nobody shall confirm any more; whether somebody just has is found out afterwards.

    Until then these groups may show the text, and a correction reaches them too.
    """
    for delivery in await handed(ctx, campaign):
        open_ = [task for task, _ in await tasks_of(ctx, delivery) if task.state in OPEN]
        for task in open_:
            if task.state is TaskState.DELIVERED:
                await ctx.move(TASK, ctx.work.tasks, task, "lose", by=MACHINE)
        if open_ and not await ctx.work.deliveries.count(purpose=f"cancel:{delivery.id}"):
            await act_on(ctx, delivery, "cancel")


async def handed(ctx: Context, campaign: Campaign) -> list[Delivery]:
    """What the owners of a broadcast's groups have been given to confirm."""
    return await ctx.work.deliveries.find(
        purpose__starts=f"{KIND}:{campaign.id}:", state=DeliveryState.SENT
    )


async def act_on(ctx: Context, delivery: Delivery, act: str) -> None:
    """A repeat of either does no harm."""
    await ctx.work.deliveries.add(
        Delivery(
            id=ctx.services.ids.new(), platform=delivery.platform, address=delivery.address,
            purpose=f"{act}:{delivery.id}", edits=delivery.id, harmless=True,
            content={"plain": "", "act": act}, created_at=ctx.at,
        )
    )  # fmt: skip
