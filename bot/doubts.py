"""What the platforms of this process promise about repeats."""

from collections.abc import Mapping
from datetime import datetime

from bot.channel import Channel, Doubt, Limits
from handlers.housekeeping.ledger import LAST_TRY, Doubts


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


def written(created_at: datetime, now: datetime, limits: Limits) -> datetime:
    """The instant of which a message's words speak ("4 hours left").

    Where a platform forgets keys it knows a repeat by its words: they are the same at every try,
    while a key lasts and for the last try that is made within it.
    """
    lasts = limits.key_lasts
    fixed = lasts is not None and now - created_at < lasts + LAST_TRY
    return created_at if fixed else now
