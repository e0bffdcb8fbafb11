"""The broadcast lane of one process: jobs share a window, hands and one group-committing writer."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.aside import Aside, Inline
from bot.bundles import by_chat
from bot.sender import Sender
from handlers.context import Context
from handlers.housekeeping import chunks
from handlers.housekeeping.ledger import Result
from handlers.housekeeping.ticking import clock_context
from handlers.services import Services
from matrix.broadcast.plan import Job, read_job
from matrix.core.delivery import Parcel
from matrix.ports import Work

LOG = logging.getLogger("piyao.broadcast")
WINDOW = 200
"""Rows marked and not yet settled at once: what a crash of this process can leave in doubt."""
_HANDS = 64
"""Calls at once: aiohttp gains nothing from more."""
_WORTH = 64
"""Outcomes, or room for rows, that are worth a transaction: more rows share what it costs beside
them, and the rest of the window still keeps all hands busy meanwhile."""
AT_HAND, ALONE_AT_HAND = 3, 8
"""Jobs with rows to mark: more would be held back from other processes, where there are any.

When no more than a third is left more are taken, several at once.
"""
_WISHES = 4
"""Jobs asked for their next rows in one transaction: the end of one is the beginning of another."""
_LINGER = 0.05
"""Seconds that outcomes wait for others, when no new rows are marked with them."""
_AGAIN = 1.0
"""Seconds before the database is tried again."""


def _nobody() -> None:
    """Jobs come by themselves."""


@dataclass(slots=True, eq=False)
class _Open:
    """A job that has not come to its end."""

    job: Job
    ended: asyncio.Future[float | None]
    out: int = 0
    """Rows marked and not yet settled."""
    hungry: bool = True
    """There may be rows to mark now."""
    attempt: str = ""
    """Of a mark without an answer: it may have been written."""
    wait: float | None = None
    """Seconds until rows that were put off are due, as the last mark has found."""


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What one job asks of a transaction: to settle these outcomes, and rows if it wishes."""

    open: _Open
    results: list[Result] = field(default_factory=list)
    attempt: str = ""
    """Under which rows are to be marked; empty when none are wished for."""
    again: bool = False
    """The attempt has been tried before."""
    rows: Sequence[Parcel] = ()
    more: bool = True
    wait: float | None = None
    """The answer: what was marked, whether there may be more, or seconds until there is."""


