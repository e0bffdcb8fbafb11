"""Owner by subject × territory: ordered rules over data, each explained (domain §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matrix.core.directory import Area, AreaKind, Topic, Unit, UnitKind

CLEAR = 3
"""Keyword weight from which a topic is clear; a single strong word suffices."""


class Why(StrEnum):
    """Reasons a route is made of, rendered by the catalogue."""

    TOPIC = "topic"
    PLACE = "place"
    CO_TOPIC = "co-topic"
    FIRST_RESPONSIBLE = "first-responsible"
    SEVERAL_TOWNS = "several-towns"
    VERTICAL = "vertical"
    NOTHING_CLEAR = "nothing-clear"
    NOBODY_REACHABLE = "nobody-reachable"
    NO_SUCH_UNIT = "no-such-unit"
    ABOUT_OWNER = "about-owner"
    OUTSIDE = "outside"
    FOREIGN_NEAR = "foreign-near"
    NATIONAL = "national"
    DESK = "desk"


class Certainty(StrEnum):
    """How sure owner and grade are: whether subject and place are both clear."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


UPWARD = "upward"
"""Where a matter is referred that the district cannot answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A proposed owner. ``owner`` is empty when the duty desk must decide.

    ``refer`` is ``upward`` where the matter is not the district's to answer; owner and co-units
    are then those who would take it if the desk keeps it. ``reasons`` are (why, unit code, topic
    or area code, or the name of a foreign place) in the order in which they applied.
    """

    owner: str = ""
    refer: str = ""
    certainty: Certainty = Certainty.LOW
    co_units: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    about_owner: bool = False
    reasons: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The district's routing data. ``reachable`` are units with a person who can be told."""

    topics: Sequence[Topic]
    units: Mapping[str, Unit]
    areas: Mapping[str, Area]
    reachable: frozenset[str]


def classify(text: str, topics: Sequence[Topic]) -> list[tuple[Topic, int]]:
    """Clear topics with their weights, heaviest first; ties keep the table's order."""
    scored = [(topic, sum(w for word, w in topic.keywords if word in text)) for topic in topics]
    clear = [(topic, weight) for topic, weight in scored if weight >= CLEAR]
    return sorted(clear, key=lambda pair: -pair[1])


def towns_of(areas: Sequence[str], tables: Tables) -> list[str]:
    """Town-level areas above the given ones, in order, without the district itself."""
    found: list[str] = []
    for code in areas:
        area = tables.areas.get(code)
        while area is not None and area.kind is AreaKind.COMMUNITY:
            area = tables.areas.get(area.parent)
        if area is not None and area.kind is AreaKind.TOWN and area.id not in found:
            found.append(area.id)
    return found


def route(text: str, areas: Sequence[str], tables: Tables, foreign: Sequence[str] = ()) -> Route:
    """The proposed owner of a claim.

    ``areas`` are the codes of places found in the text (strong ones and cued weak ones),
    ``foreign`` the names of places outside of the district (``foreign_places``).
    Source: 国办发〔2016〕61号 as read for a district in domain §4.
    """
    clear = [topic for topic, _ in classify(text, tables.topics)]
    national = [topic for topic in clear if topic.national]
    # What is decided above the district names an owner here only where nothing else does.
    topics = [topic for topic in clear if not topic.national] or national
    towns = towns_of(areas, tables)
    town_units = [
        unit.id
        for town in towns
        for unit in tables.units.values()
        if unit.kind is UnitKind.TOWN and unit.area == town and not unit.ended
    ]
    reasons: list[tuple[str, str, str]] = []
    refer = _upward(national, areas, foreign, reasons)
    owner, helpers = _lead(topics, towns, town_units, reasons)
    coordinator = _vertical(owner, tables, reasons)
    if coordinator != owner:
        owner, helpers = coordinator, [owner, *helpers]
    about = _about(text, owner, tables)
    if about:
        reasons.append((Why.ABOUT_OWNER, owner, ""))
    if owner not in tables.reachable and _is_desk(owner, tables):
        owner = ""
    if owner and owner not in tables.reachable:
        missing = Why.NO_SUCH_UNIT if owner not in tables.units else Why.NOBODY_REACHABLE
        reasons.append((missing, owner, ""))
        owner = ""
    co_units = tuple(dict.fromkeys(u for u in helpers if u != owner and u in tables.units))
    return Route(
        owner=owner,
        refer=refer,
        certainty=certainty_of(topic=bool(topics), place=bool(areas), foreign=bool(foreign)),
        co_units=co_units,
        topics=tuple(topic.id for topic in clear),
        areas=tuple(areas),
        about_owner=about,
        reasons=tuple(dict.fromkeys(reasons)),
    )


