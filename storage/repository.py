"""One repository for every kind of entity: rows never leave this room."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from matrix.core.entity import Entity
from matrix.core.errors import NotFound, StaleVersion
from storage import statements
from storage.mapping import changed, from_row, saved, to_row
from storage.statements import names_of
from storage.straight import Hand

_SLICE = 500
"""Rows per statement: SQLite takes 32,766 parameters."""

E = TypeVar("E", bound=Entity)


def _given(entity: Entity, columns: Sequence[str]) -> dict[str, Any]:
    """The parameters of a save."""
    row = to_row(entity)
    row["version"] += 1
    return {"the_id": entity.id, **{name: row[name] for name in columns}}


class SqlRepository(Generic[E]):
    """See ``matrix.ports.Repository``.

    What a transaction has read or written it knows: asked by id again, it does not read again.
    Should somebody else have changed it meanwhile, saving it finds that out.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        hand: Hand,
        entity: type[E],
        table: Table,
        written: set[str],
        changed: set[str],
    ) -> None:
        """Works inside the connection's open transaction.

        ``written`` gets the table's name, ``changed`` too where rows that stood are others now.
        """
        self._connection = connection
        self._hand = hand
        self._written = written
        self._changed = changed
        self._entity = entity
        self._table = table
        self._known: dict[str, E] = {}

    async def get(self, entity_id: str) -> E:
        """The entity. Raises NotFound."""
        found = await self.maybe(entity_id)
        if found is None:
            raise NotFound(self._table.name)
        return found

    async def maybe(self, entity_id: str) -> E | None:
        """The entity or None."""
        if not entity_id or entity_id in self._known:
            return self._known.get(entity_id)
        return await self.one(id=entity_id)

    async def load(self, ids: Iterable[str]) -> None:
        """Read several at once; afterwards they are known."""
        unknown = [one for one in dict.fromkeys(ids) if one and one not in self._known]
        if unknown:
            await self.find(id__in=unknown)

    def forget(self) -> None:
        """Somebody has changed rows past this repository."""
        self._known.clear()

    async def one(self, **criteria: Any) -> E | None:
        """The first match or None."""
        found = await self.find(limit=1, **criteria)
        return found[0] if found else None

    async def find(
        self, *, order: str = "id", limit: int = 0, offset: int = 0, **criteria: Any
    ) -> list[E]:
        """All matches in order; ties are broken by id."""
        asked = statements.question(criteria)
        query = statements.find(
            self._table, asked.terms, order, limit=bool(limit), offset=bool(offset)
        )
        values = {"the_limit": limit, "the_offset": offset, **asked.values}
        return [
            self._remember(from_row(self._entity, row))
            for row in await self._hand.rows(query, values)
        ]

    def _remember(self, entity: E) -> E:
        self._known[entity.id] = entity
        return entity

    async def count(self, **criteria: Any) -> int:
        """How many match."""
        asked = statements.question(criteria)
        query = statements.count(self._table, asked.terms)
        return int(await self._hand.scalar(query, asked.values))

    async def add(self, entity: E) -> E:
        """Insert. Raises StaleVersion where a unique key is taken."""
        self._written.add(self._table.name)
        of_sqlite = self._connection.dialect.name == "sqlite"
        statement = statements.add(self._table, of_sqlite=of_sqlite)
        if await self._hand.scalar(statement, to_row(entity)) is None:
            raise StaleVersion(self._table.name)
        return self._remember(entity)

    async def add_all(self, entities: Sequence[E]) -> None:
        """Insert several in one statement."""
        if entities:
            self._written.add(self._table.name)
            await self._hand.each(statements.insert(self._table), [to_row(one) for one in entities])

    async def save(self, entity: E) -> E:
        """Update where id and version match. Raises StaleVersion."""
        self._alter()
        columns = self._columns([entity])
        statement = statements.save(self._table, columns, versioned=True)
        given = {"the_version": entity.version, **_given(entity, columns)}
        if await self._hand.changed(statement, given) != 1:
            self._known.pop(entity.id, None)
            raise StaleVersion(self._table.name)
        return self._remember(saved(entity))

    async def save_all(self, entities: Sequence[E]) -> list[E]:
        """Update several where their versions still stand. Raises StaleVersion."""
        if entities:
            self._alter()
        for start in range(0, len(entities), _SLICE):
            await self._save_slice(entities[start : start + _SLICE])
        return [self._remember(saved(one)) for one in entities]

    async def _save_slice(self, entities: Sequence[E]) -> None:
        table = self._table
        # The rows are held until the commit, so that the versions compared here still stand then.
        held = await self._hand.rows(statements.held(table), {"the_ids": [e.id for e in entities]})
        if {tuple(one) for one in held} != {(e.id, e.version) for e in entities}:
            self.forget()
            raise StaleVersion(table.name)
        columns = self._columns(entities)
        statement = statements.save(table, columns, versioned=False)
        await self._hand.each(statement, [_given(one, columns) for one in entities])

    def _columns(self, entities: Sequence[E]) -> tuple[str, ...]:
        """What a save writes: what is new since the row was read, or all where it was not.

        An index is written for every column of its own that stands in an UPDATE, changed or not.
        """
        differ: set[str] = set()
        for one in entities:
            known = self._known.get(one.id)
            if known is None or known.version != one.version:
                return tuple(name for name in names_of(self._table) if name != "id")
            differ.update(changed(known, one))
        return tuple(name for name in names_of(self._table) if name in differ)

    def _alter(self) -> None:
        self._written.add(self._table.name)
        self._changed.add(self._table.name)

    async def remove(self, entity_id: str) -> None:
        """Delete."""
        self._alter()
        self._known.pop(entity_id, None)
        await self._connection.execute(delete(self._table).where(self._table.c.id == entity_id))

    async def clear(self, **criteria: Any) -> int:
        """Delete all matches; how many."""
        self._alter()
        self.forget()
        asked = statements.question(criteria)
        statement = statements.clear(self._table, asked.terms)
        return (await self._connection.execute(statement, asked.values)).rowcount
