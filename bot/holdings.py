"""What this process alone may do now: the channels that it receives from, the clock's sweep.

Several processes of a role may run; one has the lease of each thing, the others stand by and take
it 30 s after the holder's last heartbeat. On SQLite there is one process, which has everything.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection

from sqlalchemy.ext.asyncio import AsyncEngine

from storage import leases

LENGTH = 30.0
"""Seconds for which a lease holds without a heartbeat, as ``ledger.GRACE`` for executors."""
_MARGIN = 5.0
"""Seconds by which the holder lets go before others may take it."""
_LOOK = 0.5
CLOCK = "clock"


class Holdings:
    """Leases by name; ``engine`` None has everything."""

    def __init__(self, engine: AsyncEngine | None, wanted: Collection[str], executor: str) -> None:
        """Nothing is held before the first ``renew``."""
        self._engine = engine
        self._wanted = frozenset(wanted)
        self._executor = executor
        self._mine: frozenset[str] = frozenset()
        self._until = 0.0

    def held(self, name: str) -> bool:
        """Whether it is ours now. A process that was suspended finds out here, by itself."""
        if self._engine is None:
            return True
        return name in self._mine and time.monotonic() < self._until

    def lines(self) -> Collection[str] | None:
        """What is held now; None where everything is."""
        if self._engine is None:
            return None
        return [name for name in self._mine if self.held(name)]

    async def renew(self) -> None:
        """Prolong what is ours, take what is free."""
        if self._engine is None or not self._wanted:
            return
        began = time.monotonic()
        self._mine = await leases.take(self._engine, self._wanted, self._executor, LENGTH)
        self._until = began + LENGTH - _MARGIN

    async def release(self) -> None:
        """An orderly stop: who stands by may begin at its next heartbeat."""
        self._mine = frozenset()
        if self._engine is not None and self._wanted:
            await leases.release(self._engine, self._executor)

    async def during(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run it whenever the thing is ours; it is cancelled when it is lost."""
        while True:
            await self._until_held(name, held=True)
            task = asyncio.ensure_future(run())
            try:
                await self._until_held(name, held=False)
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _until_held(self, name: str, *, held: bool) -> None:
        while self.held(name) is not held:  # noqa: ASYNC110 # time passes, nobody tells
            await asyncio.sleep(_LOOK)
