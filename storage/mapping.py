"""Entity ⇄ row, derived from the entity's own field types: one obvious place for each field."""

import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar

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
_READERS: dict[type, dict[str, Callable[[Any], Any]]] = {}
_VALUES: dict[type, tuple[tuple[str, ...], Callable[[Entity], tuple[Any, ...]]]] = {}


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


def _readers(entity: type[Entity]) -> dict[str, Callable[[Any], Any]]:
    if entity in _READERS:
        return _READERS[entity]
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in fields(entity):
        kind, _ = _unwrap(hints(entity)[field.name])
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            readers[field.name] = kind
        elif typing.get_origin(kind) is tuple:
            readers[field.name] = _tuples
    _READERS[entity] = readers
    return readers


_AS_IT_IS = frozenset({str, int, bool, float, datetime, NoneType})
"""What a column takes without a change: nearly all there is, so it is asked first."""


def to_row(entity: Entity) -> dict[str, Any]:
    """Column values of an entity."""
    known = _VALUES.get(type(entity))
    if known is None:
        made = tuple(field.name for field in fields(entity))
        known = _VALUES[type(entity)] = made, attrgetter(*made)
    names, values_of = known
    return {
        name: value if type(value) in _AS_IT_IS else _plain(value)
        for name, value in zip(names, values_of(entity), strict=True)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def from_row(entity: type[E], row: Mapping[str, Any]) -> E:
    """The entity of a row."""
    values = dict(row)
    for name, read in _readers(entity).items():
        value = values[name]
        if value is not None:
            values[name] = read(value)
    return entity(**values)
