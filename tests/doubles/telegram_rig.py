"""A Telegram channel on the bench: real client, server double, ledger in memory, no sleeping."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channel import Outgoing
from bot.platforms.telegram.channel import TelegramChannel
from bot.platforms.telegram.client import TelegramSettings
from matrix.core.conversation import Inbound
from matrix.core.errors import Refusal
from tests.doubles.bot_api import BotApi

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


class Rig:
    """Clock, ids, store, attach and sleep of one channel; ``stored`` by message id."""

    def __init__(self, api: BotApi, **settings: Any) -> None:
        self.api = api
        self.stored: dict[str, Inbound] = {}
        self.repeats = 0
        self.files: list[tuple[bytes, str]] = []
        self.pauses: list[float] = []
        self.before_store: Callable[[], Awaitable[None]] | None = None
        self.on_pause: Callable[[], Awaitable[None]] | None = None
        self.refuse_files = ""
        self._ids = 0
        self._changed = asyncio.Event()
        defaults = {"token": api.token, "base_url": api.url, "poll": timedelta(seconds=5)}
        self.settings = TelegramSettings(**(defaults | settings))
        self.channel = TelegramChannel(
            self.settings, self.store, self.attach, clock=self, ids=self, sleep=self.sleep
        )

    def now(self) -> datetime:
        return NOW

    def new(self) -> str:
        self._ids += 1
        return f"id{self._ids:04}"

    def token(self) -> str:
        return f"t{self.new()}"

    async def store(self, inbound: Inbound) -> bool:
        if self.before_store is not None:
            await self.before_store()
        fresh = inbound.message_id not in self.stored
        self.repeats += not fresh
        self.stored.setdefault(inbound.message_id, inbound)
        self._changed.set()
        return fresh

    async def attach(self, content: bytes, name: str) -> str:
        if self.refuse_files:
            raise Refusal(self.refuse_files)
        self.files.append((content, name))
        return f"a{len(self.files)}"

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)
        if self.on_pause is not None:
            await self.on_pause()

    async def heard(self, count: int = 1) -> list[Inbound]:
        """Wait until so many different messages are stored."""
        async with asyncio.timeout(10):
            while len(self.stored) < count:
                self._changed.clear()
                await self._changed.wait()
        return list(self.stored.values())

    async def hears(self) -> Inbound | None:
        """Everything pushed so far is taken and confirmed; the last message stored."""
        last = self.api.updates[-1]["update_id"]
        async with self.receiving():
            await self.api.until(lambda: self.api.confirmed >= last)
        return list(self.stored.values())[-1] if self.stored else None

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.channel.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def send(self, text: str = "好", address: str = "42", **fields: Any) -> str:
        return await self.channel.send(Outgoing(key="k", address=address, text=text, **fields))


@asynccontextmanager
async def rigged(api: BotApi, **settings: Any) -> AsyncIterator[Rig]:
    rig = Rig(api, **settings)
    try:
        yield rig
    finally:
        await rig.channel.aclose()


@asynccontextmanager
async def directly(monkeypatch: Any) -> AsyncIterator[BotApi]:
    """A server double that is reached without the proxy of the machine the tests run on."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with BotApi() as server:
        yield server
