"""Facts on which the two texts agree or part: numbers, dates, places, names, denials."""

from collections.abc import Sequence

from matrix.matching.alignment import Alignment
from matrix.matching.bodies import conflicting_bodies
from matrix.matching.facts import find_numbers
from matrix.matching.gazetteer import PlaceHit
from matrix.matching.known_places import known_places
from matrix.matching.prepared import Prepared, PreparedClaim

__all__ = ["matter"]

_NO_PLACE = -1.0
# From this many times the claim's length on, new words are other matter and no difference.
_OTHER_MATTER = 3


def matter(found: Alignment, query: Prepared, claim: PreparedClaim) -> dict[str, float]:
    """Figures about the facts of both sides."""
    title = claim.title
    return {
        **_numbers(found, query, title),
        **_dates(query, title),
        **_places(query, claim),
        **_names(query, title),
        **_polarity(query, claim),
    }


def _numbers(found: Alignment, query: Prepared, title: Prepared) -> dict[str, float]:
    asked, said = query.facts.values, title.facts.values
    units = {number.unit for number in title.facts.numbers if number.value not in asked}
    here = {number.value for number in find_numbers(found.query)}
    return {
        "numbers": min(6, len(said)),
        "numbers_asked": min(10, len(asked)),
        "numbers_shared": len(said & asked),
        "numbers_missing": len(said - asked),
        "numbers_conflicting": sum(
            [n.unit in units and n.value not in said for n in query.facts.numbers]
        ),
        "numbers_new_here": len(here - said),
        "numbers_missing_here": len(said - here),
        "numbers_in_place": sum(
            [
                len(title.slots[slot] - query.slots[slot])
                for slot in title.slots.keys() & query.slots
            ]
        ),
    }


def _dates(query: Prepared, title: Prepared) -> dict[str, float]:
    asked, said = query.facts.dates, title.facts.dates
    conflicting = bool(asked and said) and all(a.contradicts(b) for a in said for b in asked)
    return {
        "dates": len(said),
        "dates_missing": len(said - asked),
        "dates_conflicting": float(conflicting),
    }


def _places(query: Prepared, claim: PreparedClaim) -> dict[str, float]:
    asked = {hit.name for hit in query.places}
    said = {hit.name for hit in claim.title.places}
    return {
        "places_missing": len(said - asked),
        "places_new": len(asked - said - claim.rebuttal_places),
        "places_shared": len(said & asked) / len(said) if said else _NO_PLACE,
        "places_conflicting": _estranged(query.places, claim.title.places),
    }


def _estranged(asked: Sequence[PlaceHit], said: Sequence[PlaceHit]) -> float:
    """1 where each side has a place foreign to all of the other's, a half where one has."""
    if not asked or not said:
        return 0.0
    mine = any(_foreign(one, asked) for one in said)
    theirs = any(_foreign(one, said) for one in asked)
    return (mine + theirs) / 2


def _foreign(one: PlaceHit, others: Sequence[PlaceHit]) -> bool:
    related = known_places().related
    return not any(related(one.area, other.area) for other in others)


def _names(query: Prepared, title: Prepared) -> dict[str, float]:
    near = len(query.plain) < _OTHER_MATTER * len(title.plain)
    return {
        "bodies": len(title.bodies),
        "bodies_conflicting": float(conflicting_bodies(query.bodies, title.bodies) is not None),
        "words_missing": len(title.words - query.words),
        "words_new": len(query.words - title.words) if near else 0.0,
        "cues": len(query.facts.cues),
        "cues_new": len(set(query.facts.cues) - set(title.facts.cues)),
        "asks": min(3, query.asks),
        "claim_asks": min(3, title.asks),
        "modals_missing": len(title.modals - query.modals),
    }


def _polarity(query: Prepared, claim: PreparedClaim) -> dict[str, float]:
    """Pairs that one side denies and the other affirms."""
    title = claim.title
    turned = (title.denied & query.affirmed) - query.denied
    turned |= (title.affirmed & query.denied) - query.affirmed - title.denied
    return {
        "turned": min(6, len(turned)),
        "denied_by_both": min(6, len(title.denied & query.denied)),
        "claim_denials": min(4, title.denials),
        "query_denials": min(10, query.denials),
        "rebuttal_denials": claim.rebuttal_denials,
    }
