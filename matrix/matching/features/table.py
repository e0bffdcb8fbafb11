"""A query beside all its candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

from matrix.matching.alignment import Alignment, align
from matrix.matching.features.matter import matter
from matrix.matching.features.relevance import relevance
from matrix.matching.features.standing import Features, compare, distinguish
from matrix.matching.features.stretch import stretch
from matrix.matching.features.weighted import read, weigh
from matrix.matching.features.wording import wording
from matrix.matching.prepared import Prepared, PreparedClaim
from matrix.matching.terms import Rarity

__all__ = ["Beside", "lay_beside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One candidate, where it lies in the query, and all figures about the two."""

    claim: PreparedClaim
    found: Alignment
    figures: Features


def lay_beside(query: Prepared, claims: Sequence[PreparedClaim], rarity: Rarity) -> list[Beside]:
    """All candidates of a query, in their order."""
    asked = weigh(query, rarity)
    reading = read(asked)
    found = [align(query, claim.title) for claim in claims]
    standing = distinguish(asked.senses, claims, found)
    relevant = relevance(asked, claims)
    rows: list[Features] = []
    for place, (claim, aligned) in enumerate(zip(claims, found, strict=True)):
        said = weigh(claim.title, rarity)
        rows.append(
            {
                **relevant[place],
                **standing[place],
                **wording(asked, reading, said, claim),
                **stretch(aligned, asked, said, claim, rarity),
                **matter(aligned, query, claim),
            }
        )
    compared = compare(rows, [claim.title.pair_set for claim in claims])
    return [
        Beside(claim=claim, found=aligned, figures=row | more)
        for claim, aligned, row, more in zip(claims, found, rows, compared, strict=True)
    ]
