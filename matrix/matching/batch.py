"""From a raw text to a judgement: the one way, for chat and for whole files."""

from collections.abc import Iterable, Iterator, Sequence

from matrix.matching.candidates import CandidateIndex
from matrix.matching.judge import Judge
from matrix.matching.passages import LONG, gather, passages
from matrix.matching.terms import Rarity
from matrix.matching.text import Normalised, normalise
from matrix.matching.verdicts import Candidate, Judgement, ReasonKind

__all__ = ["PROPOSED", "decide", "match_all", "propose", "rebuild"]

PROPOSED = 16
"""Claims the index proposes for one lead; what it has behind them is never answered with."""

# Beyond the first few, what is less than this much as like as the best is seldom meant: nine are
# left to compare, and of the right claims 98.4 in 100 are among them (docs/performance.md).
_NEAR, _FIRST = 0.45, 8


def propose(query: Normalised, index: CandidateIndex, limit: int = PROPOSED) -> list[str]:
    """Ids of the claims worth comparing, best first.

    Those of the very wording or link come on top of ``limit``.
    """
    ranked = index.search(query.text, limit)
    least = _NEAR * max((score for _, score in ranked), default=0.0)
    found = [name for at, (name, score) in enumerate(ranked) if at < _FIRST or score >= least]
    if query.text:
        found += index.search_key(query.key)
    for url in query.urls:
        found += index.search_url(url)
    return list(dict.fromkeys(found))


def decide(
    query: Normalised,
    index: CandidateIndex,
    judge: Judge,
    *,
    rarity: Rarity | None = None,
    doubles: bool = True,
) -> Judgement:
    """Judge one text against everything the index knows; a long one passage by passage too.

    What a word tells is the index's to say, unless ``rarity`` knows the language better. For
    ``doubles`` see `Judge.judge`.
    """
    # A long text is read many times over, and nothing of it is answered: the first few suffice.
    long = len(query.text) > LONG

    def judged(one: Normalised) -> Judgement:
        claims = index.read(propose(one, index, _FIRST if long else PROPOSED))
        return judge.judge(one, claims, rarity=rarity or index, doubles=doubles)

    whole = judged(query)
    if not long or _identical(whole):
        return whole
    parts = ((one, judged(normalise(one))) for one in passages(query.text))
    return gather(whole, parts)


def _identical(judged: Judgement) -> bool:
    best = judged.candidates[:1]
    return any(r.kind is ReasonKind.IDENTICAL_TEXT for one in best for r in one.reasons)


def match_all(
    library: Sequence[Candidate],
    leads: Iterable[tuple[str, str]],
    index: CandidateIndex,
    judge: Judge,
) -> Iterator[tuple[str, Judgement]]:
    """Fill the index with the library, then judge (id, text) leads, in their order."""
    rebuild(index, library)
    for name, text in leads:
        yield name, decide(normalise(text), index, judge)


def rebuild(index: CandidateIndex, library: Iterable[Candidate]) -> None:
    """Make the index hold exactly this library."""
    index.clear()
    index.put(library)
    index.commit()
