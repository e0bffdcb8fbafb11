"""From measures and conflicts to one figure: how surely query and claim are one claim."""

import math

from matrix.matching.facts import negations
from matrix.matching.guards import Conflicts
from matrix.matching.measures import Measures
from matrix.matching.prepared import Prepared, PreparedClaim
from matrix.matching.weights import REGIMES

__all__ = ["features", "likelihood", "regime"]

# A query this many times as long as the claim wraps it; below the second it is a fragment.
_WRAPS, _FRAGMENT = 1.8, 0.65
# Lengths the weights were fitted on; beyond them they would be guesses.
_CLAIM_LENGTHS, _QUERY_LENGTHS = (4, 200), (4, 1200)


def likelihood(
    query: Prepared,
    claim: PreparedClaim,
    found: Measures,
    conflicts: Conflicts | None,
    rank: float,
) -> float:
    """Between 0 and 1; ``rank`` is the index's score over that of its best candidate.

    Without ``conflicts`` it says how alike the wording is, whatever differs in the matter.
    """
    bias, weights = REGIMES[regime(query, claim)]
    values = features(query, claim, found, conflicts, rank)
    total = bias + sum(weights[name] * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def regime(query: Prepared, claim: PreparedClaim) -> int:
    """0 when the query is much longer than the claim, 1 about as long, 2 much shorter."""
    ratio = len(query.plain) / max(1, len(claim.title.plain))
    if ratio > _WRAPS:
        return 0
    return 1 if ratio > _FRAGMENT else 2


def features(
    query: Prepared,
    claim: PreparedClaim,
    found: Measures,
    conflicts: Conflicts | None,
    rank: float,
) -> dict[str, float]:
    """What the weights of `matrix.matching.weights` apply to, by name."""
    alike = _likeness(found, rank) | _shape(query, claim, found)
    return alike if conflicts is None else alike | _conflicting(found, conflicts)


def _likeness(found: Measures, rank: float) -> dict[str, float]:
    return {
        "cover": found.cover,
        "asked": found.asked,
        "title_asked": found.title_asked,
        "window": found.window,
        "lcs": found.lcs,
        "dice": found.dice,
        "singles": found.singles,
        "changed": found.changed,
        "length": found.length,
        "rank": rank,
        "cover_2": found.cover**2,
        "asked_2": found.asked**2,
        "window_4": found.window**4,
        "lcs_2": found.lcs**2,
        "singles_4": found.singles**4,
        "cover_asked": found.cover * found.asked,
        "cover_title_asked": found.cover * found.title_asked,
        "changed_root": math.sqrt(found.changed),
    }


def _shape(query: Prepared, claim: PreparedClaim, found: Measures) -> dict[str, float]:
    replaced = [edit for edit in found.edits if edit.claim and edit.query]
    return {
        "claim_length": _log_length(claim.title, _CLAIM_LENGTHS),
        "query_length": _log_length(query, _QUERY_LENGTHS),
        "longest_lost": max((len(edit.claim) for edit in replaced), default=0),
        "longest_new": max((len(edit.query) for edit in replaced), default=0),
        "replaced": len(replaced),
    }


def _log_length(text: Prepared, bounds: tuple[int, int]) -> float:
    shortest, longest = bounds
    return math.log(min(longest, max(shortest, len(text.plain))))


def _conflicting(found: Measures, conflicts: Conflicts) -> dict[str, float]:
    denied = sum(negations(edit.claim) - negations(edit.query) for edit in found.edits)
    return {
        "number": float(conflicts.number is not None),
        "date": float(conflicts.date is not None),
        "place": float(conflicts.place is not None or conflicts.own_place is not None),
        "negation": float(conflicts.negation is not None),
        "denied": float(denied != 0),
        "debunking": float(conflicts.debunking is not None),
    }
