"""Which deliveries a job of the broadcast lane is for: a stretch of one subject's ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PER_JOB = 200
"""Deliveries per job: what one process holds at once, and what it costs to begin a job anew."""

_LAST = "~"
"""Sorts after every id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Deliveries of ``subject`` whose ids lie between ``first`` and ``last``, both included."""

    subject: str
    first: str = ""
    last: str = _LAST

    @property
    def name(self) -> str:
        """Unique for the same stretch: queued twice it is one job."""
        return f"{self.subject}#{self.first}..{self.last}"


def jobs(subject: str, ids: Sequence[str], size: int = PER_JOB) -> Iterator[Job]:
    """Cover the ids, in their order, each once. ``ids`` ascend."""
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        yield Job(subject=subject, first=some[0], last=some[-1])


def read_job(name: str) -> Job:
    """The job of a name; ``subject#anything`` without a stretch is all of the subject.

    What follows ``@`` only tells repeated jobs apart.
    """
    subject, _, rest = name.partition("#")
    stretch = rest.partition("@")[0]
    first, dots, last = stretch.partition("..")
    return Job(subject=subject, first=first, last=last) if dots else Job(subject=subject)
