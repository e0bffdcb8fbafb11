"""The decision on one lead: answer, suggest, or neither, with the reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matrix.matching.gazetteer import Gazetteer
from matrix.matching.guards import Conflicts, find_conflicts
from matrix.matching.known_places import known_places
from matrix.matching.measures import Measures, cover, measure
from matrix.matching.prepared import Prepared, PreparedClaim, prepare, prepare_claim
from matrix.matching.scoring import likelihood
from matrix.matching.terms import Rarity
from matrix.matching.text import Normalised
from matrix.matching.verdicts import Candidate, Decision, Judgement, Reason, ReasonKind, Scored
from matrix.matching.weights import MODEL_VERSION

__all__ = ["MODEL_VERSION", "Judge", "Thresholds"]

# Candidates shown to a person.
_SHOWN = 5
# Candidates worth the full measure; the cheap one orders the rest out.
_MEASURED = 12
# Claims kept taken apart (some 5 KB each); the oldest makes room.
_KEPT = 20_000
# An alike text about another matter keeps this share of the score that would answer, so that
# it is shown with what differs instead of falling silent.
_DESPITE = 0.8
# Scores of an equal text, of an equal link beside words, and of a link alone.
_IDENTICAL, _SAME_URL, _BARE_LINK = 100.0, 45.0, 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the decisions change.

    ``match`` and ``suggest``: scores, 0 to 100, from which to answer and to suggest;
    ``number_cover``: share of a claim's wording from which a differing number counts;
    ``least_cover``: share of it without which nothing is answered, whatever the score;
    ``shortest``: length, in the units of `Normalised.length`, below which to ask for more.
    """

    match: float = 58.0
    suggest: float = 12.0
    number_cover: float = 0.5
    least_cover: float = 0.1
    shortest: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    scored: Scored
    may_answer: bool
    identical: bool


class _Flat:
    """Every term tells as much, for want of a library."""

    def rarity(self, term: str) -> float:
        return 1.0 if term else 0.0


_FLAT: Final = _Flat()


