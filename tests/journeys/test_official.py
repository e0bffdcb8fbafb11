"""The story through an official account: the real client and callbacks against a server double."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.clock import FakeClock
from tests.doubles.official_account import OfficialAccountServer
from tests.journeys.official_play import (
    Chat,
    post_through_it,
    receiving,
    settings_for,
)
from tests.journeys.play import FIRED
from tests.journeys.telegram_play import RUMOR, concluded, filed, invitations


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OfficialAccountServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with OfficialAccountServer() as server:
        yield server


@pytest.fixture
async def chat(api: OfficialAccountServer, tmp_path: Path) -> AsyncIterator[Chat]:
    async for one in staged(api, tmp_path):
        yield one


async def staged(
    api: OfficialAccountServer, folder: Path, **account: object
) -> AsyncIterator[Chat]:
    clock_file = folder / "clock"
    clock = FakeClock()
    clock_file.write_text(clock.now().isoformat())
    settings = settings_for(api, folder, **account)
    codes = await invitations(settings.model_copy(update={"test_clock": str(clock_file)}))
    await post_through_it(settings)
    async with receiving(api, settings, clock) as chat:
        chat.channel._patience = 30.0
        for name, code in codes.items():
            assert name in await chat.say(name, code)
        yield chat
        async with chat.parts.store.read() as work:
            events = await work.events()
        FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)


async def test_an_answer_comes_back_in_the_response(chat: Chat) -> None:
    said = await chat.say("王芳", RUMOR)
    assert "收到，线索 1109-01" in said
    assert chat.to("王芳")[-1].way == "reply"


async def test_the_story_until_publication(chat: Chat) -> None:
    await filed(chat)
    await concluded(chat)
    assert await chat.states("bulletins") == ["current"]
