"""演练完成: in a drill an operator says that the card came; nothing is posted."""

from handlers.context import Context
from handlers.replies.shared import Done, Settled
from handlers.reposting import planning
from handlers.reposting import tasks as tasking
from handlers.router import Args, action
from matrix.core.campaign import TASK, Receipt
from matrix.core.roles import MACHINE, Role


@action("task.drilled", Role.OPERATOR)
async def drilled(ctx: Context, subject: str, args: Args) -> None:
    """All of this operator's tasks of the drill are done, and verified by the press itself."""
    del args
    mine = [task for task in await tasking.own_open(ctx, subject) if task.drill]
    ctx.require("own_task", holds=bool(mine))
    for task in mine:
        done = await ctx.move(
            TASK, ctx.work.tasks, task, "post", posted_at=ctx.at, late=ctx.at > task.due_at,
            reason="",
        )  # fmt: skip
        await ctx.work.receipts.add(
            Receipt(
                id=ctx.services.ids.new(), task=task.id, case=task.case, kind="drill",
                by=ctx.me.id, at=ctx.at, checked_at=ctx.at, check="drill",
            )
        )  # fmt: skip
        await ctx.move(TASK, ctx.work.tasks, done, "verify", by=MACHINE)
    await ctx.settle_cards(
        f"cards:{subject}:{ctx.me.id}", Settled(what="drilled", who=ctx.me.name, at=ctx.at)
    )
    await ctx.reply(Done(what="drilled", detail=str(len(mine))))
    await planning.advance(ctx, subject)
