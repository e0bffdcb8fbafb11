"""The decision on one lead: answer, suggest, or neither, with the reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from matrix.matching.caution import Caution
from matrix.matching.features import Beside, lay_beside
from matrix.matching.forest import Forest
from matrix.matching.gazetteer import Gazetteer
from matrix.matching.guards import Conflicts, find_conflicts
from matrix.matching.prepared import Prepared, PreparedClaim, prepare, prepare_claim
from matrix.matching.terms import Rarity
from matrix.matching.text import Normalised
from matrix.matching.verdicts import Candidate, Decision, Judgement, Reason, ReasonKind, Scored

__all__ = ["ALIKE", "SHORTEST", "WORTH_A_LOOK", "Judge", "Model", "identical"]

# Candidates shown to a person.
_SHOWN = 5
WORTH_A_LOOK = 12.0
"""Score from which the desk is shown a candidate (figures: docs/decisions/0011)."""

ALIKE = 30.0
"""Score from which a reporter is told that something is like it; a doubt is no news to them."""

# A claim of which this share of the wording is there is shown, whatever differs.
_MOSTLY_THERE = 0.5
# Claims kept taken apart (some 40 KB each); the one longest out of use makes room. More would save
# little, and the collector of garbage stands still over each of them.
_KEPT = 500
# Length, in the units of `Normalised.length`, below which to ask for the original.
SHORTEST = 10
# Of two claims that have this share of their pairs in common one stands for both.
_DOUBLE = 0.8
# Scores of an equal text, of an equal link beside words, and of a link alone.
_IDENTICAL, _SAME_URL, _BARE_LINK = 100.0, 45.0, 40.0
_NUMERAL = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A forest over `describe`'s figures and the name it is remembered by."""

    version: str
    forest: Forest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    candidate: Candidate
    beside: Beside
    rank: float
    score: float
    same: bool
    links: tuple[str, ...]


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

    def __init__(self, own: Gazetteer, model: Model, caution: Caution = Caution.STANDARD) -> None:
        self.model: Final = model
        self._own = own
        self._caution = caution
        self._prepared: dict[str, tuple[Candidate, PreparedClaim]] = {}

    def judge(
        self,
        query: Normalised,
        candidates: Sequence[Candidate],
        *,
        rarity: Rarity = _FLAT,
        doubles: bool = True,
    ) -> Judgement:
        """Judge a normalised lead.

        ``rarity`` is the library's. Candidates make one another doubtful. Without ``doubles``, of
        those that say nearly the same one stands for all: ten leads of one rumor are no ten
        rumors.
        """
        if not query.text and not query.urls:
            return Judgement(decision=Decision.NONE, candidates=(), asks_original=True)
        asked = prepare(query, self._own)
        claims = [self._take_apart(one) for one in candidates]
        if not doubles:
            kept = _one_of_each(asked, candidates, claims)
            candidates, claims = [candidates[at] for at in kept], [claims[at] for at in kept]
        beside = lay_beside(asked, claims, rarity)
        weighed = self._weigh(query, asked, candidates, beside)
        weighed.sort(key=lambda one: (-one.rank, one.candidate.id))
        return self._conclude(query, asked, _stepwise(weighed[:_SHOWN]))

    def _take_apart(self, candidate: Candidate) -> PreparedClaim:
        known = self._prepared.pop(candidate.id, None)
        if known is None or known[0] != candidate:
            known = candidate, prepare_claim(candidate, self._own)
        self._prepared[candidate.id] = known
        if len(self._prepared) > _KEPT:
            del self._prepared[next(iter(self._prepared))]
        return known[1]

    def _weigh(
        self,
        query: Normalised,
        asked: Prepared,
        candidates: Sequence[Candidate],
        beside: Sequence[Beside],
    ) -> list[_Weighed]:
        likelihoods = self.model.forest.likelihoods([one.figures for one in beside])
        weighed = []
        for candidate, one, likelihood in zip(candidates, beside, likelihoods, strict=True):
            same = identical(asked, one.claim)
            links = tuple(sorted(one.claim.urls.intersection(query.urls)))
            rank = _IDENTICAL if same else _rank(query, likelihood, links)
            # Most of the wording asks for a look, whatever else differs.
            floor = ALIKE if one.figures["cover"] >= _MOSTLY_THERE else 0.0
            weighed.append(
                _Weighed(
                    candidate=candidate, beside=one, rank=rank, score=max(rank, floor),
                    same=same, links=links,
                )
            )  # fmt: skip
        return weighed

    def _conclude(self, query: Normalised, asked: Prepared, shown: Sequence[_Weighed]) -> Judgement:
        """The decision rests on the best; what differs is told of all that are shown."""
        conflicts = [find_conflicts(asked, one.beside, self._own) for one in shown]
        decision = Decision.NONE
        if shown and shown[0].score >= WORTH_A_LOOK:
            sure = shown[0].score >= self._caution.score
            answers = sure and _may_answer(query, shown[0], conflicts[0])
            decision = Decision.MATCH if answers else Decision.SUGGEST
        same = bool(shown) and shown[0].same
        linked = decision is Decision.SUGGEST and not query.text
        return Judgement(
            decision=decision,
            candidates=tuple(
                Scored(
                    id=one.candidate.id, score=one.score, reasons=_reasons(query, asked, one, found)
                )
                for one, found in zip(shown, conflicts, strict=True)
            ),
            asks_original=query.length < SHORTEST and not same and not linked,
        )


