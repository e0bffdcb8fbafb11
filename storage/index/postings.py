"""An inverted index in memory: claims by their terms, scored by BM25 as tantivy scores them."""

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from matrix.matching.verdicts import Candidate
from storage.index.documents import BOOSTS, Asked, Entry, entry_of

__all__ = ["Postings"]

# The parameters of BM25 that tantivy has built in.
_K1, _B = 1.2, 0.75
# A posting is the claim's place and, in its low bits, how often it has the term.
_BITS, _MOST = 8, 255
# Claims that were removed are cleared away when they are half of all, and no fewer than this.
_DEAD = 64


class Postings:
    """Some hundred to some ten thousand claims; a change costs as much as the claim is long.

    Statistics of the library these claims belong to are the caller's: a part of a library scores
    as it would inside the whole.
    """

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def lengths(self) -> tuple[int, int]:
        """Terms in all titles, and in all rebuttals."""
        title, rebuttal = self._fields
        return title.total, rebuttal.total

    def put(self, entry: Entry) -> None:
        """Add a claim; one with the same id makes room."""
        self.drop(entry.claim.id)
        place = self._places[entry.claim.id] = len(self._claims)
        self._claims.append(entry.claim)
        for field, terms in zip(self._fields, (entry.title, entry.rebuttal), strict=True):
            field.add(place, terms)
        self._keys.setdefault(entry.key, []).append(place)
        for url in entry.claim.urls:
            self._links.setdefault(url, []).append(place)

    def drop(self, name: str) -> None:
        """Remove a claim, if it is there."""
        place = self._places.pop(name, None)
        if place is None:
            return
        self._claims[place] = None
        for field in self._fields:
            field.remove(place)
        if len(self._claims) - len(self._places) > max(_DEAD, len(self._places)):
            self._tidy()

    def clear(self) -> None:
        """Remove every claim."""
        self._places: dict[str, int] = {}
        self._claims: list[Candidate | None] = []
        self._keys: dict[str, list[int]] = {}
        self._links: dict[str, list[int]] = {}
        self._fields = (_Field(), _Field())

    def counts(self, term: str) -> tuple[int, int]:
        """How many claims have the term in title and rebuttal; removed ones may count."""
        title, rebuttal = self._fields
        return title.count(term), rebuttal.count(term)

    def search(
        self, asked: Sequence[Asked], claims: int, averages: Sequence[float], limit: int
    ) -> list[tuple[str, float]]:
        """The best of these, given the library's size and its texts' average lengths."""
        scores = self._scores(asked, claims, averages)
        best = np.argsort(-scores, kind="stable")[:limit]
        return [
            (one.id, float(scores[at]))
            for at in best
            if scores[at] > 0 and (one := self._claims[at]) is not None
        ]

    def _scores(
        self, asked: Sequence[Asked], claims: int, averages: Sequence[float]
    ) -> NDArray[np.float64]:
        scores = np.zeros(len(self._claims))
        seen = [one.title for one in asked], [one.rebuttal for one in asked]
        for field, boost, average, counts in zip(self._fields, BOOSTS, averages, seen, strict=True):
            terms = [
                (one.term, one.weight * boost * _idf(count, claims))
                for one, count in zip(asked, counts, strict=True)
            ]
            field.score(scores, terms, average)
        return scores

    def read(self, name: str) -> Candidate | None:
        """A claim by its id."""
        place = self._places.get(name)
        return None if place is None else self._claims[place]

    def by_key(self, key: str) -> list[str]:
        """Claims with this key."""
        return self._alive(self._keys.get(key, ()))

    def by_link(self, url: str) -> list[str]:
        """Claims with this link."""
        return self._alive(self._links.get(url, ()))

    def _alive(self, places: Iterable[int]) -> list[str]:
        return [one.id for at in places if (one := self._claims[at]) is not None]

    def _tidy(self) -> None:
        kept = [one for one in self._claims if one is not None]
        self.clear()
        for claim in kept:
            self.put(entry_of(claim))


class _Field:
    """The postings of one field."""

    def __init__(self) -> None:
        self.total = 0
        self._lengths = array("d")
        self._norms = array("d")
        self._postings: dict[str, array[int]] = {}

    def add(self, place: int, terms: Sequence[str]) -> None:
        self.total += len(terms)
        self._lengths.append(len(terms))
        self._norms.append(_kept_length(len(terms)))
        often: dict[str, int] = {}
        for term in terms:
            often[term] = often.get(term, 0) + 1
        for term, times in often.items():
            posting = self._postings.get(term)
            if posting is None:
                posting = self._postings[term] = array("Q")
            posting.append(place << _BITS | min(times, _MOST))

    def remove(self, place: int) -> None:
        self.total -= int(self._lengths[place])
        # In an endless text a term counts for nothing.
        self._norms[place] = math.inf

    def count(self, term: str) -> int:
        return len(self._postings.get(term, ()))

    def score(
        self, scores: NDArray[np.float64], asked: Iterable[tuple[str, float]], average: float
    ) -> None:
        """Add what each claim's field scores."""
        norms = _K1 * (1 - _B + _B * np.frombuffer(self._norms) / max(average, 1e-6))
        for term, weight in asked:
            posting = self._postings.get(term)
            if posting is not None:
                packed = np.frombuffer(posting, dtype=np.uint64)
                at = (packed >> np.uint64(_BITS)).astype(np.intp)
                times = (packed & np.uint64(_MOST)).astype(np.float64)
                scores[at] += weight * times / (times + norms[at])


def _idf(seen: int, claims: int) -> float:
    """With the constant factor of BM25."""
    return (_K1 + 1) * math.log(1 + (max(0, claims - seen) + 0.5) / (seen + 0.5))


def _kept_length(length: int) -> int:
    """A length as tantivy keeps it, in one byte: exact up to 40, then to three leading bits."""
    rest = length - 24
    if rest < 16:  # noqa: PLR2004 - four bits
        return length
    cut = rest.bit_length() - 4
    return 24 + (rest >> cut << cut)
