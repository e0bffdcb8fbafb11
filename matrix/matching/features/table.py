"""A query beside all its candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

from matrix.matching.alignment import Alignment, align
from matrix.matching.features.matter import matter
from matrix.matching.features.standing import Features, compare, distinguish
from matrix.matching.features.stretch import stretch
from matrix.matching.features.weighted import weigh, weigh_sentences
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


def lay_beside(
    query: Prepared,
    claims: Sequence[PreparedClaim],
    ranks: Sequence[float],
    rarity: Rarity,
    *,
    rivals: bool = True,
) -> list[Beside]:
    """All candidates of a query, in their order.

    ``ranks`` are the index's scores over that of its best candidate, in the order of ``claims``.
    Unless they are ``rivals``, each is seen as if it were the only one.
    """
    asked = weigh(query, rarity)
    sentences = weigh_sentences(asked)
    found = [align(query, claim.title) for claim in claims]

    def rows(of: slice) -> list[Features]:
        standing = distinguish(asked.senses, claims[of], found[of])
        some: list[Features] = []
        for own, claim, rank, aligned in zip(
            standing, claims[of], ranks[of], found[of], strict=True
        ):
            said = weigh(claim.title, rarity)
            some.append(
                {"rank": rank, "nearer": sum(other > rank for other in ranks[of])}
                | own
                | wording(asked, sentences, said, claim)
                | stretch(aligned, asked, said, claim, rarity)
                | matter(aligned, query, claim)
            )
        return compare(some, [claim.title.pair_set for claim in claims[of]])

    size = max(1, len(claims)) if rivals else 1
    figures = [row for at in range(0, len(claims), size) for row in rows(slice(at, at + size))]
    return [
        Beside(claim=claim, found=aligned, figures=row)
        for claim, aligned, row in zip(claims, found, figures, strict=True)
    ]