def certainty_of(*, topic: bool, place: bool, foreign: bool) -> Certainty:
    """Subject and place clear is certain; one of them is not; a foreign place takes one away."""
    clear = topic + place - foreign
    if clear > 1:
        return Certainty.HIGH
    return Certainty.MEDIUM if clear == 1 else Certainty.LOW


def _upward(
    national: Sequence[Topic],
    areas: Sequence[str],
    foreign: Sequence[str],
    reasons: list[tuple[str, str, str]],
) -> str:
    """Rule 3: out of the district, or national policy."""
    refer = ""
    if foreign and areas:
        reasons.append((Why.FOREIGN_NEAR, "", foreign[0]))
    elif foreign:
        reasons.append((Why.OUTSIDE, "", foreign[0]))
        refer = UPWARD
    reasons.extend((Why.NATIONAL, "", topic.id) for topic in national)
    return UPWARD if national else refer


def _lead(
    topics: Sequence[Topic],
    towns: Sequence[str],
    town_units: Sequence[str],
    reasons: list[tuple[str, str, str]],
) -> tuple[str, list[str]]:
    """Rules 1, 2 and 4."""
    if topics:
        first = topics[0]
        reasons.append((Why.TOPIC, first.lead_unit, first.id))
        if len(topics) > 1:
            reasons.append((Why.FIRST_RESPONSIBLE, first.lead_unit, first.id))
        helpers = [unit for topic in topics[1:] for unit in (topic.lead_unit,)]
        helpers += list(first.co_units)
        reasons.extend((Why.CO_TOPIC, unit, first.id) for unit in helpers)
        reasons.extend(
            (Why.PLACE, unit, town) for unit, town in zip(town_units, towns, strict=False)
        )
        if len(towns) > 1:
            reasons.append((Why.SEVERAL_TOWNS, first.lead_unit, ""))
        return first.lead_unit, [*helpers, *town_units]
    if len(town_units) == 1:
        reasons.append((Why.PLACE, town_units[0], towns[0]))
        return town_units[0], []
    reasons.append((Why.NOTHING_CLEAR, "", ""))
    return "", list(town_units)


def _vertical(owner: str, tables: Tables, reasons: list[tuple[str, str, str]]) -> str:
    """Rule 3: a unit under vertical management is coordinated from above, and assists.

    Its coordinator is said in the table of units, or is its superior.
    """
    unit = tables.units.get(owner)
    above = (unit.vertical_coordinator or unit.parent) if unit else ""
    if unit is None or not unit.vertical or not above:
        return owner
    reasons.append((Why.VERTICAL, above, owner))
    return above


def _is_desk(unit: str, tables: Tables) -> bool:
    """The duty desk reads everything: what is its to coordinate, it decides."""
    return unit in tables.units and tables.units[unit].kind is UnitKind.DESK


def _about(text: str, owner: str, tables: Tables) -> bool:
    """Rule 5: the claim is about the lead unit itself."""
    unit = tables.units.get(owner)
    return unit is not None and any(name and name in text for name in (unit.name, unit.short_name))


def alarms(tables: Tables) -> list[tuple[str, str, str]]:
    """What is wrong with the tables: (why, topic or unit code, detail), empty when sound.

    Zero lead units, unknown units and units without a reachable person are never silence.
    """
    found: list[tuple[str, str, str]] = []
    for topic in tables.topics:
        if topic.lead_unit not in tables.units:
            found.append((Why.NO_SUCH_UNIT, topic.id, topic.lead_unit))
        elif topic.lead_unit not in tables.reachable and not _is_desk(topic.lead_unit, tables):
            found.append((Why.NOBODY_REACHABLE, topic.id, topic.lead_unit))
    found.extend(
        (Why.NOBODY_REACHABLE, "", unit.id)
        for unit in tables.units.values()
        if unit.kind is UnitKind.TOWN and unit.id not in tables.reachable and not unit.ended
    )
    return found
