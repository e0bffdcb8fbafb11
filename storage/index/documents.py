"""A claim as every index keeps it, and what every index weighs terms by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from sys import intern
from typing import Final, NamedTuple

from matrix.matching.terms import terms
from matrix.matching.text import canonical_url, normalise
from matrix.matching.verdicts import Candidate

__all__ = [
    "BOOSTS", "Asked", "Counts", "Entry", "Rarities", "entry_of", "rarity_of", "short_key",
    "telling",
]  # fmt: skip

Counts = Callable[[str], tuple[int, int]]
"""How many claims have a term in their title, and how many in their rebuttal."""

BOOSTS: Final = (2.0, 1.5)
"""The title is what the claim says; the rebuttal often quotes how it was told."""

# Claims that a library counts as at least.
_FEW = 50
# The commonest terms cost most and say least: the rarest are asked for, up to so many claims that
# have them (a library of 15,000 is never cut short; a million costs four times less), but no fewer
# than some.
_TERMS, _POSTINGS, _FEWEST = 150, 200_000, 12
# What every claim has tells nothing, and yet where there is nothing else it finds something.
_LEAST = 0.01
# Rarities remembered: what some thousand claims need, some 30 MB.
_REMEMBERED = 150_000
# What one claim in so many has is asked for by every text: its counts are kept as well. Few terms
# are; most of what a long text is made of is.
_ONE_IN = 1000
# Characters of a key that the indexes look up by; equality is judged on the texts.
_KEY = 24


class Asked(NamedTuple):
    """A term of a query, how many claims have it in title and rebuttal, and what it weighs.

    BM25 alone trusts common words too much: among twelve proposed are .980 of the claims that are
    meant where terms weigh the root of their rarity besides, and .975 where they do not.
    """

    term: str
    weight: float
    title: int
    rebuttal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The indexed form of a claim; terms repeat as often as the text repeats them."""

    claim: Candidate
    title: tuple[str, ...]
    rebuttal: tuple[str, ...]
    key: str


def entry_of(claim: Candidate) -> Entry:
    """Normalise a claim the way queries are normalised."""
    title, rebuttal = normalise(claim.title), normalise(claim.rebuttal)
    links = dict.fromkeys([*map(canonical_url, claim.urls), *title.urls])
    return Entry(
        claim=Candidate(
            id=claim.id, title=title.text, rebuttal=rebuttal.text, urls=tuple(links), normal=True
        ),
        title=tuple(terms(title.text)),
        rebuttal=tuple(terms(rebuttal.text)),
        key=short_key(title.key),
    )


def short_key(key: str) -> str:
    """As much of a key as claims are looked up by."""
    return key[:_KEY]


def rarity_of(seen: int, claims: int) -> float:
    """What every index's ``rarity`` is, for a term that ``seen`` of its ``claims`` have."""
    # In a handful of claims a word that all have is no common word: they are taken for more.
    # Deleted claims may count until the index tidies up, so a frequency may exceed.
    return max(0.0, 1 - math.log(seen + 1) / math.log(max(claims, _FEW) + 1))


class Rarities(dict[str, float]):
    """What terms tell in a library that stands still; most are asked for many times."""

    def __init__(self, counts: Counts, claims: int) -> None:
        super().__init__()
        self._counts = counts
        self._claims = claims

        self._common: dict[str, tuple[int, int]] = {}

    def __missing__(self, term: str) -> float:
        rarity = self[intern(term)] = rarity_of(max(self.counts(term)), self._claims)
        return rarity

    def counts(self, term: str) -> tuple[int, int]:
        """How many claims have it in title and rebuttal; what it tells is remembered."""
        return self._common.get(term) or self._looked_up(term)

    def _looked_up(self, term: str) -> tuple[int, int]:
        if len(self) >= _REMEMBERED:
            self.clear()
        seen = self._counts(term)
        self[intern(term)] = rarity_of(max(seen), self._claims)
        if max(seen) * _ONE_IN > self._claims:
            self._common[term] = seen
        return seen


def telling(text: str, library: Rarities) -> list[Asked]:
    """The terms of a text worth asking a library for, rarest first."""
    seen = [(*library.counts(term), term) for term in set(terms(text))]
    asked = sorted((max(one[:2]), one[2], one) for one in seen if any(one[:2]))[:_TERMS]
    budget, told = _POSTINGS, list[Asked]()
    for _, term, (title, rebuttal, _) in asked:
        budget -= title + rebuttal
        if budget < 0 and len(told) >= _FEWEST:
            break
        weight = math.sqrt(max(_LEAST, library[term]))
        told.append(Asked(term=term, weight=weight, title=title, rebuttal=rebuttal))
    return told
