"""Every platform of the product, and how its channels are made: one entry each, in one list.

A channel is one sending account. Its name is the platform's (``telegram``), or where a platform has
several accounts ``platform@account``; deliveries, identities and callbacks go by that name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.channel import Attach, Channel, Doubt, Store
from bot.platforms.webchat.channel import WebChat
from config.settings import Settings
from matrix.ports import Clock, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a channel may be made from, besides the settings."""

    store: Store
    attach: Attach
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One platform: which channels the settings ask for, and how they are made.

    ``posts`` says whether accounts of the matrix can be posted to through it.
    """

    names: Callable[[Settings], Sequence[str]]
    make: Callable[[Settings, Means], Iterable[Channel]]
    posts: bool = True


def _webhook(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.webhook.channel import Webhook

    del means
    hosts = tuple(filter(None, settings.webhook_hosts.split(",")))
    secret = settings.webhook_secret.get_secret_value()
    yield Webhook(secret, hosts, Doubt(settings.webhook_doubt))


def _telegram(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.telegram.channel import TelegramChannel
    from bot.platforms.telegram.client import TelegramSettings

    told = TelegramSettings(
        token=settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_base_url,
        webhook_url=settings.telegram_webhook_url,
        webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
    )
    yield TelegramChannel(told, means.store, means.attach, clock=means.clock, ids=means.ids)


ENTRIES = (
    Entry(
        names=lambda s: ["webhook"] if s.webhook_secret.get_secret_value() else [],
        make=_webhook,
    ),
    Entry(
        names=lambda s: ["telegram"] if s.telegram_token.get_secret_value() else [],
        make=_telegram,
    ),
    Entry(
        names=lambda s: [WebChat.platform] if s.demonstration else [],
        make=lambda *_: [WebChat()],
        posts=False,
    ),
)


def named(settings: Settings) -> frozenset[str]:
    """All channels that these settings ask for."""
    return frozenset(name for entry in ENTRIES for name in entry.names(settings))


def posting(settings: Settings) -> frozenset[str]:
    """Channels through which accounts can be posted to with these settings."""
    return frozenset(name for entry in ENTRIES if entry.posts for name in entry.names(settings))


def make_channels(settings: Settings, means: Means) -> dict[str, Channel]:
    """The configured channels by name, in and out together; nothing is connected yet."""
    return {
        channel.platform: channel
        for entry in ENTRIES
        if entry.names(settings)
        for channel in entry.make(settings, means)
    }
