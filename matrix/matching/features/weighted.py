"""A prepared text with what each of its terms tells in this library."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import neg

from matrix.matching.prepared import Prepared
from matrix.matching.terms import Rarity

__all__ = ["Reading", "Weighted", "read", "weigh"]

# No share is taken of less than this, so that a text of worthless terms divides by something.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """Weights by pair, single token and pair of senses, their sums; the heaviest first."""

    text: Prepared
    pairs: Mapping[str, float]
    pair_total: float
    heaviest: tuple[str, ...]
    singles: Mapping[str, float]
    single_total: float
    senses: Mapping[str, float]
    sense_total: float


def weigh(text: Prepared, rarity: Rarity) -> Weighted:
    """Weigh every term once."""
    pairs = dict(zip(text.pairs, map(rarity.rarity, text.pairs), strict=True))
    singles = dict(zip(text.singles, map(rarity.rarity, text.singles), strict=True))
    senses = dict(zip(text.senses, map(rarity.rarity, text.senses), strict=True))
    return Weighted(
        text=text,
        pairs=pairs,
        pair_total=sum(pairs.values()) or _LEAST,
        singles=singles,
        single_total=sum(singles.values()) or _LEAST,
        heaviest=_heaviest_first(pairs),
        senses=senses,
        sense_total=sum(senses.values()) or _LEAST,
    )


def _heaviest_first(weights: Mapping[str, float]) -> tuple[str, ...]:
    ordered = sorted(zip(map(neg, weights.values()), weights, strict=True))
    return tuple(term for _, term in ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What of a query is looked at for each candidate, and found once.

    ``sentences``: pairs and weight of each clause; ``singles``: the heaviest first.
    """

    sentences: Sequence[tuple[frozenset[str], float]]
    singles: Sequence[str]


def read(query: Weighted) -> Reading:
    """Read a weighed query."""
    return Reading(
        sentences=[
            (pairs, math.fsum([query.pairs.get(pair, 0.0) for pair in pairs]))
            for pairs in query.text.sentences()
        ],
        singles=_heaviest_first(query.singles),
    )
