"""Many deliveries in one statement: put in, marked *sending*, settled. States come from outside."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    JSON,
    Text,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger

from matrix.core.delivery import Delivery, DeliveryState, Parcel
from matrix.ports import Mark, Verdict
from storage.mapping import to_row
from storage.prepared import Prepared, prepare
from storage.tables import TABLES

_T = TABLES["deliveries"][1]
_SLICE = 10_000
"""Rows per INSERT: some megabytes of JSON."""

_TARGET = ("id", "address", "account", "purpose", "dedup")
_VERDICT = (
    ("id", Text()), ("attempt_id", Text()), ("state", Text()), ("remote_id", Text()),
    ("error", Text()), ("sent_at", BigInteger()), ("not_before", BigInteger()),
    ("attempt", BigInteger()),
)  # fmt: skip
_MICRO = 1_000_000
_MARK = (
    "subject", "first", "last", "platforms", "at", "limit", "source", "target", "dropped",
    "reason", "attempt_id", "executor",
)  # fmt: skip
_NUMBERS = {"at", "limit"}


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """See ``matrix.ports.Ledger``. ``changed`` is told of rows written past their repository."""

    connection: AsyncConnection
    changed: Callable[[], None]

    @property
    def _sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    async def post(self, template: Delivery, targets: Sequence[tuple[str, str, str]]) -> list[str]:
        """Put in one delivery per target; returns their ids, ascending."""
        given = _given([(name, Text()) for name in _TARGET], sqlite=self._sqlite)
        constant = {
            name: literal(value, _T.c[name].type)
            for name, value in to_row(template).items()
            if name not in given
        }
        values = {**constant, **given}
        statement = insert(_T).from_select(
            list(values), select(*(one.label(name) for name, one in values.items()))
        )
        ids = [f"{template.id}-{number:06x}" for number in range(len(targets))]
        for start in range(0, len(ids), _SLICE):
            rows = [
                (one, address, account, purpose, purpose or None)
                for one, (address, account, purpose) in zip(
                    ids[start : start + _SLICE], targets[start : start + _SLICE], strict=True
                )
            ]
            await self.connection.execute(statement, {"rows": json.dumps(rows)})
        return ids

    async def mark(self, mark: Mark) -> list[Parcel]:
        """Mark what is due in a stretch; returns what was marked as it is now, by id."""
        self.changed()
        values = _values(mark)
        if not self._sqlite:
            marked = await self._run(_mark_statement(sqlite=False), values)
            return _parcels(sorted(marked))
        await self._run(_mark_statement(sqlite=True), values)
        return await self.marked(mark)

    async def marked(self, mark: Mark) -> list[Parcel]:
        """What the attempt has marked, dropped ones too, by id."""
        rows = await self._run(_marked_statement(sqlite=self._sqlite), _values(mark))
        return _parcels(json.loads(rows[0][0]) if self._sqlite else rows)

    async def settle(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Write the outcomes where the attempt still stands; returns the ids that were written."""
        if not verdicts:
            return set()
        self.changed()
        rows = [
            (one.id, one.attempt_id, one.state, one.remote_id, one.error,
             _micro(one.sent_at), _micro(one.not_before), one.attempt)
            for one in verdicts
        ]  # fmt: skip
        values = {"rows": json.dumps(rows), "the_source": source}
        if not self._sqlite:
            return {row[0] for row in await self._run(_settle_statement(sqlite=False), values)}
        # Nobody comes between: the transaction holds the file's lock (see ``_marked_statement``).
        standing = await self._run(_standing_statement(), values)
        await self._run(_settle_statement(sqlite=True), values)
        return set(json.loads(standing[0][0]))

    async def _run(self, statement: Prepared, values: dict[str, Any]) -> Sequence[Any]:
        """Straight to the driver: a statement that is a text already costs a fifth."""
        result = await self.connection.exec_driver_sql(statement.sql, statement.given(values))
        return result.all() if result.returns_rows else ()

    async def drop(self, subject: str, source: str, target: str, reason: str) -> int:
        """Move all of a subject at once; returns how many."""
        self.changed()
        statement = update(_T).where(_T.c.subject == subject, _T.c.state == source)
        moved = statement.values(state=target, error=reason, version=_T.c.version + 1)
        return (await self.connection.execute(moved)).rowcount

    async def waiting(self, subject: str, source: str) -> dict[str, list[str]]:
        """Ids of a subject's rows in a state by their platforms, ascending."""
        query = select(_T.c.platform, _T.c.id).where(_T.c.subject == subject, _T.c.state == source)
        found: dict[str, list[str]] = {}
        for platform, one in await self.connection.execute(query.order_by(_T.c.id)):
            found.setdefault(platform, []).append(one)
        return found

    async def next_due(self, mark: Mark) -> datetime | None:
        """When the first row of a stretch may go that may not go yet; None when there is none."""
        rows = await self._run(_due_statement(sqlite=self._sqlite), _values(mark))
        found: int | None = rows[0][0]
        return None if found is None else datetime.fromtimestamp(found / _MICRO, UTC)


def _given(names: Sequence[tuple[str, Any]], *, sqlite: bool) -> dict[str, Any]:
    """Columns of the rows in the parameter ``rows``, a JSON array of arrays."""
    rows = bindparam("rows", type_=Text())
    if sqlite:
        table = func.json_each(rows).table_valued("value", name="given")
        return {
            name: func.json_extract(table.c.value, literal_column(f"'$[{place}]'"))
            for place, (name, _) in enumerate(names)
        }
    table = func.json_array_elements(cast(rows, JSON)).table_valued("value", name="given")
    return {
        name: cast(table.c.value.op("->>")(literal_column(str(place))), kind)
        for place, (name, kind) in enumerate(names)
    }


