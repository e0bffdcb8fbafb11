"""An operator is asked once more: after declining, or because the channel could not post."""

from handlers import matters
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import AskedAgain
from handlers.replies.shared import Done, Settled
from handlers.reposting import tasks as tasking
from handlers.router import Args, action
from matrix.core.campaign import TASK, RepostTask
from matrix.core.roles import Role


@action("task.ask_again", Role.PUBLISHER)
async def ask_again(ctx: Context, subject: str, args: Args) -> None:
    """再请一次: open again for its operator, once; the reason they gave is kept in the log."""
    del args
    task = await ctx.work.tasks.get(subject)
    task = await ctx.move(TASK, ctx.work.tasks, task, "ask_again", reason="")
    case = await matters.of(ctx, task.case)
    account = ctx.directory.accounts[task.account].name
    await ctx.settle_cards(
        f"task:{task.id}", Settled(what="asked_again", who=ctx.me.name, at=ctx.at)
    )
    await ctx.tell(
        task.operator,
        AskedAgain(number=case.number, account=account, due_at=task.due_at),
        *tasking.card_choices(
            ctx, await ctx.work.campaigns.get(task.campaign), task.operator, in_drill=task.drill
        ),
        roles=(Role.OPERATOR,),
    )
    await ctx.reply(Done(what="asked_again", subject=account), choose("task.open", task.id))


async def by_hand(ctx: Context, task: RepostTask) -> None:
    """The card of a task that was meant for a channel; its link is taken as any other's."""
    if not task.operator:
        return
    campaign = await ctx.work.campaigns.get(task.campaign)
    case = await matters.of(ctx, task.case)
    await ctx.tell(
        task.operator,
        await tasking.card(ctx, campaign, case, [task]),
        *tasking.card_choices(ctx, campaign, task.operator, in_drill=task.drill),
        subject=f"cards:{campaign.id}:{task.operator}",
        roles=(Role.OPERATOR,),
    )
