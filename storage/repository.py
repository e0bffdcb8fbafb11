"""One repository for every kind of entity: rows never leave this room."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from matrix.core.entity import Entity
from matrix.core.errors import NotFound, StaleVersion
from storage.mapping import from_row, to_row

_SLICE = 500
"""Rows per statement: SQLite takes 32,766 parameters."""

E = TypeVar("E", bound=Entity)


def insert_or_skip(connection: AsyncConnection | Connection, table: Table) -> Any:
    """INSERT that does nothing where a unique key is taken, on either database."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def _equal(column: Any, value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value  # type: ignore[no-any-return]


def _unequal(column: Any, value: Any) -> ColumnElement[bool]:
    return column.is_not(None) if value is None else column != value  # type: ignore[no-any-return]


_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "": _equal,
    "ne": _unequal,
    "in": lambda column, value: column.in_(list(value)),
    "notin": lambda column, value: column.not_in(list(value)),
    "lte": operator.le,
    "lt": operator.lt,
    "gte": operator.ge,
    "gt": operator.gt,
    "starts": lambda column, value: column.startswith(value, autoescape=True),
    "ends": lambda column, value: column.endswith(value, autoescape=True),
}


def where(table: Table, criteria: dict[str, Any]) -> ColumnElement[bool]:
    """Criteria as in ``matrix.ports.Repository``. Raises KeyError for an unknown comparison."""
    terms = []
    for key, value in criteria.items():
        name, _, comparison = key.partition("__")
        terms.append(_COMPARE[comparison](table.c[name], value))
    return and_(True, *terms)  # noqa: FBT003


class SqlRepository(Generic[E]):
    """See ``matrix.ports.Repository``."""

    def __init__(
        self, connection: AsyncConnection, entity: type[E], table: Table, written: set[str]
    ) -> None:
        """Works inside the connection's open transaction; ``written`` gets the table's name."""
        self._connection = connection
        self._written = written
        self._entity = entity
        self._table = table

    async def get(self, entity_id: str) -> E:
        """The entity. Raises NotFound."""
        found = await self.maybe(entity_id)
        if found is None:
            raise NotFound(self._table.name)
        return found

    async def maybe(self, entity_id: str) -> E | None:
        """The entity or None."""
        return await self.one(id=entity_id) if entity_id else None

    async def one(self, **criteria: Any) -> E | None:
        """The first match or None."""
        found = await self.find(limit=1, **criteria)
        return found[0] if found else None

    async def find(
        self, *, order: str = "id", limit: int = 0, offset: int = 0, **criteria: Any
    ) -> list[E]:
        """All matches in order; ties are broken by id."""
        query: Select[Any] = select(self._table).where(where(self._table, criteria))
        column = self._table.c[order.lstrip("-")]
        query = query.order_by(column.desc() if order.startswith("-") else column, self._table.c.id)
        if limit:
            query = query.limit(limit)
        if offset:
            query = query.offset(offset)
        rows = (await self._connection.execute(query)).mappings().all()
        return [from_row(self._entity, dict(row)) for row in rows]

    async def count(self, **criteria: Any) -> int:
        """How many match."""
        query = select(func.count()).select_from(self._table).where(where(self._table, criteria))
        return int((await self._connection.execute(query)).scalar_one())

    async def add(self, entity: E) -> E:
        """Insert. Raises StaleVersion where a unique key is taken."""
        self._written.add(self._table.name)
        statement = insert_or_skip(self._connection, self._table).values(**to_row(entity))
        written = await self._connection.execute(statement.returning(self._table.c.id))
        if written.scalar_one_or_none() is None:
            raise StaleVersion(self._table.name)
        return entity

    async def add_all(self, entities: Sequence[E]) -> None:
        """Insert several in one statement."""
        if entities:
            self._written.add(self._table.name)
            await self._connection.execute(self._table.insert(), [to_row(one) for one in entities])

    async def save(self, entity: E) -> E:
        """Update where id and version match. Raises StaleVersion."""
        self._written.add(self._table.name)
        row = to_row(entity)
        row["version"] = entity.version + 1
        statement = (
            update(self._table)
            .where(self._table.c.id == entity.id, self._table.c.version == entity.version)
            .values(**row)
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            raise StaleVersion(self._table.name)
        return from_row(self._entity, row)

    async def save_all(self, entities: Sequence[E]) -> list[E]:
        """Update several where their versions still stand. Raises StaleVersion."""
        rows = [{**to_row(one), "version": one.version + 1} for one in entities]
        for start in range(0, len(rows), _SLICE):
            await self._save_slice(entities[start : start + _SLICE], rows[start : start + _SLICE])
        return [from_row(self._entity, row) for row in rows]

    async def _save_slice(self, entities: Sequence[E], rows: Sequence[dict[str, Any]]) -> None:
        table = self._table
        # The rows are held until the commit, so that the versions compared here still stand then.
        held = select(table.c.id, table.c.version).where(table.c.id.in_([e.id for e in entities]))
        found = await self._connection.execute(held.with_for_update())
        if {(one.id, one.version) for one in found} != {(e.id, e.version) for e in entities}:
            raise StaleVersion(table.name)
        statement = update(table).where(table.c.id == bindparam("the_id"))
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "id"}
        await self._connection.execute(
            statement.values(**values), [{**row, "the_id": row["id"]} for row in rows]
        )

    async def remove(self, entity_id: str) -> None:
        """Delete."""
        self._written.add(self._table.name)
        await self._connection.execute(delete(self._table).where(self._table.c.id == entity_id))

    async def clear(self, **criteria: Any) -> int:
        """Delete all matches; how many."""
        self._written.add(self._table.name)
        statement = delete(self._table).where(where(self._table, criteria))
        return (await self._connection.execute(statement)).rowcount
