"""Pacing as pure values: when may one more message go, so that no limit is ever passed.

A message arrives somewhere between the instant at which it is sent and that at which its answer is
here, and nobody knows when. It therefore counts from the first until a window's length after the
second: then no window of the receiver, wherever it begins, holds more messages than the limit.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Window = tuple[int, float]
"""At most so many messages in any so many seconds."""

# The share of an account's budget that the broadcast lane leaves to people who wait for an answer.
_SPARED = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message to a chat: under way while ``ended`` is None, else when its answer came.

    Instants are seconds of one steady clock. A ``rest`` is no message: until ``ended`` nothing goes
    to the chat, or where that is empty to anybody.
    """

    chat: str
    ended: float | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody wants to send to a chat; ``broadcast`` leaves some of the budget to others."""

    chat: str
    broadcast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one account may send: windows overall, per chat, and per chat that is ``crowded``."""

    overall: tuple[Window, ...] = ()
    chat: tuple[Window, ...] = ()
    crowd: tuple[Window, ...] = ()
    crowded: Callable[[str], bool] = bool

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return bool(self.overall or self.chat or self.crowd)

    @property
    def reach(self) -> float:
        """Seconds for which an ended message may count for others."""
        return max((seconds for _, seconds in self.overall), default=0.0)

    @property
    def chat_reach(self) -> float:
        """Seconds for which an ended message may count for others of its chat."""
        return max((seconds for _, seconds in (*self.chat, *self.crowd)), default=0.0)

    @property
    def between(self) -> float:
        """Seconds from one message to the next when many wait: how a queue moves on."""
        return max((seconds / limit for limit, seconds in self.overall), default=0.0)

    def within(self, seconds: float) -> int:
        """How many messages of a broadcast go in so long, at least one; 0 when any number may."""
        return max(1, int(seconds * (1 - _SPARED) / self.between)) if self.between else 0

    def wait(self, turns: Sequence[Turn], ask: Ask, now: float) -> float:
        """Seconds until it may go: 0 at once, infinite while only an answer can tell."""
        same = [turn for turn in turns if turn.chat == ask.chat]
        least = _rests(turns, ask.chat, now)
        for limit, seconds in self.overall:
            kept = math.ceil(limit * _SPARED) if ask.broadcast and limit > 1 else 0
            least = max(least, _wait(turns, limit - kept, seconds, now))
        for limit, seconds in self.chat + (self.crowd if self.crowded(ask.chat) else ()):
            least = max(least, _wait(same, limit, seconds, now))
        return least

    def grant(self, turns: Sequence[Turn], asks: Sequence[Ask], now: float) -> list[float]:
        """What each may do, in their order; those who may go (0) count for those behind them."""
        known = list(turns)
        waits = []
        for ask in asks:
            wait = self.wait(known, ask, now)
            if not wait:
                known.append(Turn(chat=ask.chat))
            waits.append(wait)
        return waits


def _rests(turns: Iterable[Turn], chat: str, now: float) -> float:
    rests = (turn.ended for turn in turns if turn.rest and turn.chat in {"", chat} and turn.ended)
    return max(0.0, max(rests, default=now) - now)


def _wait(turns: Iterable[Turn], limit: int, seconds: float, now: float) -> float:
    """Until fewer than ``limit`` of the turns count."""
    counting = [
        turn.ended
        for turn in turns
        if not turn.rest and (turn.ended is None or turn.ended > now - seconds)
    ]
    if len(counting) < limit:
        return 0.0
    ended = sorted(one for one in counting if one is not None)
    too_many = len(counting) - limit
    return ended[too_many] + seconds - now if too_many < len(ended) else math.inf


class Pacer:
    """The turns of one account in one process, forgotten when they count no more."""

    def __init__(self, pace: Pace) -> None:
        """Nothing has been sent."""
        self.pace = pace
        self._under_way: list[Turn] = []
        self._ended: deque[Turn] = deque()
        self._rests: list[Turn] = []

    def grant(self, asks: Sequence[Ask], now: float) -> list[float]:
        """See ``Pace.grant``; who may go is under way from now on."""
        self._forget(now)
        waits = self.pace.grant((*self._under_way, *self._ended, *self._rests), asks, now)
        for ask, wait in zip(asks, waits, strict=True):
            if not wait:
                self.begin(ask.chat)
        return waits

    def recall(self, turns: Iterable[Turn]) -> None:
        """Turns of a former life, ended all of them."""
        known = [*self._ended, *turns]
        self._ended = deque(sorted(known, key=lambda one: one.ended or 0))

    def begin(self, chat: str) -> None:
        """A message to this chat goes now."""
        self._under_way.append(Turn(chat=chat))

    def wait(self, chat: str, now: float) -> float:
        """Seconds until a message to this chat may go; reserves nothing."""
        self._forget(now)
        return self.pace.wait((*self._under_way, *self._ended, *self._rests), Ask(chat=chat), now)

    def end(self, chat: str, now: float) -> None:
        """A message to this chat was answered, or is given up."""
        self._under_way.remove(Turn(chat=chat))
        self._ended.append(Turn(chat=chat, ended=now))

    def rest(self, chat: str, until: float) -> None:
        """Nothing more to this chat, or to anybody where it is empty, until then."""
        self._rests.append(Turn(chat=chat, ended=until, rest=True))

    def _forget(self, now: float) -> None:
        oldest = now - max(self.pace.reach, self.pace.chat_reach)
        while self._ended and (self._ended[0].ended or 0) <= oldest:
            self._ended.popleft()
        self._rests = [one for one in self._rests if (one.ended or 0) > now]
