"""APScheduler as a clock only: ticks, nothing kept in it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

LOG = logging.getLogger("piyao.scheduler")
Tick = Callable[[], Awaitable[None]]


class Ticker:
    """Runs coroutines at intervals; one that fails is logged and runs again next time."""

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[str] = set()

    def every(self, seconds: float, name: str, tick: Tick) -> None:
        """Run ``tick`` every so many seconds, never twice at once."""

        async def guarded() -> None:
            if name in self._running:
                return
            self._running.add(name)
            try:
                await tick()
            except asyncio.CancelledError:
                # Cut short by a stop: what it had not committed is done at the next start. Raised,
                # the scheduler would log it as a fault, with all its lines.
                if self._scheduler.running:
                    raise
            except Exception:
                LOG.exception("tick %s", name)
            finally:
                self._running.discard(name)

        self._scheduler.add_job(
            guarded, IntervalTrigger(seconds=seconds), id=name, coalesce=True, misfire_grace_time=60
        )

    def start(self) -> None:
        """Begin, inside the running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """No more ticks."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


async def to_its_end(turn: Coroutine[Any, Any, int]) -> int:
    """A stop waits for the turn in hand: cut short it would forget what was sent or claimed."""
    task = asyncio.create_task(turn)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Gathered:
    """Calls once, a moment later, for all who have asked by then."""

    def __init__(self, call: Callable[[], None], seconds: float) -> None:
        """Nothing is asked for yet."""
        self._call, self._seconds = call, seconds
        self._timer: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """From within the loop."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        self._call()
