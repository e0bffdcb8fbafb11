"""An assembly with nobody in it, and messages that come in one by one or together."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from bot.assembly import assemble
from bot.parts import Parts
from config.settings import load
from matrix.core.conversation import Inbound
from matrix.core.events import Event
from tests.doubles.channels import ToldChannel, told
from tests.doubles.clock import FakeClock

RUMOR = "听说全区路灯明天起全部关掉，晚上不要出门"


class Desk:
    """A district without anybody, open to the public, and a text message service."""

    def __init__(self, parts: Parts, clock: FakeClock, channel: ToldChannel) -> None:
        self.parts, self.clock, self.channel = parts, clock, channel

    def message(self, number: int = 1, text: str = RUMOR, **fields: Any) -> Inbound:
        given = {
            "id": self.parts.services.ids.new(), "platform": "sms", "message_id": f"m{number}",
            "external": f"p{number}", "chat": f"p{number}", "text": text,
            "received_at": self.clock.now(),
        }  # fmt: skip
        return Inbound(**(given | fields))

    async def keep(self, *numbers: int, **fields: Any) -> None:
        for number in numbers:
            assert await self.parts.dispatcher.store(self.message(number, **fields))

    async def settle(self) -> None:
        while await self.parts.dispatcher.step():
            pass
        while await self.parts.sender.pump():
            pass

    async def count(self, kind: str, **criteria: Any) -> int:
        async with self.parts.store.read() as work:
            return int(await getattr(work, kind).count(**criteria))

    async def inbox(self, number: int = 1) -> Inbound:
        async with self.parts.store.read() as work:
            found = await work.inbox.one(message_id=f"m{number}")
        assert found is not None
        return found

    async def events(self, kind: str) -> list[Event]:
        async with self.parts.store.read() as work:
            return list(await work.events(entity=kind))

    async def sql(self, statement: str) -> None:
        async with self.parts.store.engine.begin() as connection:
            await connection.execute(text(statement))

    def said(self, number: int = 1) -> list[str]:
        return self.channel.texts(f"p{number}")

    @contextlib.contextmanager
    def every_connection(self, *pragmas: str) -> Iterator[None]:
        """Pragmas of single connections, on each that is taken from the pool."""

        def set_all(connection: Any, record: object, proxy: object) -> None:
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        engine = self.parts.store.engine.sync_engine
        event.listen(engine, "checkout", set_all)
        try:
            yield
        finally:
            event.remove(engine, "checkout", set_all)


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock | None = None, **more: str) -> AsyncIterator[Desk]:
    clock, channel = clock or FakeClock(), ToldChannel()
    settings = load({"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off"} | more)
    made = assemble(settings, clock=clock, durable=False, channels=told(channel))
    async with made as parts:
        yield Desk(parts, clock, channel)
