"""What makes two alike texts two different claims."""

from dataclasses import dataclass

from matrix.matching.alignment import Alignment, Edit
from matrix.matching.bodies import conflicting_bodies
from matrix.matching.facts import Dated, Number, negations, reversals
from matrix.matching.features import Beside
from matrix.matching.gazetteer import Gazetteer, PlaceHit
from matrix.matching.known_places import known_places
from matrix.matching.prepared import Prepared
from matrix.matching.verdicts import Reason, ReasonKind

__all__ = ["Conflicts", "find_conflicts"]

# A changed piece longer than this is another wording; whether it denies is anybody's guess.
_SHORT_EDIT = 3
# Below this likeness of the window the edits say nothing about single words.
_ALIGNED = 0.7
# Share of a claim's wording from which a differing number counts.
_MOSTLY_THERE = 0.5
# From this likeness on, a denial right before the window belongs to it.
_CLOSE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """What differs, each None when it does not; ``own_place`` by the district's own names."""

    number: Reason | None
    date: Reason | None
    place: Reason | None
    own_place: Reason | None
    body: Reason | None
    negation: Reason | None
    opposite: Reason | None
    debunking: Reason | None

    def forbid_an_answer(self, beside: Beside) -> bool:
        """Whether a person must be asked, however sure the model is.

        Numbers, where most of the claim is there; the district's own places, and a word turned to
        its opposite, always. The other conflicts are figures of the model: as rules they cost more
        than they save (docs/decisions/0011).
        """
        number = self.number is not None and beside.figures["cover"] > _MOSTLY_THERE
        return number or self.own_place is not None or self.opposite is not None

    def reasons(self) -> tuple[Reason, ...]:
        """Everything that fired, each kind once, in a fixed order."""
        place = self.own_place or self.place
        turned = self.negation or self.opposite
        fired = (self.number, self.date, place, self.body, turned, self.debunking)
        return tuple(reason for reason in fired if reason is not None)


def find_conflicts(query: Prepared, beside: Beside, own: Gazetteer) -> Conflicts:
    """Compare the facts of both sides; ``own`` is the gazetteer both were prepared with."""
    title = beside.claim.title
    return Conflicts(
        number=_number(query.facts.numbers, title.facts.numbers),
        date=_date(query.facts.dates, title.facts.dates),
        place=_place(known_places(), query.places, title.places),
        own_place=_place(own, query.own, title.own),
        body=_body(query.bodies, title.bodies),
        negation=_negation(beside.found),
        opposite=_opposite(beside.found),
        debunking=_debunking(query, title),
    )


def _number(asked: frozenset[Number], said: frozenset[Number]) -> Reason | None:
    """The claim's number is absent, and another of the same unit stands in the query."""
    asked_values = {number.value for number in asked}
    for mine in sorted(said, key=_written):
        if mine.value in asked_values:
            continue
        for theirs in sorted(asked - said, key=_written):
            if theirs.unit == mine.unit:
                return Reason(
                    kind=ReasonKind.NUMBER_DIFFERS, query=_written(theirs), claim=_written(mine)
                )
    return None


def _written(number: Number) -> str:
    return number.value + number.unit


def _date(asked: frozenset[Dated], said: frozenset[Dated]) -> Reason | None:
    """Each side names a date that contradicts every date of the other."""
    mine = _alone(said, asked)
    theirs = _alone(asked, said)
    if mine is None or theirs is None:
        return None
    return Reason(kind=ReasonKind.DATE_DIFFERS, query=theirs.written(), claim=mine.written())


def _alone(these: frozenset[Dated], those: frozenset[Dated]) -> Dated | None:
    strangers = [one for one in these if those and all(one.contradicts(other) for other in those)]
    return min(strangers, key=Dated.written, default=None)


def _place(
    gazetteer: Gazetteer, asked: tuple[PlaceHit, ...], said: tuple[PlaceHit, ...]
) -> Reason | None:
    """Each side names a place that has nothing to do with any place of the other."""
    mine = _strangers(gazetteer, said, asked)
    theirs = _strangers(gazetteer, asked, said)
    if mine is None or theirs is None:
        return None
    return Reason(kind=ReasonKind.PLACE_DIFFERS, query=theirs.name, claim=mine.name)


def _body(asked: tuple[str, ...], said: tuple[str, ...]) -> Reason | None:
    """Each side names a body of one kind that the other does not."""
    found = conflicting_bodies(asked, said)
    return Reason(kind=ReasonKind.BODY_DIFFERS, query=found[0], claim=found[1]) if found else None


def _strangers(
    gazetteer: Gazetteer, these: tuple[PlaceHit, ...], those: tuple[PlaceHit, ...]
) -> PlaceHit | None:
    """The first place none of whose areas is related to a place of the other side.

    A shared name stands for several areas: one of them related is enough to be no stranger.
    """
    familiar = {
        hit.name for hit in these if any(gazetteer.related(hit.area, other.area) for other in those)
    }
    return next((hit for hit in these if hit.name not in familiar), None)


def _negation(found: Alignment) -> Reason | None:
    """A short change in an otherwise equal passage denies."""
    if found.likeness < _ALIGNED:
        return None
    if found.likeness >= _CLOSE and negations(found.query_lead) != negations(found.claim_lead):
        return _differs(found.query_lead, found.claim_lead)
    if sum(negations(e.claim) - negations(e.query) for e in found.edits) != 0:
        for edit in filter(_is_short, found.edits):
            if negations(edit.claim) != negations(edit.query):
                return _differs(edit.query, edit.claim)
    return None


def _opposite(found: Alignment) -> Reason | None:
    """A short change in an otherwise equal passage turns a word to its opposite."""
    if found.likeness < _ALIGNED:
        return None
    for edit in filter(_is_short, found.edits):
        for mine, theirs in reversals(
            edit.before + edit.claim + edit.after, edit.before + edit.query + edit.after
        ):
            return _differs(theirs, mine)
    return None


def _differs(query: str, claim: str) -> Reason:
    return Reason(kind=ReasonKind.NEGATION_DIFFERS, query=query, claim=claim)


def _is_short(edit: Edit) -> bool:
    return max(len(edit.claim), len(edit.query)) <= _SHORT_EDIT


def _debunking(query: Prepared, title: Prepared) -> Reason | None:
    new = [cue for cue in query.facts.cues if cue not in title.facts.cues]
    return Reason(kind=ReasonKind.DEBUNKING_CUE, query=new[0]) if new else None
