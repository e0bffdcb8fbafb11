"""The channel of a drill takes every post and carries none of them anywhere."""

import asyncio

from bot.channel import Doubt, Limits, Markup, Outgoing
from matrix.core import drill


class DrillChannel:
    """Implements ``bot.channel.Channel`` without a network."""

    platform = drill.PLATFORM
    limits = Limits(
        # Ours: no platform's limit applies to what is not sent.
        text=20_000,
        measure=len,
        markup=Markup.PLAIN,
        buttons=False,
        doubt=Doubt.KEY,
    )

    async def send(self, message: Outgoing) -> str:
        """Take it; the id tells that it was a drill."""
        return f"{drill.PLATFORM}:{message.key}"

    async def posted(self, message: Outgoing) -> str | None:
        """Whatever was sent is there."""
        return f"{drill.PLATFORM}:{message.key}"

    async def run(self) -> None:
        """Nothing comes in."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Always there."""
        return ""
