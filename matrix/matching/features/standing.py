"""How a candidate stands among the others of the same query."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from matrix.matching.alignment import Alignment
from matrix.matching.prepared import PreparedClaim

__all__ = ["Features", "compare", "distinguish"]

Features = dict[str, float]
"""Figures by name; which of them count, and in what order, the model says."""

_COMPARED = (
    "cover", "shared", "window", "asked", "rank", "sentence", "order_claim", "whole", "singles",
    "balance", "asked_anywhere", "sense_balance", "sense_anywhere", "apart", "apart_anywhere",
    "order_query", "telling_query",
)  # fmt: skip
_LEADS = tuple(f"{name}_lead" for name in _COMPARED)
# A candidate covered nearly as well competes.
_NEARLY = 0.9
# Shorter pieces stand in many claims by chance.
_WORD = 2


def compare(rows: Sequence[Features], pairs: Sequence[frozenset[str]]) -> list[Features]:
    """Each candidate's lead over the best other one, and how many are as good.

    ``pairs`` are those of each candidate's title: a rival that says nearly the same is no reason
    for doubt.
    """
    if not rows:
        return []
    leads = zip(*(_leads([row[name] for row in rows]) for name in _COMPARED), strict=True)
    covers = sorted(row["cover"] for row in rows)
    order = sorted(range(len(rows)), key=lambda at: -rows[at]["sentence"])[:2]
    return [
        {
            **dict(zip(_LEADS, lead, strict=True)),
            "rivals": min(12, len(rows) - bisect_left(covers, _NEARLY * row["cover"]) - 1),
            "rival_alike": _alike(at, order, pairs),
        }
        for at, (row, lead) in enumerate(zip(rows, leads, strict=True))
    ]


def distinguish(
    asked: Mapping[str, float], claims: Sequence[PreparedClaim], found: Sequence[Alignment]
) -> list[Features]:
    """What of the query only this candidate has, and whether a rival has what it has not.

    ``asked`` are the weights of the query's pairs of senses. A pair that all candidates share
    tells none from another, however rare it is in the library.
    """
    titles = [asked.keys() & claim.title.senses for claim in claims]
    anywhere = [
        title | (asked.keys() & claim.rebuttal_senses)
        for title, claim in zip(titles, claims, strict=True)
    ]
    return [
        {"apart": here, "apart_anywhere": there, "swap_known": _swap_known(at, claims, one)}
        for at, (here, there, one) in enumerate(
            zip(_apart(asked, titles), _apart(asked, anywhere), found, strict=True)
        )
    ]


def _apart(asked: Mapping[str, float], shared: Sequence[set[str]]) -> list[float]:
    """The share of what the candidates have of the query, each pair by how few have it."""
    seen = Counter(chain.from_iterable(shared))
    widest = math.log(len(shared) + 1)
    worth = {
        pair: asked[pair] * (1 - math.log(count) / widest) for pair, count in sorted(seen.items())
    }
    total = sum(worth.values()) or 1.0
    return [math.fsum([worth[pair] for pair in pairs]) / total for pairs in shared]


def _swap_known(at: int, claims: Sequence[PreparedClaim], found: Alignment) -> float:
    """How many rivals say the word that the query has in place of one of this claim's."""
    words = [
        edit.query for edit in found.edits if len(edit.claim) >= _WORD and len(edit.query) >= _WORD
    ]
    if not words:
        return 0
    rivals = [one.title.plain for place, one in enumerate(claims) if place != at]
    return min(5, max(sum(word in rival for rival in rivals) for word in words))


def _leads(values: Sequence[float]) -> list[float]:
    ordered = sorted(values, reverse=True)
    best = ordered[0]
    second = ordered[1] if len(ordered) > 1 else 0.0
    return [value - (second if value == best else best) for value in values]


def _alike(at: int, order: Sequence[int], pairs: Sequence[frozenset[str]]) -> float:
    """How alike a candidate's title and that of the best other one are, 0 to 1."""
    rival = next((other for other in order if other != at), None)
    if rival is None:
        return 0.0
    both = len(pairs[at]) + len(pairs[rival])
    return 2 * len(pairs[at] & pairs[rival]) / both if both else 0.0
