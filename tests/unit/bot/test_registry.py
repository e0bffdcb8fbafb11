"""One entry per platform: what is named is what is made."""

from collections.abc import AsyncIterator

import pytest

from bot.means import RandomIds, SystemClock
from bot.registry import ENTRIES, Means, make_channels, posting
from config.settings import Settings, load
from matrix.core.conversation import Inbound

EVERYTHING = {
    "PIYAO_TELEGRAM_TOKEN": "1:a", "PIYAO_WEBHOOK_SECRET": "s" * 20, "PIYAO_WEBCHAT": "on",
}  # fmt: skip


async def _store(message: Inbound) -> bool:
    raise AssertionError(message)


async def _attach(data: bytes, name: str) -> str:
    raise AssertionError(name)


MEANS = Means(store=_store, attach=_attach, clock=SystemClock(), ids=RandomIds())


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
        (load(EVERYTHING), frozenset({"telegram", "webhook"})),
    ],
)
def test_accounts_are_posted_to_through_what_can_post(
    settings: Settings, posts: frozenset[str]
) -> None:
    assert posting(settings) == posts


def test_without_settings_there_is_the_demonstration_only() -> None:
    assert list(make_channels(load({}), MEANS)) == ["webchat"]
    assert not make_channels(load({"PIYAO_WEBCHAT": "off"}), MEANS)
