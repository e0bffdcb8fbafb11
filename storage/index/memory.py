"""A small candidate index in plain Python: for tests, and for a handful of claims."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from matrix.matching.terms import terms
from matrix.matching.verdicts import Candidate
from storage.index.documents import Entry, entry_of, rarity_of

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

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add or replace claims."""
        self._kept.update((claim.id, entry_of(claim)) for claim in claims)

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
        return rarity_of(self._frequency[term], self.count)

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims, best first."""
        asked = {term: self.rarity(term) + _FLOOR for term in terms(text)}
        scored = [(name, _overlap(asked, entry)) for name, entry in self._seen.items()]
        found = sorted((pair for pair in scored if pair[1] > 0), key=lambda pair: -pair[1])
        return found[:limit]

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims with these ids."""
        return [self._seen[one].claim for one in ids if one in self._seen]

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return [name for name, entry in self._seen.items() if url in entry.claim.urls]

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return [name for name, entry in self._seen.items() if key == entry.key]


def _overlap(asked: dict[str, float], entry: Entry) -> float:
    title = sum(asked.get(term, 0.0) for term in set(entry.title)) * _TITLE_WEIGHT
    rebuttal = sum(asked.get(term, 0.0) for term in set(entry.rebuttal))
    return title / math.sqrt(len(entry.title) + 1) + rebuttal / math.sqrt(len(entry.rebuttal) + 1)
