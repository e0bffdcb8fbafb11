"""A thread of its own for the ledger of the broadcast lane, with a connection of its own.

While many messages are being sent, one turn of the main loop takes milliseconds, and every
statement of a transaction would wait for two such turns.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from matrix.ports import Work
from storage.direct import DirectStore
from storage.unit_of_work import JobSink, SqlStore

T = TypeVar("T")
InWork = Callable[[Work], Awaitable[T]]


class Aside:
    """Runs writing transactions in the other thread, one after another. ``close`` ends it."""

    def __init__(self, url: str, jobs: JobSink) -> None:
        """Starts the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ledger", daemon=True)
        self._thread.start()
        self._store = DirectStore(url, jobs)

    async def write(self, body: InWork[T]) -> T:
        """Run ``body`` in a writing transaction there and commit."""
        work = _committed(self._store.work, body)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def close(self) -> None:
        """Close the connections, end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()
        self._store.close()


class Inline:
    """The same on the store of this loop: where no clock but the test's own runs."""

    def __init__(self, store: SqlStore) -> None:
        """Nothing to start."""
        self._store = store

    async def write(self, body: InWork[T]) -> T:
        """Run ``body`` in a writing transaction and commit."""
        return await _committed(self._store.work, body)

    async def close(self) -> None:
        """Nothing to end."""


async def _committed(opened: Callable[[], AbstractAsyncContextManager[Work]], body: InWork[T]) -> T:
    async with opened() as work:
        result = await body(work)
        await work.commit()
    return result
