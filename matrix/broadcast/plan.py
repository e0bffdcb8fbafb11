"""Which deliveries a job of the broadcast lane is for: a stretch of one subject's ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PER_JOB = 200
"""Deliveries per job: what one process holds at once, and what it costs to begin a job anew."""

_LAST = "~"
"""Sorts after every id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Deliveries of ``subject`` whose ids lie between ``first`` and ``last``, both included.

    ``line`` is the platform that sends them, empty where that is not known. ``turn`` only tells
    repeated jobs apart.
    """

    subject: str
    first: str = ""
    last: str = _LAST
    line: str = ""
    turn: str = ""

    @property
    def name(self) -> str:
        """Unique for the same stretch: queued twice it is one job."""
        turn = f"@{self.turn}" if self.turn else ""
        return f"{self.subject}#{self.first}..{self.last}{turn}>{self.line}"


def jobs(
    subject: str, ids: Sequence[str], line: str = "", *, turn: str = "", size: int = PER_JOB
) -> Iterator[Job]:
    """Cover the ids, in their order, each once. ``ids`` ascend."""
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        yield Job(subject=subject, first=some[0], last=some[-1], line=line, turn=turn)


def read_job(name: str) -> Job:
    """The job of a name; ``subject#anything`` without a stretch is all of the subject."""
    subject, _, rest = name.partition("#")
    stretch, _, line = rest.partition(">")
    stretch, _, turn = stretch.partition("@")
    first, dots, last = stretch.partition("..")
    if not dots:
        return Job(subject=subject, line=line, turn=turn)
    return Job(subject=subject, first=first, last=last, line=line, turn=turn)
