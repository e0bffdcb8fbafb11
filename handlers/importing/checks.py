"""What can be wrong with a row that its cells alone do not show."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from handlers.access import in_force
from handlers.calendars import overlapping
from handlers.importing.rows import Column, Table, Values
from matrix.core.bulletin import Bulletin
from matrix.core.calendar import WorkCalendar
from matrix.core.directory import Account, Area, AreaKind, Post, Tier
from matrix.core.entity import Entity
from matrix.core.roles import OWNERS, Role

__all__ = ["NEEDS_UNIT", "Finding", "cycle", "sense", "unknown_references"]

Finding = tuple[str, str, str]
"""Column, code of the fault, what it quotes."""

NEEDS_UNIT = frozenset({*OWNERS, Role.SUPERVISOR})
"""Roles whose jurisdiction is their unit: without one they would reach nothing."""


def unknown_references(
    table: Table, values: Values, known: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Codes and handles that are neither stored nor in the files."""
    for column in table.columns:
        for code in _referred(column, values):
            if code and code not in known[column.refers]:
                yield column.name, "unknown_reference", code


def _referred(column: Column, values: Values) -> tuple[str, ...]:
    value: Any = values.get(column.target) if column.refers else ""
    if not value:
        return ()
    return value if isinstance(value, tuple) else (value,)


def sense(entity: Entity) -> Iterator[Finding]:
    """Fields that contradict each other. Allies need recorded consent (domain §8)."""
    match entity:
        case Area():
            yield from _span(entity.valid_from, entity.valid_to)
            if entity.kind is not AreaKind.DISTRICT and not entity.parent:
                yield "parent", "empty", ""
        case Post():
            yield from _post(entity)
        case Account(tier=Tier.ALLY, consent_on=""):
            yield "consent_on", "empty", ""
        case WorkCalendar() if overlapping(entity):
            yield "blocks", "blocks_overlap", ""
        case Bulletin():
            yield from _after_issue(entity)


def serves(post: Post, person: str, unit: str, day: str) -> bool:
    """Whether somebody can do a unit's work on a day by this post."""
    there = (post.person, post.unit) == (person, unit) and post.role in {*OWNERS, Role.DESK}
    return there and in_force(post, day)


def _post(post: Post) -> Iterator[Finding]:
    yield from _span(post.valid_from, post.valid_to)
    if post.role in NEEDS_UNIT and not post.unit:
        yield "unit", "empty", ""
    if post.deputy_of == post.person:
        yield "deputy_of", "self_reference", ""


def _span(begin: str, end: str) -> Iterator[Finding]:
    if begin and end and end < begin:
        yield "valid_to", "dates_reversed", end


def _after_issue(bulletin: Bulletin) -> Iterator[Finding]:
    for column, at in (("expires_on", bulletin.expires_at), ("review_on", bulletin.review_at)):
        if at and bulletin.issued_at and at < bulletin.issued_at:
            yield column, "dates_reversed", ""


def cycle(start: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The way from a code over its parents back to itself, empty when there is none."""
    way = [start]
    while (above := parents.get(way[-1], "")) and above not in way:
        way.append(above)
    return (*way, start) if above == start else ()
