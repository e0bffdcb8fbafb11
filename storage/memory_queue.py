"""The working double of the broadcast lane's queue."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from storage.queue import JobRunner, once_committed


class MemoryQueue:
    """Jobs in memory: for journeys. Committed jobs wait until ``drain`` runs them."""

    def __init__(self) -> None:
        """Nothing waits."""
        self.waiting: list[str] = []
        self._later: list[str] = []
        self._known: set[str] = set()

    def put(self, connection: Connection, job: str, subjects: Sequence[str]) -> None:
        """Queue once per subject, when the transaction commits."""
        once_committed(connection, partial(self._kept, job, list(subjects)))

    def _kept(self, job: str, subjects: Sequence[str]) -> None:
        for subject in subjects:
            if (name := f"{job}:{subject}") not in self._known:
                self._known.add(name)
                self.waiting.append(subject)

    @staticmethod
    def fault() -> str:
        """Nothing can be wrong with it."""
        return ""

    async def depth(self) -> int:
        """Jobs that wait."""
        return len(self.waiting) + len(self._later)

    async def prune(self, before: datetime) -> int:
        """What is done is forgotten at once."""
        del before
        return 0

    async def drain(self, run: JobRunner) -> bool:
        """Run what waits, and once more what was to go on later; whether anything has moved."""
        later, self._later = self._later, []
        self._later = [one for one in later if await run(one) is not None]
        moved = bool(self.waiting) or len(self._later) < len(later)
        while self.waiting:
            if await run(one := self.waiting.pop(0)) is not None:
                self._later.append(one)
        return moved