def _state() -> Any:
    """The state, not by its index: SQLite would read every row that is pending, or sending."""
    return func.coalesce(_T.c.state, "")


def _values(mark: Mark) -> dict[str, Any]:
    values = {f"the_{name}": getattr(mark, name) for name in _MARK}
    values["the_platforms"] = json.dumps(list(mark.platforms))
    values["the_at"] = _micro(mark.at)
    return values


def _asked() -> dict[str, Any]:
    return {
        name: bindparam(f"the_{name}", type_=BigInteger() if name in _NUMBERS else Text())
        for name in _MARK
    }


def _stretch(given: dict[str, Any], *, sqlite: bool) -> tuple[Any, ...]:
    """What a mark is about, due or not."""
    of = func.json_each if sqlite else func.json_array_elements_text
    names = given["platforms"] if sqlite else cast(given["platforms"], JSON)
    platforms = select(of(names).table_valued("value", name="platforms").c.value)
    return (
        _T.c.subject == given["subject"], _T.c.id >= given["first"], _T.c.id <= given["last"],
        _T.c.state == given["source"], _T.c.platform.in_(platforms),
    )  # fmt: skip


# Compared as the numbers they are: the driver gets no instant.
_NOT_BEFORE, _GIVE_UP_AT = (
    type_coerce(one, BigInteger()) for one in (_T.c.not_before, _T.c.give_up_at)
)


@cache
def _due_statement(*, sqlite: bool) -> Prepared:
    query = select(func.min(_NOT_BEFORE)).where(*_stretch(_asked(), sqlite=sqlite))
    return prepare(query, sqlite=sqlite)


@cache
def _mark_statement(*, sqlite: bool) -> Prepared:
    given = _asked()
    picked = (
        select(_T.c.id)
        .where(
            *_stretch(given, sqlite=sqlite),
            or_(_NOT_BEFORE.is_(None), given["at"] >= _NOT_BEFORE),
        )
        .order_by(_T.c.id)
        .limit(given["limit"])
    )
    late = given["at"] >= _GIVE_UP_AT
    statement = (
        update(_T)
        .where(_T.c.id.in_(picked), _state() == given["source"])
        .values(
            state=case((late, given["dropped"]), else_=given["target"]),
            error=case((late, given["reason"]), else_=""),
            attempt=_T.c.attempt + 1,
            attempt_id=given["attempt_id"],
            executor=given["executor"],
            version=_T.c.version + 1,
        )
    )
    return prepare(statement if sqlite else statement.returning(*_parcel()), sqlite=sqlite)


@cache
def _marked_statement(*, sqlite: bool) -> Prepared:
    """What was marked; on SQLite as one JSON value.

    Its driver lets other threads run at every row that it fetches, and then waits for them: a
    chunk's fifty rows took longer to fetch than to find.
    """
    given = _asked()
    mine = (
        _T.c.subject == given["subject"], _T.c.id >= given["first"], _T.c.id <= given["last"],
        _T.c.attempt_id == given["attempt_id"],
    )  # fmt: skip
    if not sqlite:
        return prepare(select(*_parcel()).where(*mine).order_by(_T.c.id), sqlite=False)
    rows = select(func.json_array(*_parcel()).label("row"))
    ordered = rows.where(*mine).order_by(_T.c.id).subquery()
    return prepare(select(func.json_group_array(func.json(ordered.c.row))), sqlite=True)


def _parcel() -> list[Any]:
    """The columns of a parcel, its content as text."""
    plain = [_T.c[name] for name in Parcel._fields if name != "content"]
    return [*plain, cast(_T.c.content, Text())]


def _stands(given: dict[str, Any]) -> tuple[Any, ...]:
    """The row is still as the attempt has left it."""
    source = bindparam("the_source", type_=Text())
    return (
        _T.c.id == given["id"], _T.c.attempt_id == given["attempt_id"], _state() == source,
    )  # fmt: skip


@cache
def _standing_statement() -> Prepared:
    given = _given(_VERDICT, sqlite=True)
    return prepare(select(func.json_group_array(_T.c.id)).where(*_stands(given)), sqlite=True)


@cache
def _settle_statement(*, sqlite: bool) -> Prepared:
    given = _given(_VERDICT, sqlite=sqlite)
    fields = ("state", "remote_id", "error", "sent_at", "not_before", "attempt")
    values = {**{name: given[name] for name in fields}, "version": _T.c.version + 1}
    statement = update(_T).where(*_stands(given)).values(values)
    return prepare(statement if sqlite else statement.returning(_T.c.id), sqlite=sqlite)


_STATES = {str(one): one for one in DeliveryState}


def _parcels(rows: Iterable[Sequence[Any]]) -> list[Parcel]:
    return [
        Parcel(one, attempt, attempt_id, _STATES[state], platform, address, purpose, _read(content))
        for one, attempt, attempt_id, state, platform, address, purpose, content in rows
    ]


@lru_cache(maxsize=64)
def _read(content: str) -> Mapping[str, object]:
    """The same text for thousands is read once. Nobody changes what comes out."""
    read: dict[str, object] = json.loads(content)
    return MappingProxyType(read)


def _micro(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * _MICRO)
