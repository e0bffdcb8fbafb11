"""Names → coroutines. A handler registers itself; nothing else needs to know of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from handlers.context import Context
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import NotAllowed
from matrix.core.roles import Role

Args = Mapping[str, str]
Act = Callable[[Context, str, Args], Awaitable[None]]
Answer = Callable[[Context, Dialog, Inbound], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An action. ``roles`` may start it; empty means that the entity decides (its table).

    ``when`` narrows it to some of who hold the roles.
    """

    run: Act
    roles: frozenset[Role]
    when: Callable[[Context], bool] | None = None

    def open_to(self, ctx: Context) -> bool:
        """Whether the person may start it at all: for help, and before it runs."""
        if self.roles and not ctx.has(*self.roles):
            return False
        return self.when is None or self.when(ctx)


ACTIONS: dict[str, Registered] = {}
ANSWERS: dict[str, Answer] = {}


def action(
    name: str, *roles: Role, when: Callable[[Context], bool] | None = None
) -> Callable[[Act], Act]:
    """Register what a button or word does. Its words lie in the catalogue under ``word``."""

    def register(run: Act) -> Act:
        if name in ACTIONS:
            raise ValueError(f"two actions are named {name}")
        ACTIONS[name] = Registered(run=run, roles=frozenset(roles), when=when)
        return run

    return register


def answer(name: str) -> Callable[[Answer], Answer]:
    """Register who reads the answer to a question asked with ``Context.ask``."""

    def register(run: Answer) -> Answer:
        if name in ANSWERS:
            raise ValueError(f"two answers are named {name}")
        ANSWERS[name] = run
        return run

    return register


async def perform(ctx: Context, name: str, subject: str, args: Args) -> None:
    """Do a registered action for the person of the context.

    Raises:
        NotAllowed: the action is not open to the person.
    """
    found = ACTIONS[name]
    if not found.open_to(ctx):
        raise NotAllowed(name)
    await found.run(ctx, subject, args)
