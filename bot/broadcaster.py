"""The broadcast lane of one process: jobs share a window and one group-committing writer."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from bot.aside import Aside, Inline
from bot.sender import Sender, by_chat
from handlers.context import Context
from handlers.housekeeping import chunks
from handlers.housekeeping.ledger import CHUNK, Result
from handlers.housekeeping.ticking import clock_context
from handlers.services import Services
from matrix.broadcast.plan import Job, read_job
from matrix.core.delivery import Delivery
from matrix.ports import Work

LOG = logging.getLogger("piyao.broadcast")
WINDOW = 200
"""Rows marked and not yet settled at once: what a crash of this process can leave in doubt."""
_HANDS = 16
"""Calls at once for one chunk: with four chunks in the window 64, as many as aiohttp gains from."""
_AGAIN = 1.0
"""Seconds before the database is tried again."""


class _NotWrittenError(Exception):
    """The database did not take a chunk now."""


@dataclass(slots=True)
class _Turn:
    """Outcomes of the last chunk and, unless the job ends here, the wish for the next."""

    job: Job
    results: Sequence[Result]
    attempt: str
    again: bool = False
    claimed: asyncio.Future[list[Delivery]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Broadcaster:
    """Runs jobs. A row is committed as *sending* before its call, its outcome with the next."""

    def __init__(
        self,
        services: Services,
        sender: Sender,
        writes: Aside | Inline,
        platforms: Collection[str],
        executor: str,
        patience: timedelta = chunks.LATER,
    ) -> None:
        """``patience`` is how long a job waits for rows that were put off."""
        self._services = services
        self._sender = sender
        self._writes = writes
        self._platforms = platforms
        self._executor = executor
        self._patience = patience
        self._slots = asyncio.Semaphore(WINDOW // CHUNK)
        self._turns: list[_Turn] = []
        self._writer: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self.stopping = False

    async def run(self, name: str) -> None:
        """A job, to its end: nothing of it is due now, or it is held. Never fails."""
        job = read_job(name)
        while True:
            async with self._slots:
                task = asyncio.create_task(self._stretch(job))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
                # A stop waits for the chunk in hand: cut short it would be in doubt.
                await asyncio.shield(task)
            if self.stopping:
                # Not at its end: cancelled with the queue, the next process finds the job again.
                await asyncio.Event().wait()
            wait = await self._wait(job)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def stop(self) -> None:
        """No more chunks; those in hand are sent and written down."""
        self.stopping = True
        self._sender.close()
        while self._working:
            await asyncio.wait(list(self._working))

    async def _stretch(self, job: Job) -> None:
        """Chunk after chunk, until none is due."""
        chunk = await self._turn(job, ())
        while chunk:
            chunk = await self._turn(job, await self._send(chunk))

    async def _send(self, chunk: Sequence[Delivery]) -> list[Result]:
        results: list[Result] = []
        waiting = iter(by_chat(chunk).values())

        async def hand() -> None:
            for some in waiting:
                results.extend(await self._sender.send_in_order(some))

        await asyncio.gather(*(hand() for _ in range(min(_HANDS, len(chunk)))))
        return results

    async def _turn(self, job: Job, results: Sequence[Result]) -> list[Delivery]:
        """Settle, and claim the next chunk, in one transaction with all who wait for the same.

        Tried until the database takes it: what was sent must not be forgotten.
        """
        attempt, again = self._services.ids.new(), False
        while True:
            turn = _Turn(job, results, attempt, again)
            self._turns.append(turn)
            if self._writer is None:
                self._writer = asyncio.create_task(self._write_all())
            try:
                return await turn.claimed
            except _NotWrittenError:
                again = True
                await asyncio.sleep(_AGAIN)

    async def _write_all(self) -> None:
        while self._turns:
            turns, self._turns = self._turns, []
            # One that cannot be written must not keep the others from being written.
            if not await self._written(turns):
                for turn in turns:
                    if not await self._written([turn]):
                        turn.claimed.set_exception(_NotWrittenError())
        self._writer = None

    async def _written(self, turns: Sequence[_Turn]) -> bool:
        try:
            await self._write(turns)
        except Exception:
            LOG.exception("%d chunks could not be written", len(turns))
            for turn in turns:
                # Or it was, and the answer was lost: the same attempt finds what it has marked.
                turn.again = True
            return False
        return True

    async def _write(self, turns: Sequence[_Turn]) -> None:
        claimed = await self._writes.write(partial(self._settle_and_claim, turns))
        for turn, rows in zip(turns, claimed, strict=True):
            turn.claimed.set_result(rows)

    async def _settle_and_claim(self, turns: Sequence[_Turn], work: Work) -> list[list[Delivery]]:
        ctx = clock_context(self._services, work)
        if results := [one for turn in turns for one in turn.results]:
            await chunks.settle(ctx, results, self._sender.doubts)
        held = {
            subject: self.stopping or await chunks.held(ctx, subject)
            for subject in {turn.job.subject for turn in turns}
        }
        return [[] if held[turn.job.subject] else await self._claim(ctx, turn) for turn in turns]

    async def _claim(self, ctx: Context, turn: _Turn) -> list[Delivery]:
        marked = await chunks.marked(ctx, turn.job, turn.attempt) if turn.again else []
        return marked or await chunks.claim(
            ctx, turn.job, self._platforms, self._executor, turn.attempt
        )

    async def _wait(self, job: Job) -> float | None:
        """Seconds until a row that was put off is due; None where the job ends."""
        try:
            async with self._services.store.read() as work:
                ctx = clock_context(self._services, work)
                if await chunks.held(ctx, job.subject):
                    return None
                due = await chunks.next_due(ctx, job, self._platforms)
        except Exception:
            LOG.exception("the end of a job of %s", job.subject)
            return _AGAIN
        if due is None or due - ctx.at > self._patience:
            return None
        return max(0.02, (due - ctx.at).total_seconds())
