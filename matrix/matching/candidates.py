"""The port to whatever finds the claims worth comparing with a text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from matrix.matching.terms import Rarity

__all__ = ["CandidateIndex", "IndexDocument", "IndexLostError"]


class IndexLostError(RuntimeError):
    """What the index kept is gone; it is open again and empty, and wants a rebuild."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """What the index needs of a claim; raw texts, the index normalises them itself."""

    id: str
    title: str
    rebuttal: str = ""
    urls: tuple[str, ...] = ()


class CandidateIndex(Rarity, Protocol):
    """A derived thing: it only proposes, and can be thrown away and rebuilt at any time.

    Changes become visible at `commit`, all at once. Calls come from one thread at a time.
    """

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        ...

    def put(self, documents: Iterable[IndexDocument]) -> None:
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

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims for a *normalised* text, best first, scores above 0.

        Scores compare within one answer only.
        """
        ...

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry this *canonical* link, in no order."""
        ...

    def search_key(self, key: str) -> Sequence[str]:
        """Claims whose normalised title has this key, in no order."""
        ...
