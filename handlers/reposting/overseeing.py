"""One task in the hands of the publisher or the desk."""

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import AskText, Done, Listing, Settled
from handlers.reposting import planning, tasks
from handlers.router import Args, action
from matrix.core.campaign import TASK
from matrix.core.roles import Role


@action("task.exempt", Role.PUBLISHER)
async def exempt(ctx: Context, subject: str, args: Args) -> None:
    """豁免."""
    del args
    task = await ctx.work.tasks.get(subject)
    task = await ctx.move(TASK, ctx.work.tasks, task, "exempt")
    name = ctx.directory.accounts[task.account].name
    await ctx.settle_cards(f"task:{task.id}", Settled(what="exempted", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="exempted", subject=name))
    await planning.advance(ctx, task.campaign)


@action("task.open", Role.PUBLISHER, Role.DESK, Role.OPERATOR)
async def open_task(ctx: Context, subject: str, args: Args) -> None:
    """One task with what this person may do."""
    del args
    task = await ctx.work.tasks.get(subject)
    if not ctx.has(Role.PUBLISHER, Role.DESK):
        ctx.require("own_task", holds=task.operator == ctx.me.id)
    buttons = []
    for name, row in (
        ("task.verify", "verify"),
        ("task.reject", "reject"),
        ("task.exempt", "exempt"),
        ("task.ask_again", "ask_again"),
    ):
        if await ctx.may(TASK, task, row):
            buttons.append(choose(name, task.id))
    if ctx.has(Role.PUBLISHER) and TASK.has(task.state, "post"):
        buttons.append(choose("task.post_for", task.id))
    await ctx.reply(
        Listing(what="task", total=1, lines=(await tasks.line(ctx, task),)), *buttons,
        subject=f"task:{task.id}",
    )  # fmt: skip


@action("task.post_for", Role.PUBLISHER)
async def post_for(ctx: Context, subject: str, args: Args) -> None:
    """The publisher records a link for an account."""
    del args
    task = await ctx.work.tasks.get(subject)
    TASK.rule(task.state, "post")
    name = ctx.directory.accounts[task.account].name
    await ctx.ask("task.link", AskText(what="link_for", subject=name), task=task.id)
