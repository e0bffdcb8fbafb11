"""A channel that does what it was told per address, and remembers what it has sent."""

from collections.abc import Mapping

from bot.channel import Doubt, Limits, Markup, Outgoing
from matrix.core.errors import DeliveryError


class ToldChannel:
    """A text message service. ``verdicts`` by address: ``refuse``, ``lose``, else accepted."""

    platform = "sms"
    limits = Limits(
        text=2000, measure=len, markup=Markup.PLAIN, buttons=False, doubt=Doubt.HOLD, edits=False
    )

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {}
        self.sent: list[Outgoing] = []

    async def send(self, message: Outgoing) -> str:
        verdict = self.verdicts.get(message.address, "")
        if verdict == "refuse":
            raise DeliveryError("blocked", permanent=True)
        if verdict == "lose":
            raise DeliveryError("no-answer", unknown=True)
        self.sent.append(message)
        return message.key

    def texts(self, address: str) -> list[str]:
        return [one.text for one in self.sent if one.address == address]

    async def posted(self, message: Outgoing) -> None:
        return None

    async def run(self) -> None:
        return

    async def ping(self) -> str:
        return ""


def told(channel: ToldChannel) -> Mapping[str, ToldChannel]:
    return {channel.platform: channel}
