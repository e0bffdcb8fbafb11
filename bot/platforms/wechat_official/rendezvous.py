"""Where an answer meets the request that waits for it, and the same answer for a repeat.

An official account's message is an HTTP request that may be answered in its response. The request
waits here under its message id; whoever sends the answer finds it by ``Outgoing.answers``.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

# Answers kept for repeats: three tries of five seconds each, at 200 messages a second.
KEPT = 5000
# Requests that wait at once. More means that answers take long: the rest are told "success" at
# once and get theirs as a customer-service message, so that every request stays short.
WAITING = 8
# Seconds for which nobody waits after an answer was late: at 200 a second the few that try again
# stay far below one in a hundred.
RECOVERY = 15.0


class Rendezvous:
    """In one process: it receives the callbacks and holds the channel."""

    def __init__(self, waiting: int = WAITING) -> None:
        """Nobody waits."""
        self._most = waiting
        self._late_until = 0.0
        self._open: dict[str, asyncio.Future[str]] = {}
        self._callers: dict[str, int] = {}
        self._given: OrderedDict[str, str] = OrderedDict()

    def crowded(self, now: float) -> bool:
        """Whether one more should not wait: many do, or an answer was late just now."""
        return len(self._open) >= self._most or now < self._late_until

    def late(self, now: float) -> None:
        """A request has waited in vain: for a while the next need not try. ``now`` in seconds."""
        self._late_until = now + RECOVERY

    @contextmanager
    def waiting(self, message_id: str) -> Iterator[asyncio.Future[str]]:
        """A request waits for the answer to its message; several tries of one share it."""
        future = self._open.setdefault(message_id, asyncio.get_running_loop().create_future())
        self._callers[message_id] = self._callers.get(message_id, 0) + 1
        try:
            yield future
        finally:
            self._callers[message_id] -= 1
            if not self._callers[message_id]:
                del self._callers[message_id], self._open[message_id]
                future.cancel()

    def give(self, message_id: str, text: str) -> bool:
        """Answer the request that waits; False when none does, or it has its answer."""
        future = self._open.get(message_id)
        if future is None or future.done():
            return False
        future.set_result(text)
        self.remember(message_id, text)
        return True

    def remember(self, message_id: str, text: str) -> None:
        """What a repeat is told."""
        self._given[message_id] = text
        while len(self._given) > KEPT:
            self._given.popitem(last=False)

    def given(self, message_id: str) -> str | None:
        """What was answered to this message in a response of this process."""
        return self._given.get(message_id)
