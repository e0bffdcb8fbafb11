"""What the bench of any channel has: ids, an inbox, files, pauses that pass at once."""

import asyncio

from matrix.core.conversation import Inbound
from matrix.core.errors import Refusal


class ChannelRig:
    """``stored`` by message id; ``refuse_files`` is the key with which files are refused."""

    def __init__(self) -> None:
        self.stored: dict[str, Inbound] = {}
        self.repeats = 0
        self.files: list[tuple[bytes, str]] = []
        self.pauses: list[float] = []
        self.refuse_files = ""
        self._ids = 0
        self._changed = asyncio.Event()

    def new(self) -> str:
        self._ids += 1
        return f"id{self._ids:04}"

    def token(self) -> str:
        return f"t{self.new()}"

    async def store(self, inbound: Inbound) -> bool:
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

    async def heard(self, count: int = 1) -> list[Inbound]:
        """Wait until so many different messages are stored."""
        async with asyncio.timeout(10):
            while len(self.stored) < count:
                self._changed.clear()
                await self._changed.wait()
        return list(self.stored.values())