class Judge:
    """Compares a lead with candidates. Equal input gives equal output, whatever came before.

    ``own`` names the district's places, whose strong names decide; not for use by several
    threads at once.
    """

    def __init__(self, own: Gazetteer, thresholds: Thresholds | None = None) -> None:
        self._own = own
        self._known = known_places()
        self._thresholds = thresholds or Thresholds()
        self._prepared: dict[str, tuple[Candidate, PreparedClaim]] = {}

    def judge(
        self,
        query: Normalised,
        candidates: Sequence[Candidate],
        *,
        rarity: Rarity = _FLAT,
        found: Mapping[str, float] | None = None,
    ) -> Judgement:
        """Judge a normalised lead.

        ``rarity`` is the library's; ``found`` holds the index's score by claim id.
        """
        if not query.text and not query.urls:
            return Judgement(decision=Decision.NONE, candidates=(), asks_original=True)
        asked = prepare(query)
        ranks = _ranks(candidates, found)
        claims = [(one, self._take_apart(one)) for one in candidates]
        chosen = _shortlist(query, asked, claims, ranks, rarity)
        weighed = sorted(
            (self._weigh(query, asked, pair, ranks[pair[0].id], rarity) for pair in chosen),
            key=lambda one: (-one.scored.score, one.scored.id),
        )
        return self._conclude(query, weighed)

    def _take_apart(self, candidate: Candidate) -> PreparedClaim:
        known = self._prepared.get(candidate.id)
        if known is not None and known[0] == candidate:
            return known[1]
        prepared = prepare_claim(candidate)
        self._prepared.pop(candidate.id, None)
        if len(self._prepared) >= _KEPT:
            del self._prepared[next(iter(self._prepared))]
        self._prepared[candidate.id] = (candidate, prepared)
        return prepared

    def _weigh(
        self,
        query: Normalised,
        asked: Prepared,
        pair: tuple[Candidate, PreparedClaim],
        rank: float,
        rarity: Rarity,
    ) -> _Weighed:
        candidate, claim = pair
        past = () if candidate.may_answer else (Reason(kind=ReasonKind.PAST_REVIEW),)
        if _identical(asked, claim):
            reasons = (Reason(kind=ReasonKind.IDENTICAL_TEXT), *past)
            scored = Scored(id=candidate.id, score=_IDENTICAL, reasons=reasons)
            return _Weighed(scored=scored, may_answer=candidate.may_answer, identical=True)
        measures = measure(asked, claim, rarity)
        conflicts = find_conflicts(asked, claim, measures, own=self._own, known=self._known)
        score = 100 * likelihood(asked, claim, measures, conflicts, rank)
        if conflicts.reasons():
            alike = 100 * likelihood(asked, claim, measures, None, rank)
            score = max(score, _DESPITE * min(alike, self._thresholds.match))
        for_it = _speaking_for(query, claim, measures)
        if any(reason.kind is ReasonKind.BARE_LINK for reason in for_it):
            score = _BARE_LINK
        elif any(reason.kind is ReasonKind.SAME_URL for reason in for_it):
            score = max(score, _SAME_URL)
        short = query.length < self._thresholds.shortest
        too_short = (Reason(kind=ReasonKind.TOO_SHORT),) if short and query.text else ()
        reasons = (*for_it, *conflicts.reasons(), *too_short, *past)
        held = short or self._holds_back(measures, conflicts) or not candidate.may_answer
        scored = Scored(id=candidate.id, score=score, reasons=reasons)
        return _Weighed(scored=scored, may_answer=not held, identical=False)

    def _holds_back(self, measures: Measures, conflicts: Conflicts) -> bool:
        number = conflicts.number and measures.cover > self._thresholds.number_cover
        foreign = measures.cover < self._thresholds.least_cover
        return bool(
            foreign or number or conflicts.own_place or conflicts.negation or conflicts.debunking
        )

    def _conclude(self, query: Normalised, weighed: Sequence[_Weighed]) -> Judgement:
        decision = Decision.NONE
        if weighed and weighed[0].scored.score >= self._thresholds.suggest:
            best = weighed[0]
            answers = best.may_answer and best.scored.score >= self._thresholds.match
            decision = Decision.MATCH if answers else Decision.SUGGEST
        identical = bool(weighed) and weighed[0].identical
        linked = decision is Decision.SUGGEST and not query.text
        short = query.length < self._thresholds.shortest
        return Judgement(
            decision=decision,
            candidates=tuple(one.scored for one in weighed[:_SHOWN]),
            asks_original=short and not identical and not linked,
        )


def _ranks(candidates: Sequence[Candidate], found: Mapping[str, float] | None) -> dict[str, float]:
    """Scores of the index over its best; 1 for all where the index said nothing."""
    best = max(found.values(), default=0.0) if found else 0.0
    if not found or best <= 0:
        return {one.id: 1.0 for one in candidates}
    return {one.id: found.get(one.id, 0.0) / best for one in candidates}


def _shortlist(
    query: Normalised,
    asked: Prepared,
    claims: Sequence[tuple[Candidate, PreparedClaim]],
    ranks: Mapping[str, float],
    rarity: Rarity,
) -> list[tuple[Candidate, PreparedClaim]]:
    """The dozen most promising, equal texts and equal links before all others."""

    def promise(pair: tuple[Candidate, PreparedClaim]) -> tuple[bool, float, str]:
        candidate, claim = pair
        certain = _identical(asked, claim) or not claim.urls.isdisjoint(query.urls)
        return not certain, -cover(asked, claim, rarity) - ranks[candidate.id] / 2, candidate.id

    return sorted(claims, key=promise)[:_MEASURED]


def _identical(asked: Prepared, claim: PreparedClaim) -> bool:
    title = claim.title
    return bool(asked.plain) and (asked.key == title.key or asked.plain == title.plain)


def _speaking_for(
    query: Normalised, claim: PreparedClaim, measures: Measures
) -> tuple[Reason, ...]:
    shared = sorted(claim.urls.intersection(query.urls))
    link = (Reason(kind=ReasonKind.SAME_URL, query=shared[0], claim=shared[0]),) if shared else ()
    if shared and not query.text:
        return (*link, Reason(kind=ReasonKind.BARE_LINK, query=shared[0]))
    if not measures.common:
        return link
    return (*link, Reason(kind=ReasonKind.WORDING, query=measures.common))
