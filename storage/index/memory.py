"""A candidate index in memory: for what comes and goes, for tests, and for small libraries."""

from collections.abc import Iterable, Sequence

from matrix.matching.verdicts import Candidate
from storage.index.documents import Entry, Rarities, entry_of, short_key, telling
from storage.index.postings import Postings

__all__ = ["MemoryIndex"]


class MemoryIndex:
    """A `CandidateIndex` that is gone with the process; a commit costs next to nothing."""

    def __init__(self) -> None:
        self._kept = Postings()
        self._changes: dict[str, Entry | None] = {}
        self._cleared = False
        self._look()

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        return len(self._kept)

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add or replace claims."""
        self._changes.update((claim.id, entry_of(claim)) for claim in claims)

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims."""
        self._changes.update(dict.fromkeys(ids))

    def clear(self) -> None:
        """Remove every claim."""
        self._changes.clear()
        self._cleared = True

    def commit(self) -> None:
        """Show the changes to searches."""
        if self._cleared:
            self._kept = Postings()
        for name, entry in self._changes.items():
            if entry is None:
                self._kept.drop(name)
            else:
                self._kept.put(entry)
        self._changes.clear()
        self._cleared = False
        self._look()

    def settle(self) -> bool:
        """There is nothing to keep."""
        return True

    def rarity(self, term: str) -> float:
        """How much a term tells."""
        return self._told[term]

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims first."""
        averages = [total / max(1, self.count) for total in self._kept.lengths]
        asked = telling(text, self._told)
        return self._kept.search(asked, self.count, averages, limit)

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims with these ids."""
        return [one for one in map(self._kept.read, ids) if one is not None]

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return self._kept.by_link(url)

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return self._kept.by_key(short_key(key))

    def _look(self) -> None:
        self._told = Rarities(self._kept.counts, self.count)
