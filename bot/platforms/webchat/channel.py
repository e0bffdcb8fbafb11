"""The web chat as a channel: what the ledger calls sent is what the page shows."""

import asyncio

from bot.channel import Doubt, Limits, Markup, Outgoing


class WebChat:
    """Implements ``bot.channel.Channel``. A person's chat is named by the person's id."""

    platform = "webchat"
    limits = Limits(
        # Ours: what one bubble shows comfortably; counted in characters.
        text=6000,
        measure=len,
        markup=Markup.HTML,
        buttons=True,
        # The message is a row of the same database: sending again shows the same row.
        doubt=Doubt.KEY,
        edits=True,
    )

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: set[asyncio.Event] = set()
        self.closing = False
        """No news will come: who waits for some goes on without."""

    def close(self) -> None:
        """Let everybody go who waits."""
        self.closing = True
        for listener in self._listeners:
            listener.set()

    async def send(self, message: Outgoing) -> str:
        """Wake the open pages; the row itself is the message."""
        for listener in self._listeners:
            listener.set()
        return message.key

    async def posted(self, message: Outgoing) -> None:
        """Nothing is asked: the row itself is the message."""
        del message

    async def run(self) -> None:
        """Messages come through the API."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Always there."""
        return ""

    def listen(self) -> asyncio.Event:
        """An event that is set whenever something was sent."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        """Stop listening."""
        self._listeners.discard(event)
