"""The gate before a sending account: who wants to send waits here, in order, for their turn."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from bot.channel import Limits
from matrix.broadcast.pacing import Ask, Pace, Pacer, Turn, Window
from matrix.core.errors import DeliveryError

LOG = logging.getLogger("piyao.gate")
PATIENCE = 2.0
"""Seconds a message that is marked may wait here; longer, it goes back into the ledger: what waits
for its account must not keep the hands of all others."""
_FRESH = 5.0
"""Seconds for which a turn holds: who slept through it, suspended, asks again."""
_LOOK = 0.05
"""Seconds after which a shared budget is asked again when only others' answers can tell."""
_LATER = 1.0
"""Seconds after which a budget that could not be asked is asked again."""
_STRETCH = 1.01
"""No two clocks run alike: our seconds are a hundredth longer than the platform's."""


def pace_of(limits: Limits) -> Pace:
    """The windows of a platform."""
    overall = _window(limits.per_second, 1.0) + _window(limits.per_minute, 60.0)
    return Pace(
        overall=overall,
        chat=_window(limits.chat_per_second, 1.0),
        crowd=_window(limits.chat_per_minute, 60.0),
        crowded=limits.crowded,
    )


def _window(limit: float, seconds: float) -> tuple[Window, ...]:
    return ((max(1, int(limit)), seconds * _STRETCH),) if limit else ()


class Budget(Protocol):
    """What an account has sent, in every process that sends for it."""

    async def take(self, ended: Sequence[str], asks: Sequence[Ask]) -> Sequence[tuple[str, float]]:
        """Some turns have ended; for each ask a turn's name, or none and how long to wait."""

    async def rest(self, chat: str, seconds: float) -> None:
        """Nothing more to the chat, or to anybody where it is empty."""


class OwnBudget:
    """The budget of a process that sends alone."""

    def __init__(self, pace: Pace, sent: Iterable[tuple[str, float]] = ()) -> None:
        """``sent`` is what its predecessor sent: to which chat, how many seconds ago."""
        self._pacer = Pacer(pace)
        now = time.monotonic()
        self._pacer.recall(Turn(chat=chat, ended=now - age) for chat, age in sent)
        self._chats: dict[str, str] = {}
        self._count = 0

    async def take(self, ended: Sequence[str], asks: Sequence[Ask]) -> Sequence[tuple[str, float]]:
        """See ``Budget``."""
        now = time.monotonic()
        for name in ended:
            self._pacer.end(self._chats.pop(name), now)
        return [
            ("" if wait else self._name(ask.chat), wait)
            for ask, wait in zip(asks, self._pacer.grant(asks, now), strict=True)
        ]

    def _name(self, chat: str) -> str:
        self._count += 1
        self._chats[str(self._count)] = chat
        return str(self._count)

    async def rest(self, chat: str, seconds: float) -> None:
        """See ``Budget``."""
        self._pacer.rest(chat, time.monotonic() + seconds)


@dataclass(slots=True, eq=False)
class _Waiting:
    ask: Ask
    since: float
    patient: bool
    asked: float = 0.0
    """When the budget was asked that has let it through."""
    turn: asyncio.Future[str] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Gate:
    """Lets the messages of one account through as its budget allows."""

    def __init__(self, pace: Pace, budget: Budget) -> None:
        """Nobody waits."""
        self.pace = pace
        self._budget = budget
        # What went to a chat from here: a person's next message is not even marked before its time.
        self._own = Pacer(replace(pace, overall=()))
        self._queue: list[_Waiting] = []
        self._ended: list[str] = []
        self._news = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closing = False

    @asynccontextmanager
    async def turn(self, ask: Ask, *, patient: bool = False) -> AsyncIterator[None]:
        """One message may go while this is open.

        ``patient`` waits however long it takes: the first part of the message is out.

        Raises:
            DeliveryError: it would take too long, or the process stops; nothing was sent.
        """
        name = await self._enter(ask, patient=patient)
        self._own.begin(ask.chat)
        try:
            yield
        finally:
            self._own.end(ask.chat, time.monotonic())
            self._ended.append(name)
            self._rouse()

    async def rest(self, chat: str, seconds: float) -> None:
        """The platform has said: slow down. Never fails: the message's own outcome is kept."""
        try:
            await self._budget.rest(chat, seconds)
        except Exception:
            LOG.exception("a rest could not be told to the other processes")

    def rests(self, chat: str) -> float:
        """Seconds until the chat may get its next message, as far as this process knows."""
        return self._own.wait(chat, time.monotonic())

    def close(self) -> None:
        """The process stops: who waits goes back into the ledger at once."""
        self._closing = True
        self._rouse()

    async def aclose(self) -> None:
        """What has ended is told to the others."""
        self.close()
        if self._keeper is not None:
            await self._keeper

    async def _enter(self, ask: Ask, *, patient: bool) -> str:
        while True:
            waiting = _Waiting(ask, time.monotonic(), patient)
            self._queue.append(waiting)
            self._rouse()
            try:
                name = await waiting.turn
            except asyncio.CancelledError:
                self._give_up(waiting)
                raise
            if time.monotonic() - waiting.asked < _FRESH:
                return name
            # Suspended with the turn in hand: others may have been let through meanwhile.
            self._ended.append(name)

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)
        elif waiting.turn.done() and not waiting.turn.cancelled():
            self._ended.append(waiting.turn.result())
            self._rouse()

    def _rouse(self) -> None:
        self._news.set()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Ask the budget while anybody waits or something has ended."""
        try:
            while self._queue or self._ended:
                self._news.clear()
                nap = await self._round()
                if self._queue and nap > 0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(nap):
                            await self._news.wait()
        finally:
            self._keeper = None

    async def _round(self) -> float:
        """Let through who may go, send back who would wait too long; seconds until the next."""
        if self._closing:
            self._send_back([one for one in self._queue if not one.patient], "stopping")
        ended, self._ended = self._ended, []
        asked, began = list(self._queue), time.monotonic()
        try:
            answers = await self._budget.take(ended, [one.ask for one in asked])
        except Exception:
            LOG.exception("the budget of an account cannot be asked")
            self._ended = [*ended, *self._ended]
            self._send_back([one for one in asked if one.since < began - PATIENCE], "paced", _LATER)
            return _LATER
        waits: list[float] = []
        for one, (name, wait) in zip(asked, answers, strict=True):
            expected = wait + len(waits) * self.pace.between
            if name:
                self._let_through(one, name, began)
            elif expected > PATIENCE and not one.patient and math.isfinite(wait):
                self._send_back([one], "paced", expected)
            else:
                waits.append(wait)
        return min([_LOOK if math.isinf(one) else max(one, 0.001) for one in waits], default=0.0)

    def _let_through(self, one: _Waiting, name: str, asked: float) -> None:
        if one in self._queue and not one.turn.done():
            self._queue.remove(one)
            one.asked = asked
            one.turn.set_result(name)
        else:
            # Given up while the budget was asked.
            self._ended.append(name)

    def _send_back(self, some: Sequence[_Waiting], why: str, seconds: float = 0.0) -> None:
        for one in some:
            if one in self._queue:
                self._queue.remove(one)
            if not one.turn.done():
                error = DeliveryError(why, retry_after=timedelta(seconds=seconds))
                one.turn.set_exception(error)
