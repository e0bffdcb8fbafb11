"""The port to whatever finds the claims worth comparing with a text, and keeps their wording."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from matrix.matching.terms import Rarity
from matrix.matching.verdicts import Candidate

__all__ = ["CandidateIndex", "IndexLostError"]


class IndexLostError(RuntimeError):
    """What the index kept is gone; it is open again and empty, and wants a rebuild."""


class CandidateIndex(Rarity, Protocol):
    """A derived thing: it only proposes, and can be thrown away and rebuilt at any time.

    Changes become visible at `commit`, all at once. Calls come from one thread at a time.
    """

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        ...

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add claims; one with the same id takes the place of the older.

        Raises:
            IndexLostError: see there.
        """
        ...

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims; unknown ids are nothing to remove.

        Raises:
            IndexLostError: see there.
        """
        ...

    def clear(self) -> None:
        """Remove every claim; the first step of a rebuild."""
        ...

    def commit(self) -> None:
        """Make every change since the last commit visible.

        Raises:
            IndexLostError: see there.
        """
        ...

    def settle(self) -> bool:
        """Whether all that is visible would outlive the process; goes on with what is put off.

        Raises:
            IndexLostError: see there.
        """
        ...

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims for a *normalised* text, best first, with scores above 0.

        What they are ordered by is the index's own affair; scores compare within one answer only.
        """
        ...

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims as they were put, in normal form; unknown ids are left out.

        Whether a claim may answer is not kept here: that is read from the database.
        """
        ...

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry this *canonical* link, in no order."""
        ...

    def search_key(self, key: str) -> Sequence[str]:
        """Claims whose normalised title has this key, in no order."""
        ...
