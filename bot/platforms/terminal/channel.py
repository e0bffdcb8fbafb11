"""The terminal as a channel: what is sent is printed."""

import asyncio
from collections.abc import Callable

from bot.channel import Doubt, Limits, Markup, Outgoing


class Terminal:
    """Implements ``bot.channel.Channel`` for one person at a keyboard."""

    platform = "terminal"
    limits = Limits(
        # Ours: a screenful is split by the terminal itself.
        text=20_000,
        measure=len,
        markup=Markup.PLAIN,
        buttons=False,
        # Printing twice does no harm: the reader sees that it is the same.
        doubt=Doubt.KEY,
    )

    def __init__(self, show: Callable[[str], None]) -> None:
        """``show`` prints."""
        self._show = show

    async def send(self, message: Outgoing) -> str:
        """Print it."""
        self._show(message.text)
        return message.key

    async def posted(self, message: Outgoing) -> None:
        """Nothing is asked: it is printed again."""
        del message

    async def run(self) -> None:
        """Lines come from the session."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Always there."""
        return ""
