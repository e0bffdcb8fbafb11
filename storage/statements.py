"""The repository's statements, each built once for every shape in which it is asked.

To build a statement costs more than to run it: of 740 µs for one row by its id, 440 were spent on
putting the same SELECT together again (docs/performance.md, Intake).
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


class Term(NamedTuple):
    """One criterion without its value. ``null`` tells whether that is None.

    ``word`` is the value where it stands in the statement itself.
    """

    column: str
    comparison: str
    null: bool
    word: str = ""

    @property
    def parameter(self) -> str:
        """What the value is called; SET has its own names, the columns'."""
        return f"{self.column}__{self.comparison}"


@dataclass(frozen=True, slots=True)
class Question:
    """Criteria as in ``matrix.ports.Repository``, taken apart into shape and values."""

    terms: tuple[Term, ...]
    values: Mapping[str, Any]


def question(criteria: Mapping[str, Any]) -> Question:
    """Shape and values. Raises KeyError for an unknown comparison."""
    keys = [
        (key, value is None, str(value) if value and key in _WRITTEN else "")
        for key, value in criteria.items()
    ]
    shape = _shape(tuple(keys))
    values = {
        parameter: value if given is None else given(value)
        for (parameter, given), value in zip(shape.given, criteria.values(), strict=True)
        if parameter and value is not None
    }
    return Question(shape.terms, values)


class _Shape(NamedTuple):
    """Criteria without their values; ``given`` are the parameters and what is made of a value."""

    terms: tuple[Term, ...]
    given: tuple[tuple[str, Callable[[Any], Any] | None], ...]


_WRITTEN = frozenset({"state", "error"})
"""Columns in the conditions of indexes: SQLite would plan a statement anew, 300 µs, for every value
of a parameter that is compared with one. Their values are few words of our own."""
_WORD = re.compile(r"[a-z][a-z0-9-]*")


@cache
def _shape(keys: tuple[tuple[str, bool, str], ...]) -> _Shape:
    terms = []
    for key, null, word in keys:
        column, _, comparison = key.partition("__")
        terms.append(Term(column, comparison, null, word if _WORD.fullmatch(word) else ""))
    given = [("" if one.word else one.parameter, _GIVEN.get(one.comparison)) for one in terms]
    return _Shape(tuple(terms), tuple(given))


def _escaped(value: str) -> str:
    return value.replace("/", "//").replace("%", "/%").replace("_", "/_")


_GIVEN: dict[str, Callable[[Any], Any]] = {
    "in": list, "notin": list, "starts": _escaped, "ends": _escaped,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "": operator.eq,
    "ne": operator.ne,
    "in": lambda column, values: column.in_(values),
    "notin": lambda column, values: column.not_in(values),
    "lte": operator.le,
    "lt": operator.lt,
    "gte": operator.ge,
    "gt": operator.gt,
    "starts": lambda column, value: column.startswith(value, escape="/"),
    "ends": lambda column, value: column.endswith(value, escape="/"),
}
_NULL: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "": lambda column: column.is_(None),
    "ne": lambda column: column.is_not(None),
}


def where(table: Table, terms: tuple[Term, ...]) -> ColumnElement[bool]:
    """The condition; the values go in as parameters."""
    return and_(True, *(_condition(table.c[term.column], term) for term in terms))  # noqa: FBT003


def _condition(column: Any, term: Term) -> ColumnElement[bool]:
    if term.null:
        return _NULL[term.comparison](column)
    if term.word:
        return _COMPARE[""](column, literal_column(f"'{term.word}'"))
    many = term.comparison in {"in", "notin"}
    return _COMPARE[term.comparison](column, bindparam(term.parameter, expanding=many))


@cache
def names_of(table: Table) -> tuple[str, ...]:
    """The columns' names, in the order in which ``find`` returns them."""
    return tuple(one.name for one in table.c)


