"""What the aligned stretch of the query changes in the claim."""

import re
from collections.abc import Mapping
from typing import Final

from matrix.matching.alignment import Alignment
from matrix.matching.facts import may_deny, negations
from matrix.matching.features.weighted import Weighted
from matrix.matching.prepared import PreparedClaim
from matrix.matching.terms import Rarity

__all__ = ["stretch"]

_DIGIT = re.compile(r"\d")
# A change longer than this is another wording; whether it denies is anybody's guess.
_SHORT = 3
_NO_REBUTTAL = -1.0
_NO_DENIALS: Final[Mapping[str, float]] = dict.fromkeys(
    ("denial_balance", "denials_changed", "denials_only", "denial_difference", "denial_odd"), 0.0
)


def stretch(
    found: Alignment, query: Weighted, claim: Weighted, whole: PreparedClaim, rarity: Rarity
) -> dict[str, float]:
    """Figures about the edits that turn the claim into the query's stretch."""
    return {
        **_shape(found),
        **_replaced(found, query, claim, whole, rarity),
        **_denied(found),
    }


def _shape(found: Alignment) -> dict[str, float]:
    edits, common = found.edits, len(found.common)
    lengths = [(len(e.claim), len(e.query)) for e in edits]
    replaced = [(lost, new) for lost, new in lengths if lost and new]
    return {
        "window": found.likeness,
        "position": found.position,
        "replacements": len(replaced),
        "letters_replaced": replaced.count((1, 1)),
        "words_replaced": sum([min(both) > 1 for both in replaced]),
        "insertions": sum([not lost for lost, _ in lengths]),
        "deletions": sum([not new for _, new in lengths]),
        "passages": len(found.kept),
        "longest_kept": min(30, common),
        "longest_kept_share": common / max(1, len(found.claim)),
        "longest_lost": min(30, max([lost for lost, _ in lengths], default=0)),
        "longest_new": min(30, max([new for _, new in lengths], default=0)),
        "digits_changed": sum([_DIGIT.search(e.claim + e.query) is not None for e in edits]),
    }


def _replaced(
    found: Alignment, query: Weighted, claim: Weighted, whole: PreparedClaim, rarity: Rarity
) -> dict[str, float]:
    """Words that stand in place of others, and tell as much as those."""
    lost = new = explained = swap = least = 0.0
    moved = 0
    for edit in found.edits:
        gone, come = _weight(edit.claim, rarity), _weight(edit.query, rarity)
        elsewhere = bool(edit.claim) and edit.claim in query.text.plain
        moved += elsewhere
        lost += 0.0 if elsewhere else gone
        new += come
        if edit.query and edit.query in whole.rebuttal:
            explained += come
        if edit.claim and edit.query and not elsewhere:
            swap, least = max(swap, gone + come), max(least, min(gone, come))
    return {
        "stretch_lost": min(20.0, lost),
        "stretch_lost_share": lost / claim.single_total,
        "stretch_new": min(20.0, new),
        "new_explained": explained / max(new, 1e-6) if whole.rebuttal else _NO_REBUTTAL,
        "moved": moved,
        "swapped": swap,
        "swapped_least": least,
    }


def _weight(text: str, rarity: Rarity) -> float:
    return sum(map(rarity.rarity, text))


def _denied(found: Alignment) -> Mapping[str, float]:
    if not (may_deny(found.query) or may_deny(found.claim)):
        return _NO_DENIALS
    changes = [negations(e.query) - negations(e.claim) for e in found.edits]
    short = [max(len(e.claim), len(e.query)) <= _SHORT for e in found.edits]
    difference = negations(found.query) - negations(found.claim)
    return {
        "denial_balance": sum(changes),
        "denials_changed": sum(map(bool, changes)),
        "denials_only": sum(bool(c) and s for c, s in zip(changes, short, strict=True)),
        "denial_difference": difference,
        "denial_odd": difference % 2,
    }