class Broadcaster:
    """Runs jobs. A row is committed as *sending* before its call, its outcome with later marks."""

    def __init__(
        self,
        services: Services,
        sender: Sender,
        writes: Aside | Inline,
        platforms: Collection[str],
        executor: str,
        at_hand: int = AT_HAND,
    ) -> None:
        """``writes`` is the hand of the ledger, ``executor`` unique to this process."""
        self._at_hand = at_hand
        self._services = services
        self._sender = sender
        self._writes = writes
        self._platforms = platforms
        self._executor = executor
        # Of a line that is slower than the window is wide only so many rows are marked.
        self._bursts = {line: n for line, n in sender.bursts.items() if 0 < n < WINDOW}
        self._lined: Counter[str] = Counter()
        self._jobs: list[_Open] = []
        self._waiting: deque[tuple[_Open, Sequence[Parcel]]] = deque()
        self._results: list[tuple[_Open, Result]] = []
        self._out = 0
        self._hands: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None] | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self.fed: Callable[[], None] = _nobody
        """Told when more jobs are wanted."""
        self.stopping = False

    async def run(self, name: str) -> float | None:
        """A job, until nothing of it is due now, or it is held. Never fails.

        Seconds until something that was put off is due, None when there is nothing.
        """
        one = _Open(read_job(name), asyncio.get_running_loop().create_future())
        self._jobs.append(one)
        self._rouse()
        try:
            # During a stop never: cancelled with the queue, the next process finds the job again.
            return await one.ended
        finally:
            self._jobs.remove(one)

    def wants(self) -> int:
        """How many more jobs would be begun now: one is at hand when the present one ends."""
        ready = sum(self._ready(one) for one in self._jobs)
        return 0 if self.stopping or ready > self._at_hand // 3 else self._at_hand - ready

    def full(self) -> set[str]:
        """Lines of which no more jobs are wanted: what they can send is at hand."""
        at_hand = {one.job.line for one in self._jobs if one.hungry}
        return {line for line in self._bursts if line in at_hand or self._room_of(line) < 1}

    def _ready(self, one: _Open) -> bool:
        slow = one.job.line in self._bursts
        return one.hungry and not (slow and self._room_of(one.job.line) < 1)

    def _room_of(self, line: str) -> int:
        """Rows that a slow line has room for."""
        return self._bursts[line] - self._lined[line]

    async def stop(self) -> None:
        """No more marks; what is marked is sent and written down: cut short it was in doubt."""
        self.stopping = True
        self._sender.close()
        while self._out or self._writer is not None:
            self._settled.clear()
            self._rouse()
            await self._settled.wait()

    # -- hands -------------------------------------------------------------------------------

    def _give(self, one: _Open, rows: Sequence[Parcel]) -> None:
        self._waiting.extend((one, some) for some in by_chat(rows).values())
        for _ in range(min(len(self._waiting), _HANDS - len(self._hands))):
            hand = asyncio.create_task(self._hand())
            self._hands.add(hand)
            hand.add_done_callback(self._hands.discard)

    async def _hand(self) -> None:
        """One call after another, while there are any."""
        while self._waiting:
            one, parcels = self._waiting.popleft()
            for result in await self._sender.send_in_order(parcels):
                self._results.append((one, result))
            self._rouse()

    # -- the writer --------------------------------------------------------------------------

    def _rouse(self) -> None:
        """Let the writer write if it is worth a transaction, else later."""
        if self._writer is not None:
            return
        if self._due():
            self._writer = asyncio.create_task(self._write_all())
        elif self._results and self._lingering is None:
            self._lingering = asyncio.get_running_loop().call_later(_LINGER, self._lingered)

    def _lingered(self) -> None:
        self._lingering = None
        if self._results and self._writer is None:
            self._writer = asyncio.create_task(self._write_all())

    def _due(self) -> bool:
        """A chunk of outcomes or room for one; or nothing that could be waited for."""
        done = len(self._results)
        room = WINDOW - self._out + done
        wished = room >= _WORTH and any(self._ready(one) for one in self._jobs)
        return wished or done >= _WORTH or 0 < done == self._out

    async def _write_all(self) -> None:
        while self._due() or self._results:
            turns, room = self._turns()
            if not await self._written(turns, room):
                await self._apart(turns)
            self._settled.set()
            if not self._due():
                break
        self._writer = None
        self._rouse()

    def _turns(self) -> tuple[list[_Turn], int]:
        """What is to be written now, by jobs, and how many rows may be marked with it."""
        turns: dict[_Open, _Turn] = {}
        for one, result in self._results:
            if one not in turns:
                turns[one] = _Turn(open=one)
            turns[one].results.append(result)
        room = WINDOW - self._out + len(self._results)
        self._results = []
        if room >= _WORTH:
            for one in [each for each in self._jobs if self._ready(each)][:_WISHES]:
                turn = turns.setdefault(one, _Turn(open=one))
                turn.again = bool(one.attempt)
                turn.attempt = one.attempt = one.attempt or self._services.ids.new()
        return list(turns.values()), room

    async def _apart(self, turns: Sequence[_Turn]) -> None:
        """One that cannot be written must not keep the others from being written."""
        failed = False
        for turn in turns:
            room = WINDOW - self._out + len(turn.results)
            if not await self._written([turn], room):
                # What was sent must not be forgotten.
                self._results.extend((turn.open, one) for one in turn.results)
                failed = True
        if failed:
            await asyncio.sleep(_AGAIN)

    async def _written(self, turns: Sequence[_Turn], room: int) -> bool:
        try:
            rooms = {line: self._room_of(line) for line in self._bursts}
            await self._writes.write(partial(self._settle_and_claim, turns, room, rooms))
        except Exception:
            LOG.exception("%d chunks could not be written", len(turns))
            for turn in turns:
                # Or they were, and the answer was lost: the attempt finds what it has marked.
                turn.again = bool(turn.attempt)
            return False
        for turn in turns:
            self._follow(turn)
        return True

    def _follow(self, turn: _Turn) -> None:
        """A transaction was committed: what it has marked goes out, what has ended ends."""
        one, change = turn.open, len(turn.rows) - len(turn.results)
        one.out += change
        self._out += change
        self._lined[one.job.line] += change
        if turn.attempt:
            one.attempt, one.hungry, one.wait = "", turn.more, turn.wait
            if not self._ready(one):
                self.fed()
        # Something was put off, perhaps for a moment only.
        one.hungry |= any(result.error is not None for result in turn.results)
        self._give(one, turn.rows)
        over = not (one.out or one.hungry or self.stopping)
        if over and not one.ended.done():
            one.ended.set_result(one.wait)

    # -- in the transaction, in the ledger's thread ---------------------------------------------

    async def _settle_and_claim(
        self, turns: Sequence[_Turn], room: int, rooms: Mapping[str, int], work: Work
    ) -> None:
        lines = dict(rooms)
        ctx = clock_context(self._services, work)
        if results := [one for turn in turns for one in turn.results]:
            await chunks.settle(ctx, results, self._sender.doubts)
        for turn in turns:
            if turn.attempt:
                turn.rows, turn.more, turn.wait = (), True, None
                line = turn.open.job.line
                await self._claim(ctx, turn, min(room, lines.get(line, room)))
                room -= len(turn.rows)
                if line in lines:
                    lines[line] -= len(turn.rows)

    async def _claim(self, ctx: Context, turn: _Turn, room: int) -> None:
        job = turn.open.job
        if turn.again and (rows := await chunks.marked(ctx, job, turn.attempt)):
            turn.rows = rows
            return
        if self.stopping or await chunks.held(ctx, job.subject):
            turn.more = False
            return
        if room < 1:
            return
        claimed = await chunks.claim(ctx, job, self._platforms, self._executor, turn.attempt, room)
        turn.rows, turn.more = claimed.going, claimed.full
        if turn.again:
            # The commit that nobody answered may have come through only now.
            turn.rows = await chunks.marked(ctx, job, turn.attempt)
        if not turn.more:
            due = await chunks.next_due(ctx, job, self._platforms)
            turn.wait = None if due is None else max(0.0, (due - ctx.at).total_seconds())