@cache
def find(
    table: Table, terms: tuple[Term, ...], order: str, *, limit: bool, offset: bool
) -> Select[Any]:
    """SELECT in order, ties by id; parameters ``the_limit`` and ``the_offset`` where asked for."""
    query: Select[Any] = select(table).where(where(table, terms))
    column = table.c[order.lstrip("-")]
    query = query.order_by(column.desc() if order.startswith("-") else column, table.c.id)
    if limit:
        query = query.limit(bindparam("the_limit"))
    if offset:
        query = query.offset(bindparam("the_offset"))
    return query


@cache
def count(table: Table, terms: tuple[Term, ...]) -> Select[int]:
    """How many match."""
    return select(func.count()).select_from(table).where(where(table, terms))


@cache
def clear(table: Table, terms: tuple[Term, ...]) -> Delete:
    """DELETE of all that match."""
    return delete(table).where(where(table, terms))


@cache
def held(table: Table) -> Select[Any]:
    """Id and version of the rows ``the_ids``, which nobody else changes until the commit."""
    ids = bindparam("the_ids", expanding=True, type_=Text)
    return select(table.c.id, table.c.version).where(table.c.id.in_(ids)).with_for_update()


@cache
def save(table: Table, columns: tuple[str, ...], *, versioned: bool) -> Update:
    """UPDATE of these columns of the row ``the_id``, where it still has ``the_version``."""
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    statement = update(table).where(table.c.id == bindparam("the_id")).values(values)
    if versioned:
        statement = statement.where(table.c.version == bindparam("the_version"))
    return statement


@cache
def insert(table: Table) -> Insert:
    """INSERT of every column."""
    return table.insert().values({one.name: bindparam(one.name) for one in table.c})


def insert_or_skip(connection: AsyncConnection | Connection, table: Table) -> Any:
    """INSERT that does nothing where a unique key is taken, on either database."""
    return _insert(table, connection.dialect.name == "sqlite")


@cache
def _insert(table: Table, of_sqlite: bool) -> Any:  # a key of the cache
    dialect = sqlite if of_sqlite else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


@cache
def add(table: Table, *, of_sqlite: bool) -> Any:
    """INSERT that returns the id, or nothing where a unique key is taken."""
    return _insert(table, of_sqlite).returning(table.c.id)


@cache
def next_number(series: Table, *, of_sqlite: bool) -> Any:
    """The new value of the series ``the_name`` after ``the_count`` more."""
    name, more = bindparam("the_name", type_=Text), bindparam("the_count", type_=BigInteger)
    dialect = sqlite if of_sqlite else postgresql
    added = dialect.insert(series).values(name=name, value=more)
    return added.on_conflict_do_update(
        index_elements=[series.c.name], set_={"value": series.c.value + more}
    ).returning(series.c.value)


@cache
def keep(setting: Table, *, of_sqlite: bool) -> Any:
    """The setting ``the_name`` is ``the_value`` from now on."""
    dialect = sqlite if of_sqlite else postgresql
    value = bindparam("the_value", type_=setting.c.value.type)
    insert = dialect.insert(setting).values(name=bindparam("the_name", type_=Text), value=value)
    return insert.on_conflict_do_update(
        index_elements=[setting.c.name], set_={"value": insert.excluded.value}
    )


@cache
def sighted(sighting: Table, lead: Table, *, claims: bool, cases: bool) -> Select[Any]:
    """What ``Work.sighted`` counts; parameters ``the_claim`` and ``the_case`` where asked for."""
    one = sighting.c
    attached = select(lead.c.id).where(lead.c.case == bindparam("the_case"))
    which = [one.claim == bindparam("the_claim")] * claims + [one.lead.in_(attached)] * cases
    return select(
        func.count(),
        func.count(one.person.distinct()),
        func.count(func.nullif(one.area, "").distinct()),
        func.count(one.chat.distinct()),
        func.count(case((one.seen_at > bindparam("the_instant"), 1))),
        type_coerce(func.min(one.seen_at), one.seen_at.type),
    ).where(or_(*which))
