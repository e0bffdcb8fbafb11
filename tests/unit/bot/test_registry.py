"""One entry per platform: what is named is what is made."""

import json
from collections.abc import AsyncIterator

import pytest

from bot.channel import Limits
from bot.journal import Journal
from bot.means import KeySealer, RandomIds, SystemClock
from bot.registry import ENTRIES, Means, make_channels, posting
from bot.tokens import Tokens
from config.settings import Settings, load
from matrix.core.conversation import Inbound
from storage.engine import open_engine
from storage.unit_of_work import SqlStore

OFFICIAL = {
    "name": "jb", "app_id": "wx0123456789", "secret": "s" * 32, "token": "callback",
    "aes_key": "k" * 43,
}  # fmt: skip
EVERYTHING = {
    "PIYAO_TELEGRAM_TOKEN": "1:a", "PIYAO_WEBHOOK_SECRET": "s" * 20, "PIYAO_WEBCHAT": "on",
    "PIYAO_WECHAT_ACCOUNTS": json.dumps([OFFICIAL]),
    "PIYAO_WECOM_CORP_ID": "ww1", "PIYAO_WECOM_AGENT_ID": "1000002", "PIYAO_WECOM_SECRET": "s" * 32,
    "PIYAO_WECOM_TOKEN": "t", "PIYAO_WECOM_AES_KEY": "k" * 43, "PIYAO_WECOM_BOT_ID": "b",
    "PIYAO_WECOM_BOT_SECRET": "s", "PIYAO_WECOM_ROBOTS": "a=k", "PIYAO_DINGTALK_ROBOTS": "a=t:s",
    "PIYAO_FEISHU_ROBOTS": "a=t:s", "PIYAO_WEIBO_TOKEN": "w", "PIYAO_WEIBO_IP": "192.0.2.1",
    "PIYAO_EMAIL_HOST": "mail.example", "PIYAO_EMAIL_FROM": "a@b.example",
}  # fmt: skip


async def _store(message: Inbound) -> bool:
    raise AssertionError(message)


async def _attach(data: bytes, name: str) -> str:
    raise AssertionError(name)


async def _again(message: Inbound, limits: Limits) -> str:
    raise AssertionError(message, limits)


CLOCK = SystemClock()
STORE = SqlStore(open_engine("sqlite:///nowhere.db"))
MEANS = Means(
    store=_store, attach=_attach, again=_again, notes=Journal(STORE, "post"), clock=CLOCK,
    tokens=Tokens(STORE.engine, KeySealer("k" * 40), "here"), ids=RandomIds(), hello="帮助",
)  # fmt: skip


@pytest.fixture
async def made() -> AsyncIterator[dict[str, object]]:
    channels = make_channels(load(EVERYTHING), MEANS)
    yield dict(channels)
    for one in channels.values():
        if hasattr(one, "aclose"):
            await one.aclose()


async def test_every_name_is_made_and_nothing_else(made: dict[str, object]) -> None:
    settings = load(EVERYTHING)
    named = [name for entry in ENTRIES for name in entry.names(settings)]
    assert sorted(made) == sorted(named), "a channel under a name that nobody announced"
    assert len(set(named)) == len(named)
    assert all(entry.names(settings) for entry in ENTRIES), "add its settings to EVERYTHING"


@pytest.mark.parametrize(
    ("settings", "posts"),
    [
        (load({}), frozenset()),
        (
            load(EVERYTHING),
            frozenset(
                {
                    "telegram",
                    "webhook",
                    "wechat_official@jb",
                    "wecom",
                    "wecom_group",
                    "wecom_robot",
                    "dingtalk",
                    "feishu",
                    "weibo",
                    "email",
                }
            ),
        ),
    ],
)
def test_accounts_are_posted_to_through_what_can_post(
    settings: Settings, posts: frozenset[str]
) -> None:
    assert posting(settings) == posts


def test_without_settings_there_is_the_demonstration_and_the_drill_only() -> None:
    assert list(make_channels(load({}), MEANS)) == ["webchat", "drill"]
    assert list(make_channels(load({"PIYAO_WEBCHAT": "off"}), MEANS)) == ["drill"]
