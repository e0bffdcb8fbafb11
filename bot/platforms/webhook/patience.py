"""One clock for all calls: a timer for each would cost a tenth of what a call costs."""

import asyncio


class Patience:
    """Ends calls that last longer than ``seconds``, within a quarter more of it.

    A context manager for any number of tasks, each with one call at a time.
    """

    def __init__(self, seconds: float) -> None:
        """Looks only while there are calls."""
        self._seconds = seconds
        self._calls: dict[asyncio.Task[object], float] = {}
        self._over: set[asyncio.Task[object]] = set()
        self._next: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        """The running task begins a call."""
        loop, task = asyncio.get_running_loop(), _running()
        self._calls[task] = loop.time()
        if self._next is None:
            self._next = loop.call_later(self._seconds / 4, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """It is over. Raises TimeoutError when it was ended."""
        task = _running()
        del self._calls[task]
        if task in self._over:
            self._over.discard(task)
            # Cancelled by others besides, it stays cancelled.
            if task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError from None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, began in self._calls.items():
            if now - began > self._seconds and task not in self._over:
                self._over.add(task)
                task.cancel()
        self._next = loop.call_later(self._seconds / 4, self._look) if self._calls else None


def _running() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("calls are made by tasks")
    return task
