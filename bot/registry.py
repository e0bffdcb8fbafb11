"""Every platform of the product, and how its channels are made: one entry each, in one list.

A channel is one sending account. Its name is the platform's (``telegram``), or where a platform has
several accounts ``platform@account``; deliveries, identities and callbacks go by that name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

from bot.channel import Again, Attach, Channel, Doubt, Notes, Store
from bot.platforms.drill.channel import DrillChannel
from bot.platforms.webchat.channel import WebChat
from bot.presenter import Presenter
from bot.tokens import Tokens
from bot.wechat.client import Api, wecom_api
from config.settings import Settings
from config.texts import load_texts
from matrix.ports import Clock, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a channel may be made from, besides the settings.

    ``hello`` is the word that a new follower stands for.
    """

    store: Store
    attach: Attach
    again: Again
    notes: Notes
    tokens: Tokens
    clock: Clock
    ids: Ids
    hello: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One platform: which channels the settings ask for, and how they are made.

    ``posts`` says whether accounts of the matrix can be posted to through it, ``owners`` whether
    what is posted waits for the owner of a group.
    """

    names: Callable[[Settings], Sequence[str]]
    make: Callable[[Settings, Means], Iterable[Channel]]
    posts: bool = True
    owners: bool = False


def _webhook(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.webhook.channel import Webhook

    del means
    hosts = tuple(filter(None, settings.webhook_hosts.split(",")))
    secret = settings.webhook_secret.get_secret_value()
    channel = Webhook(secret, hosts, Doubt(settings.webhook_doubt))
    channel.limits = replace(channel.limits, per_second=settings.webhook_per_second)
    yield channel


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


def _wecom_api(settings: Settings, account: str, secret: SecretStr, means: Means) -> Api:
    return wecom_api(
        account=account, corp_id=settings.wecom_corp_id, secret=secret.get_secret_value(),
        root=settings.wecom_base_url, tokens=means.tokens, now=means.clock.now,
    )  # fmt: skip


def _wecom(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.wecom.channel import WecomChannel
    from bot.platforms.wecom.client import WecomSettings

    account = f"wecom:{settings.wecom_agent_id}"
    told = WecomSettings(
        corp_id=settings.wecom_corp_id,
        agent_id=settings.wecom_agent_id,
        token=settings.wecom_token.get_secret_value(),
        aes_key=settings.wecom_aes_key.get_secret_value(),
        bot_id=settings.wecom_bot_id,
        bot_secret=settings.wecom_bot_secret.get_secret_value(),
        bot_url=settings.wecom_bot_url,
        done=Presenter(texts=load_texts()).text("ui", "card_done"),
    )
    api = None
    if settings.wecom_app:
        api = _wecom_api(settings, account, settings.wecom_secret, means)
    yield WecomChannel(
        told, api, means.store, means.attach, clock=means.clock, ids=means.ids
    )  # fmt: skip


def _wecom_groups(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.wecom_group.channel import WecomGroups

    own = settings.wecom_customer_secret
    account = "wecom:customers" if own.get_secret_value() else f"wecom:{settings.wecom_agent_id}"
    secret = own if own.get_secret_value() else settings.wecom_secret
    yield WecomGroups(_wecom_api(settings, account, secret, means), clock=means.clock)


def _robots(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.dingtalk import channel as dingtalk
    from bot.platforms.feishu import channel as feishu
    from bot.platforms.wecom_robot import channel as wecom_robot
    from bot.robots import Robots, read_robots

    for kind, told in (
        (wecom_robot.kind(settings.wecom_base_url), settings.wecom_robots),
        (dingtalk.kind(settings.dingtalk_base_url), settings.dingtalk_robots),
        (feishu.kind(settings.feishu_base_url), settings.feishu_robots),
    ):
        if robots := read_robots(told.get_secret_value()):
            yield Robots(kind, robots, means.clock)


def _robot_names(settings: Settings) -> list[str]:
    told = {
        "wecom_robot": settings.wecom_robots,
        "dingtalk": settings.dingtalk_robots,
        "feishu": settings.feishu_robots,
    }
    return [name for name, robots in told.items() if robots.get_secret_value()]


def _weibo(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.weibo.channel import Weibo

    del means
    token = settings.weibo_token.get_secret_value()
    yield Weibo(token, settings.weibo_ip, settings.weibo_base_url)


def _email(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.email.channel import Email, MailSettings

    told = MailSettings(
        host=settings.email_host, port=settings.email_port, sender=settings.email_from,
        user=settings.email_user, password=settings.email_password.get_secret_value(),
        tls=settings.email_tls,
    )  # fmt: skip
    yield Email(told, clock=means.clock)


def _official(settings: Settings, means: Means) -> Iterable[Channel]:
    from bot.platforms.wechat_official.account import open_account
    from bot.platforms.wechat_official.channel import OfficialChannel

    for one in settings.wechat_accounts:
        account = open_account(
            one, root=settings.wechat_base_url, tokens=means.tokens, now=means.clock.now
        )
        yield OfficialChannel(
            account, means.store, means.attach, means.again, means.notes,
            clock=means.clock, ids=means.ids, hello=means.hello,
        )  # fmt: skip


ENTRIES = (
    Entry(names=lambda s: ["wecom"] if s.wecom else [], make=_wecom),
    Entry(names=lambda s: ["wecom_group"] if s.wecom_app else [], make=_wecom_groups, owners=True),
    Entry(names=_robot_names, make=_robots),
    Entry(names=lambda s: ["weibo"] if s.weibo_token.get_secret_value() else [], make=_weibo),
    Entry(names=lambda s: ["email"] if s.email_host else [], make=_email),
    Entry(
        names=lambda s: ["webhook"] if s.webhook_secret.get_secret_value() else [],
        make=_webhook,
    ),
    Entry(
        names=lambda s: ["telegram"] if s.telegram_token.get_secret_value() else [],
        make=_telegram,
    ),
    Entry(
        names=lambda s: [f"wechat_official@{one.name}" for one in s.wechat_accounts],
        make=_official,
    ),
    Entry(
        names=lambda s: [WebChat.platform] if s.demonstration else [],
        make=lambda *_: [WebChat()],
        posts=False,
    ),
    # Always there: a drill's direct posts end in it.
    Entry(
        names=lambda _: [DrillChannel.platform],
        make=lambda *_: [DrillChannel()],
        posts=False,
    ),
)


def named(settings: Settings) -> frozenset[str]:
    """All channels that these settings ask for."""
    return frozenset(name for entry in ENTRIES for name in entry.names(settings))


def posting(settings: Settings) -> frozenset[str]:
    """Channels through which accounts can be posted to with these settings."""
    return frozenset(name for entry in ENTRIES if entry.posts for name in entry.names(settings))


def owned(settings: Settings) -> frozenset[str]:
    """Channels where the owner of a group must confirm, with these settings."""
    return frozenset(name for entry in ENTRIES if entry.owners for name in entry.names(settings))


def owners_of(channels: Mapping[str, Channel]) -> frozenset[str]:
    """The same of channels that are there already."""
    return frozenset(name for name, one in channels.items() if one.limits.owners)


def make_channels(settings: Settings, means: Means) -> dict[str, Channel]:
    """The configured channels by name, in and out together; nothing is connected yet."""
    return {
        channel.platform: channel
        for entry in ENTRIES
        if entry.names(settings)
        for channel in entry.make(settings, means)
    }
