"""Token buckets as pure values: when may the next message go."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Window:
    """At most ``limit`` events in any ``seconds``; instants are seconds of one steady clock."""

    limit: int
    seconds: float
    sent: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until one more may go; 0 when at once."""
        while self.sent and self.sent[0] <= now - self.seconds:
            self.sent.popleft()
        if len(self.sent) < self.limit:
            return 0.0
        return self.sent[0] + self.seconds - now

    def take(self, now: float) -> None:
        """One went."""
        self.sent.append(now)


class Pacer:
    """Several windows at once: per account and per chat."""

    def __init__(
        self,
        overall: tuple[tuple[int, float], ...],
        chat: tuple[tuple[int, float], ...],
        crowd: tuple[tuple[int, float], ...] = (),
        crowded: Callable[[str], bool] = bool,
    ) -> None:
        """Windows as (limit, seconds); ``crowd`` holds besides where ``crowded`` does."""
        self._overall = [Window(limit, seconds) for limit, seconds in overall]
        self._chat_shape = chat
        self._crowd_shape = crowd
        self._crowded = crowded
        self._chats: dict[str, list[Window]] = {}

    def wait(self, chat: str, now: float) -> float:
        """Seconds until a message to this chat may go; reserves nothing."""
        return max((w.wait(now) for w in (*self._overall, *self._of(chat))), default=0.0)

    def take(self, chat: str, now: float) -> None:
        """A message to this chat goes now."""
        for window in (*self._overall, *self._of(chat)):
            window.take(now)

    def _of(self, chat: str) -> list[Window]:
        shape = self._chat_shape + (self._crowd_shape if self._crowded(chat) else ())
        if not shape:
            return []
        if len(self._chats) > 10_000:  # noqa: PLR2004
            self._chats.clear()
        return self._chats.setdefault(chat, [Window(n, s) for n, s in shape])
