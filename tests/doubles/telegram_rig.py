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
from tests.doubles.bot_api import BotApi
from tests.doubles.rig import ChannelRig

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


class Rig(ChannelRig):
    """Clock, ids, store, attach and sleep of one channel; ``stored`` by message id."""

    def __init__(self, api: BotApi, **settings: Any) -> None:
        super().__init__()
        self.api = api
        self.before_store: Callable[[], Awaitable[None]] | None = None
        self.on_pause: Callable[[], Awaitable[None]] | None = None
        defaults = {"token": api.token, "base_url": api.url, "poll": timedelta(seconds=5)}
        self.settings = TelegramSettings(**(defaults | settings))
        self.channel = TelegramChannel(
            self.settings, self.store, self.attach, clock=self, ids=self, sleep=self.sleep
        )

    def now(self) -> datetime:
        return NOW

    async def store(self, inbound: Inbound) -> bool:
        if self.before_store is not None:
            await self.before_store()
        return await super().store(inbound)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.on_pause is not None:
            await self.on_pause()

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
