"""How relevant each candidate is to the query, by the measure that orders most libraries.

Reckoned from the two texts and not asked of an index: so it is the same in chat, where the newest
claims lie in memory, as over a whole file, and costs a fifth of a second search.
Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009; here a
term that is there counts once, and lengths are held against usual ones.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from matrix.matching.features.weighted import Weighted
from matrix.matching.prepared import PreparedClaim

__all__ = ["relevance"]

_K1, _B = 1.2, 0.75
# A title is what the claim says; the rebuttal often quotes how it was told.
_TITLE, _REBUTTAL = 2.0, 1.5
# Characters and pairs in a title, and in a rebuttal, of usual length.
_USUAL_TITLE, _USUAL_REBUTTAL = 60.0, 65.0


def relevance(query: Weighted, claims: Sequence[PreparedClaim]) -> list[dict[str, float]]:
    """``rank``: share of the best candidate's score; ``nearer``: how many have a better one."""
    weights = {**query.senses, **query.pairs, **query.singles}
    asked = frozenset(weights)
    scores = [_score(asked, weights, claim) for claim in claims]
    ordered = sorted(scores, reverse=True)
    best = max(scores, default=0.0)
    return [
        {"rank": score / best if best > 0 else 1.0, "nearer": ordered.index(score)}
        for score in scores
    ]


def _score(asked: frozenset[str], weights: Mapping[str, float], claim: PreparedClaim) -> float:
    title = claim.title
    said = _shared(asked, title.single_set, title.pair_set, title.senses)
    told = _shared(asked, claim.rebuttal_singles, claim.rebuttal_pairs, claim.rebuttal_senses)
    long = len(title.single_set) + len(title.pair_set)
    longer = len(claim.rebuttal_singles) + len(claim.rebuttal_pairs)
    # Exact sums, so that the order in which a set gives its terms does not count.
    return _TITLE * _share(long / _USUAL_TITLE) * math.fsum(
        [weights[term] for term in said]
    ) + _REBUTTAL * _share(longer / _USUAL_REBUTTAL) * math.fsum([weights[term] for term in told])


def _shared(asked: frozenset[str], *terms: Iterable[str]) -> set[str]:
    # Each for itself: what a long rebuttal has beyond the query is not copied.
    return set[str]().union(*map(asked.intersection, terms))


def _share(length: float) -> float:
    """What one term counts in a text of so many times the usual length."""
    return (_K1 + 1) / (1 + _K1 * (1 - _B + _B * length))
