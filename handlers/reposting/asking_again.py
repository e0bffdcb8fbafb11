"""再请一次: the publisher asks an operator who declined to think again; nobody must."""

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import AskedAgain
from handlers.replies.shared import Done, Settled
from handlers.reposting import tasks as tasking
from handlers.router import Args, action
from matrix.core.campaign import TASK
from matrix.core.roles import Role


@action("task.ask_again", Role.PUBLISHER)
async def ask_again(ctx: Context, subject: str, args: Args) -> None:
    """The task is open again for its operator, once, with the reason they gave kept in the log."""
    del args
    task = await ctx.work.tasks.get(subject)
    task = await ctx.move(TASK, ctx.work.tasks, task, "ask_again", reason="")
    case = await ctx.work.cases.get(task.case)
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
