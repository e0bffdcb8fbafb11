"""Statements past SQLAlchemy's engine: what it does around one costs twenty times the statement.

To run an expression SQLAlchemy makes a context, a cursor, a result with its keys, and an
asynchronous driver a greenlet: 100 µs around the 5 µs that SQLite takes for a row by its id
(docs/performance.md). In a transaction that writes on SQLite a statement is put into text once,
with SQLAlchemy's own conversions of values, and then goes to the connection as it is. All others go
the usual way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import JSON, Boolean
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.driver import Connection
from storage.types import Instant

Convert = Callable[[Any], Any]
Row = Sequence[Any]
_DIALECT: Any = SQLiteDialect_pysqlite()


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement as SQLite takes it. ``given`` are its parameters by position.

    ``lists`` are parameters of IN: the text has room for just as many values as they had.
    """

    sql: str
    given: tuple[tuple[str, Convert | None], ...]
    lists: tuple[str, ...]
    constants: Mapping[str, Any]
    read: tuple[tuple[int, Convert], ...]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        known = {**self.constants, **values} if self.constants or self.lists else dict(values)
        for name in self.lists:
            known |= {f"{name}_{place}": one for place, one in enumerate(values[name], 1)}
        return [
            known[name] if convert is None else convert(known[name]) for name, convert in self.given
        ]

    def rows(self, found: Iterable[Row]) -> list[Row]:
        return [self._row(one) for one in found] if self.read else list(found)

    def _row(self, row: Row) -> Row:
        values = list(row)
        for place, convert in self.read:
            values[place] = convert(values[place])
        return values


@cache
def _lists(statement: Any) -> tuple[str, ...]:
    """Kept for ever, as plans are: statements are made once for each shape."""
    compiled = statement.compile(dialect=_DIALECT)
    return tuple(sorted(one.key for one in compiled.post_compile_params))


@lru_cache(4096)
def _plan(statement: Any, lists: tuple[str, ...], lengths: tuple[int, ...]) -> _Plan:
    compiled = statement.compile(dialect=_DIALECT)
    filled = {name: [""] * length for name, length in zip(lists, lengths, strict=True)}
    expanded = compiled.construct_expanded_state(dict.fromkeys(compiled.binds) | filled)
    binders = {name: _binder(one.type) for name, one in compiled.binds.items()}
    for name, length in zip(lists, lengths, strict=True):
        binders |= {f"{name}_{place}": binders[name] for place in range(1, length + 1)}
    columns = [one.type for one in compiled._result_columns]  # noqa: SLF001
    readers = [_reader(one) for one in columns]
    return _Plan(
        expanded.statement,
        tuple((name, binders[name]) for name in expanded.positiontup),
        lists,
        {name: value for name, value in compiled.params.items() if value is not None},
        tuple((place, one) for place, one in enumerate(readers) if one is not None),
    )


@cache
def _listless(statement: Any) -> _Plan | None:
    """The plan of a statement that has no parameters of IN: there is but one."""
    return None if _lists(statement) else _plan(statement, (), ())


def _binder(kind: Any) -> Convert | None:
    # What SQLAlchemy does around these, at each value, the driver does itself or nobody needs.
    if isinstance(kind, Boolean):
        return None
    if isinstance(kind, Instant):
        return kind.micros
    found: Convert | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return _written(found) if found is not None and isinstance(kind, JSON) else found


def _reader(kind: Any) -> Convert | None:
    if isinstance(kind, Instant):
        return kind.instant
    found: Convert | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return _read(found) if found is not None and isinstance(kind, JSON) else found


def _written(convert: Convert) -> Convert:
    """JSON; of a lead's forty values thirty are empty, and need nobody to work them out."""

    def write(value: Any) -> Any:
        if not value and type(value) in {list, dict}:
            return "[]" if type(value) is list else "{}"
        return convert(value)

    return write


def _read(convert: Convert) -> Convert:
    def read(value: Any) -> Any:
        empty = _EMPTY.get(value)
        return empty() if empty else convert(value)

    return read


_EMPTY: Mapping[Any, Callable[[], Any]] = {"[]": list, "{}": dict}


class Hand:
    """Runs the statements of one transaction; expressions must be made once and kept."""

    def __init__(self, connection: AsyncConnection, driver: Connection | None = None) -> None:
        """``driver`` is SQLite's own connection, where this transaction writes."""
        self._connection = connection
        self._driver = driver

    async def rows(self, statement: Any, values: Mapping[str, Any]) -> Sequence[Row]:
        """All rows, in the order of the statement's columns."""
        plan = self._straight(statement, values)
        if plan is None or self._driver is None:
            return (await self._connection.execute(statement, values)).all()
        return plan.rows(self._driver.run_now(plan.sql, plan.parameters(values))[0])

    async def scalar(self, statement: Any, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        found = await self.rows(statement, values)
        return found[0][0] if found else None

    async def changed(self, statement: Any, values: Mapping[str, Any]) -> int:
        """How many rows were written."""
        plan = self._straight(statement, values)
        if plan is None or self._driver is None:
            return (await self._connection.execute(statement, values)).rowcount
        return self._driver.run_now(plan.sql, plan.parameters(values))[1]

    async def each(self, statement: Any, values: Sequence[Mapping[str, Any]]) -> None:
        """Write several rows with one statement."""
        plan = self._straight(statement, values[0]) if len(values) <= _SOME else None
        if plan is None or self._driver is None:
            await self._connection.execute(statement, values)
            return
        self._driver.run_many_now(plan.sql, [plan.parameters(one) for one in values])

    async def say(self, command: str) -> None:
        """A command without values or rows."""
        if self._driver is not None and self._driver.writes:
            self._driver.run_now(command, ())
        else:
            await self._connection.exec_driver_sql(command)

    def _straight(self, statement: Any, values: Mapping[str, Any]) -> _Plan | None:
        if self._driver is None or not self._driver.writes:
            return None
        plan = _listless(statement)
        if plan is not None:
            return plan
        lists = _lists(statement)
        lengths = tuple(len(values[name]) for name in lists)
        # Of nothing SQLAlchemy makes a condition of its own.
        return _plan(statement, lists, lengths) if all(0 < n <= _FEW for n in lengths) else None


_FEW = 50
"""Values of IN for which a text is kept."""
_SOME = 200
"""Rows that are written in a millisecond or two; more go aside and hold up nothing."""
