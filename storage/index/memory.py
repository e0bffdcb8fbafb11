"""A small candidate index in plain Python: for tests, and for a handful of claims."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from matrix.matching.candidates import IndexDocument
from matrix.matching.terms import terms
from storage.index.documents import Entry, entry_of

__all__ = ["MemoryIndex"]

# The title is what the claim says; the rebuttal only helps to find it.
_TITLE_WEIGHT = 2.0
# Even a term that every claim has is a reason to look.
_FLOOR = 0.01


class MemoryIndex:
    """A `CandidateIndex` that looks at every claim for every search."""

    def __init__(self) -> None:
        self._kept: dict[str, Entry] = {}
        self._seen: dict[str, Entry] = {}
        self._frequency: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        return len(self._seen)

    def put(self, documents: Iterable[IndexDocument]) -> None:
        """Add or replace claims."""
        self._kept.update((document.id, entry_of(document)) for document in documents)

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims."""
        for name in ids:
            self._kept.pop(name, None)

    def clear(self) -> None:
        """Remove every claim."""
        self._kept.clear()

    def commit(self) -> None:
        """Show the changes to searches."""
        self._seen = dict(self._kept)
        self._frequency = Counter(
            term for entry in self._seen.values() for term in {*entry.title, *entry.rebuttal}
        )

    def rarity(self, term: str) -> float:
        """How much a term tells."""
        return math.log((self.count + 1) / (self._frequency[term] + 1))

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims, best first."""
        asked = {term: self.rarity(term) + _FLOOR for term in terms(text)}
        scored = [(name, _overlap(asked, entry)) for name, entry in self._seen.items()]
        found = sorted((pair for pair in scored if pair[1] > 0), key=lambda pair: -pair[1])
        return found[:limit]

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return [name for name, entry in self._seen.items() if url in entry.urls]

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return [name for name, entry in self._seen.items() if key == entry.key]


def _overlap(asked: dict[str, float], entry: Entry) -> float:
    title = sum(asked.get(term, 0.0) for term in set(entry.title)) * _TITLE_WEIGHT
    rebuttal = sum(asked.get(term, 0.0) for term in set(entry.rebuttal))
    return title / math.sqrt(len(entry.title) + 1) + rebuttal / math.sqrt(len(entry.rebuttal) + 1)
