"""Entity ⇄ row, derived from the entity's own field types: one obvious place for each field."""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Text
from sqlalchemy.types import TypeEngine

from matrix.core.entity import Entity
from storage.types import Instant

E = TypeVar("E", bound=Entity)

_PLAIN: dict[type, type[TypeEngine[Any]]] = {
    str: Text,
    bool: Boolean,
    int: BigInteger,
    float: Float,
    datetime: Instant,
}


def _unwrap(hint: Any) -> tuple[Any, bool]:
    """The type without ``| None``, and whether it was there."""
    if typing.get_origin(hint) in {typing.Union, UnionType}:
        kinds = [kind for kind in typing.get_args(hint) if kind is not NoneType]
        return kinds[0], True
    return hint, False


_HINTS: dict[type, dict[str, Any]] = {}


def hints(entity: type[Entity]) -> dict[str, Any]:
    """Field name → type."""
    if entity not in _HINTS:
        _HINTS[entity] = typing.get_type_hints(entity)
    return _HINTS[entity]


def columns(entity: type[Entity]) -> list[Column[Any]]:
    """Columns in the order of the fields; ``id`` is the primary key."""
    return [_column(field.name, hints(entity)[field.name]) for field in fields(entity)]


def _column(name: str, hint: Any) -> Column[Any]:
    kind, nullable = _unwrap(hint)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        column: TypeEngine[Any] = Text()
    elif kind in _PLAIN:
        column = _PLAIN[kind]()
    else:
        column = JSON()
    return Column(name, column, nullable=nullable, primary_key=name == "id")


def _tuples(value: Any) -> Any:
    """JSON lists back to tuples, all the way down."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


class _Making(NamedTuple):
    """How an entity is made of a row: what is read otherwise, by place; what sets each field."""

    readers: tuple[tuple[int, Callable[[Any], Any]], ...]
    setters: tuple[Callable[[Any, Any], None], ...]


def _making_of(entity: type[Entity]) -> _Making:
    names = [field.name for field in fields(entity)]
    readers: list[tuple[int, Callable[[Any], Any]]] = []
    for place, name in enumerate(names):
        kind, _ = _unwrap(hints(entity)[name])
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            readers.append((place, kind))
        elif typing.get_origin(kind) is tuple:
            readers.append((place, _tuples))
    return _Making(tuple(readers), tuple(getattr(entity, name).__set__ for name in names))


_making: Callable[[Any], _Making] = cache(_making_of)


_AS_IT_IS = frozenset({str, int, bool, float, datetime, NoneType})
"""What a column takes without a change: nearly all there is, so it is asked first."""


_Values = tuple[tuple[str, ...], Callable[[Entity], tuple[Any, ...]]]


def _values_of(entity: type[Entity]) -> _Values:
    names = tuple(field.name for field in fields(entity))
    return names, attrgetter(*names)


_values: Callable[[Any], _Values] = cache(_values_of)


def to_row(entity: Entity) -> dict[str, Any]:
    """Column values of an entity."""
    names, values_of = _values(type(entity))
    return {
        name: value if type(value) in _AS_IT_IS else _plain(value)
        for name, value in zip(names, values_of(entity), strict=True)
    }


def changed(before: Entity, after: Entity) -> tuple[str, ...]:
    """Names of the fields that differ, in order, and ``version``, which every save changes."""
    names, values_of = _values(type(after))
    pairs = zip(names, values_of(before), values_of(after), strict=True)
    return tuple(name for name, old, new in pairs if name == "version" or old != new)


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def from_row(entity: type[E], row: Sequence[Any]) -> E:
    """The entity of a row, whose values come in the order of the fields.

    Each field is set as ``__init__`` does, without naming forty arguments: half the time.
    """
    making = _making(entity)
    values = list(row)
    for place, read in making.readers:
        value = values[place]
        if value is not None:
            values[place] = read(value)
    made = object.__new__(entity)
    for put, value in zip(making.setters, values, strict=True):
        put(made, value)
    return made


def saved(entity: E) -> E:
    """The entity as it stands after a save: its version counts one more."""
    names, values_of = _values(type(entity))
    made = object.__new__(type(entity))
    for put, value in zip(_making(type(entity)).setters, values_of(entity), strict=True):
        put(made, value)
    _making(type(entity)).setters[names.index("version")](made, entity.version + 1)
    return made
