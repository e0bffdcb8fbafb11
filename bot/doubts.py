"""What the platforms of this process promise about repeats."""

from collections.abc import Mapping

from bot.channel import Channel, Doubt
from handlers.housekeeping.ledger import Doubts


def doubts_of(channels: Mapping[str, Channel]) -> Doubts:
    """Which platforms take a key, and which can be asked."""

    def names(doubt: Doubt) -> frozenset[str]:
        return frozenset(name for name, one in channels.items() if one.limits.doubt is doubt)

    keyless = {name: one.limits.keyless for name, one in channels.items()}
    lasting = {name: one.limits.key_lasts for name, one in channels.items()}
    return Doubts(
        keyed=names(Doubt.KEY), readable=names(Doubt.VERIFY), keyless=keyless,
        key_lasts={name: lasts for name, lasts in lasting.items() if lasts is not None},
    )  # fmt: skip
