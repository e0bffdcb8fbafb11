"""待办: whatever waits for this person, in each of their posts."""

from handlers import router
from handlers.context import Context
from handlers.router import ACTIONS, Args, action
from matrix.core.roles import OWNERS, REVIEWERS, Role

_LISTS = ("desk.todo", "case.mine", "review.mine", "publish.mine", "task.mine")


@action("todo.mine", Role.DESK, *OWNERS, *REVIEWERS, Role.PUBLISHER, Role.OPERATOR)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """The list of every post that has one: a person need not know what theirs is called."""
    for name in _LISTS:
        if ACTIONS[name].open_to(ctx):
            await router.perform(ctx, name, subject, args)
