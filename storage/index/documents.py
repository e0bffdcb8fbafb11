"""A claim as every index keeps it: terms, key, links, and the normal form of its texts."""

import math
from dataclasses import dataclass

from matrix.matching.terms import terms
from matrix.matching.text import canonical_url, normalise
from matrix.matching.verdicts import Candidate

__all__ = ["Entry", "entry_of", "rarity_of"]

# Claims that a library counts as at least.
_FEW = 50


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
        key=title.key,
    )


def rarity_of(seen: int, claims: int) -> float:
    """What every index's ``rarity`` is, for a term that ``seen`` of its ``claims`` have."""
    # In a handful of claims a word that all have is no common word: they are taken for more.
    # Deleted claims may count until the index tidies up, so a frequency may exceed.
    return max(0.0, 1 - math.log(seen + 1) / math.log(max(claims, _FEW) + 1))