def _may_answer(query: Normalised, best: _Weighed, conflicts: Conflicts) -> bool:
    held = query.length < SHORTEST or conflicts.forbid_an_answer(best.beside)
    return best.same or not held


def _one_of_each(
    asked: Prepared, candidates: Sequence[Candidate], claims: Sequence[PreparedClaim]
) -> list[int]:
    """Places of the claims of which no earlier one says nearly the same.

    All with the very words of the query stay. A kind stands for its own only (ids are
    ``kind:…``): a running case must not hide behind the lead that it was made of.
    """
    order = sorted(range(len(claims)), key=lambda at: not identical(asked, claims[at]))
    kinds = [one.id.rpartition(":")[0] for one in candidates]
    kept: list[int] = []
    for at in order:
        if identical(asked, claims[at]) or not any(
            kinds[at] == kinds[other] and _double(claims[at].title, claims[other].title)
            for other in kept
        ):
            kept.append(at)
    return kept


def _double(one: Prepared, other: Prepared) -> bool:
    """Nearly the same words, and of the same numbers, places and bodies, as much denied."""
    both = len(one.pair_set) + len(other.pair_set)
    alike = 2 * len(one.pair_set & other.pair_set) / both if both else float(one.key == other.key)
    return alike >= _DOUBLE and _facts(one) == _facts(other)


def _facts(one: Prepared) -> tuple[object, ...]:
    places = frozenset(hit.name for hit in (*one.places, *one.own))
    numbers = frozenset(_NUMERAL.findall(one.plain))
    return numbers, places, frozenset(one.bodies), one.modals, one.denials


def identical(asked: Prepared, claim: PreparedClaim) -> bool:
    """Whether the normalised texts are equal, or are once numerals are read as one."""
    title = claim.title
    return bool(asked.plain) and (asked.key == title.key or asked.plain == title.plain)


def _rank(query: Normalised, likelihood: float, links: Sequence[str]) -> float:
    """What candidates are ordered by: the likelihood, raised where an equal link speaks for one."""
    if links and not query.text:
        return _BARE_LINK
    return max(_SAME_URL if links else 0.0, 100 * likelihood)


def _stepwise(ordered: Sequence[_Weighed]) -> list[_Weighed]:
    """Scores that fall with the order: who stands above something worth a look is so too."""
    best: list[_Weighed] = []
    for one in reversed(ordered):
        least = best[-1].score if best else 0.0
        best.append(replace(one, score=max(one.score, least)))
    return best[::-1]


def _reasons(
    query: Normalised, asked: Prepared, one: _Weighed, conflicts: Conflicts
) -> tuple[Reason, ...]:
    """What speaks for the candidate, what differs, and what else holds the machine back."""
    found: list[Reason] = []
    if one.same:
        found.append(Reason(kind=ReasonKind.IDENTICAL_TEXT))
    else:
        found += [
            Reason(kind=ReasonKind.SAME_URL, query=link, claim=link) for link in one.links[:1]
        ]
        if one.links and not query.text:
            found.append(Reason(kind=ReasonKind.BARE_LINK, query=one.links[0]))
        common = _as_written(one.beside.found.common, asked)
        found += [Reason(kind=ReasonKind.WORDING, query=common)] if common else []
        found += conflicts.reasons()
        short = query.text and query.length < SHORTEST
        found += [Reason(kind=ReasonKind.TOO_SHORT)] if short else []
    return tuple(found)


def _as_written(passage: str, asked: Prepared) -> str:
    """The passage, or its longest part that stands in the text: numerals are compared folded."""
    letters = "".join(filter(str.isalnum, asked.text))
    if passage in letters:
        return passage
    return max((part for part in _NUMERAL.split(passage) if part in letters), key=len, default="")
