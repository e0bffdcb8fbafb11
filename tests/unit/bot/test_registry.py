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
        (load(EVERYTHING), frozenset({"telegram", "webhook", "wechat_official@jb"})),
    ],
)
def test_accounts_are_posted_to_through_what_can_post(
    settings: Settings, posts: frozenset[str]
) -> None:
    assert posting(settings) == posts


def test_without_settings_there_is_the_demonstration_only() -> None:
    assert list(make_channels(load({}), MEANS)) == ["webchat"]
    assert not make_channels(load({"PIYAO_WEBCHAT": "off"}), MEANS)
