"""A WeCom channel on the bench: real client, server double, ledger in memory, no sleeping."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.channel import Answer, Call, Outgoing, Press
from bot.means import KeySealer
from bot.platforms.wecom.channel import WecomChannel
from bot.platforms.wecom.client import WecomSettings
from bot.tokens import Tokens
from bot.wechat.client import wecom_api
from matrix.core.conversation import Inbound
from storage.engine import open_engine
from storage.migrate import upgrade
from tests.doubles.rig import ChannelRig
from tests.doubles.wecom_bot import WeComBot
from tests.doubles.wecom_server import WeCom


class Rig(ChannelRig):
    """Clock, ids, store, attach of one channel; ``stored`` by message id."""

    def __init__(
        self, tokens: Tokens | None, api: WeCom | None, bot: WeComBot | None, **more: Any
    ) -> None:
        super().__init__()
        self.api, self.bot = api, bot
        self.fail_store = 0
        self.passed = timedelta()
        app: dict[str, Any] = {}
        if api is not None:
            app = {
                "corp_id": api.corp, "agent_id": api.agent, "token": api.token,
                "aes_key": api.aes_key,
            }  # fmt: skip
            api.deliver = self.deliver
        if bot is not None:
            app |= {"bot_id": bot.bot, "bot_secret": bot.secret, "bot_url": bot.url}
        made = None
        if api is not None and tokens is not None:
            made = wecom_api(
                account="wecom:test", corp_id=api.corp, secret=api.secret, root=api.url,
                tokens=tokens, now=self.now,
            )  # fmt: skip
        self.channel = WecomChannel(
            WecomSettings(**(app | {"done": "已处理"} | more)), made, self.store, self.attach,
            clock=self, ids=self, sleep=self.sleep,
        )  # fmt: skip

    def now(self) -> datetime:
        return datetime(2026, 11, 9, 7, 5, tzinfo=UTC) + self.passed

    async def deliver(self, query: dict[str, str], body: bytes) -> int:
        return (await self.call(query, body)).status

    async def call(self, query: dict[str, str], body: bytes, method: str = "POST") -> Answer:
        return await self.channel.called(Call(method=method, query=query, headers={}, body=body))

    async def store(self, inbound: Inbound) -> bool:
        if self.fail_store:
            self.fail_store -= 1
            raise OSError("locked")
        return await super().store(inbound)

    async def say(self, text: str = "好", to: str = "wangfang", **fields: Any) -> str:
        return await self.channel.send(
            Outgoing(**({"key": "k1", "address": to, "text": text} | fields))
        )

    async def up(self) -> None:
        """The bot's line is ready."""
        assert self.channel.line is not None
        async with asyncio.timeout(10):
            while self.channel.line.fault:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def listening(self, *, up: bool = True) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.channel.run())
        try:
            if up:
                await self.up()
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def presses(*labels: str) -> tuple[Press, ...]:
    return tuple(Press(token=f"tok{n}", label=label, number=n) for n, label in enumerate(labels, 1))


@cache
def _empty_database() -> Path:
    """Made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="piyao-tokens-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder / 'tokens.db'}")
    return folder / "tokens.db"


@asynccontextmanager
async def token_store(folder: Path) -> AsyncIterator[Tokens]:
    """Tokens in a database of their own."""
    folder.mkdir(exist_ok=True)
    shutil.copy(await asyncio.to_thread(_empty_database), folder / "tokens.db")
    engine = open_engine(f"sqlite:///{folder / 'tokens.db'}")
    try:
        yield Tokens(engine, KeySealer("k" * 40), "test")
    finally:
        await engine.dispose()


def without_proxy(monkeypatch: Any) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
