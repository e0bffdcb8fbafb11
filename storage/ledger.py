"""Many deliveries in one statement: put in, marked *sending*, settled. States come from outside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger

from matrix.core.delivery import Delivery, DeliveryState, Lane
from matrix.ports import Mark, Verdict
from storage.mapping import to_row
from storage.tables import TABLES
from storage.types import Instant

_T = TABLES["deliveries"][1]
_SLICE = 10_000
"""Rows per INSERT: some megabytes of JSON."""

_TARGET = ("id", "address", "account", "purpose", "dedup")
_VERDICT = (
    ("id", Text()), ("attempt_id", Text()), ("state", Text()), ("remote_id", Text()),
    ("error", Text()), ("sent_at", BigInteger()), ("not_before", BigInteger()),
)  # fmt: skip
_MICRO = 1_000_000
_MARK = (
    "subject", "first", "last", "platforms", "at", "limit", "source", "target", "dropped",
    "reason", "attempt_id", "executor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """See ``matrix.ports.Ledger``."""

    connection: AsyncConnection

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
                {"id": one, "address": address, "account": account, "purpose": purpose,
                 "dedup": purpose or None}
                for one, (address, account, purpose) in zip(
                    ids[start : start + _SLICE], targets[start : start + _SLICE], strict=True
                )
            ]  # fmt: skip
            await self.connection.execute(statement, {"rows": json.dumps(rows)})
        return ids

    async def mark(self, mark: Mark) -> list[Delivery]:
        """Mark what is due in a stretch; returns the rows as they are now, by id."""
        values = {f"the_{name}": getattr(mark, name) for name in _MARK}
        written = await self.connection.execute(_mark_statement(), values)
        if not written.rowcount:
            return []
        marked = await self.connection.execute(_marked_statement(self._sqlite), values)
        rows = json.loads(marked.scalar_one()) if self._sqlite else marked.all()
        return [_delivery(row) for row in rows]

    async def settle(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Write the outcomes where the attempt still stands; returns the ids that were written."""
        if not verdicts:
            return set()
        rows = [
            {"id": one.id, "attempt_id": one.attempt_id, "state": one.state,
             "remote_id": one.remote_id, "error": one.error,
             "sent_at": _micro(one.sent_at), "not_before": _micro(one.not_before)}
            for one in verdicts
        ]  # fmt: skip
        values = {"rows": json.dumps(rows), "the_source": source}
        statement = _settle_statement(self._sqlite)
        if not self._sqlite:
            return set((await self.connection.execute(statement, values)).scalars())
        # Nobody comes between: the transaction holds the file's lock (see ``_marked_statement``).
        standing = await self.connection.execute(_standing_statement(), values)
        ids = set(json.loads(standing.scalar_one()))
        await self.connection.execute(statement, values)
        return ids

    async def drop(self, subject: str, source: str, target: str, reason: str) -> int:
        """Move all of a subject at once; returns how many."""
        statement = update(_T).where(_T.c.subject == subject, _T.c.state == source)
        moved = statement.values(state=target, error=reason, version=_T.c.version + 1)
        return (await self.connection.execute(moved)).rowcount

    async def waiting(self, subject: str, source: str) -> list[str]:
        """Ids of a subject's rows in a state, ascending."""
        query = select(_T.c.id).where(_T.c.subject == subject, _T.c.state == source)
        return list((await self.connection.execute(query.order_by(_T.c.id))).scalars())

    async def next_due(self, mark: Mark) -> datetime | None:
        """When the first row of a stretch may go that may not go yet; None when there is none."""
        query = select(func.min(_T.c.not_before)).where(
            _T.c.subject == mark.subject, _T.c.id >= mark.first, _T.c.id <= mark.last,
            _T.c.state == mark.source, _T.c.platform.in_(list(mark.platforms)),
        )  # fmt: skip
        found: datetime | None = (await self.connection.execute(query)).scalar_one()
        return found


def _given(names: Sequence[tuple[str, Any]], *, sqlite: bool) -> dict[str, Any]:
    """Columns of the rows in the parameter ``rows``, a JSON array of objects."""
    rows = bindparam("rows", type_=Text())
    if sqlite:
        table = func.json_each(rows).table_valued("value", name="given")
        return {name: func.json_extract(table.c.value, f"$.{name}") for name, _ in names}
    table = (
        func.json_to_recordset(cast(rows, JSON))
        .table_valued(*(column(name, kind) for name, kind in names))
        .render_derived(name="given", with_types=True)
    )
    return {name: table.c[name] for name, _ in names}


# Building a statement costs as much as running it: each is built once.


def _state() -> Any:
    """The state, not by its index: SQLite would read every row that is pending, or sending."""
    return func.coalesce(_T.c.state, "")


@cache
def _mark_statement() -> Any:
    given: dict[str, Any] = {name: bindparam(f"the_{name}", type_=Text()) for name in _MARK}
    at = bindparam("the_at", type_=_T.c.not_before.type)
    picked = (
        select(_T.c.id)
        .where(
            _T.c.subject == given["subject"], _T.c.id >= given["first"],
            _T.c.id <= given["last"], _T.c.state == given["source"],
            _T.c.platform.in_(bindparam("the_platforms", expanding=True)),
            or_(_T.c.not_before.is_(None), _T.c.not_before <= at),
        )
        .order_by(_T.c.id)
        .limit(bindparam("the_limit", type_=BigInteger()))
    )  # fmt: skip
    late = _T.c.give_up_at <= at
    return (
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


@cache
def _marked_statement(sqlite: bool) -> Any:
    """What was marked; on SQLite as one JSON value.

    Its driver lets other threads run at every row that it fetches, and then waits for them: a
    chunk's fifty rows took longer to fetch than to find.
    """
    given: dict[str, Any] = {name: bindparam(f"the_{name}", type_=Text()) for name in _MARK}
    mine = (
        _T.c.subject == given["subject"], _T.c.id >= given["first"], _T.c.id <= given["last"],
        _T.c.attempt_id == given["attempt_id"],
    )  # fmt: skip
    if not sqlite:
        return select(*(_raw(one) for one in _T.columns)).where(*mine).order_by(_T.c.id)
    rows = select(func.json_array(*(_raw(one) for one in _T.columns)).label("row"))
    ordered = rows.where(*mine).order_by(_T.c.id).subquery()
    return select(func.json_group_array(func.json(ordered.c.row)))


def _raw(one: Column[Any]) -> Any:
    """A column as the database has it: instants as numbers, the content as text."""
    return (
        type_coerce(one, Text() if isinstance(one.type, JSON) else BigInteger())
        if isinstance(one.type, JSON | Instant)
        else one
    )


def _stands(given: dict[str, Any]) -> tuple[Any, ...]:
    """The row is still as the attempt has left it."""
    source = bindparam("the_source", type_=Text())
    return (
        _T.c.id == given["id"], _T.c.attempt_id == given["attempt_id"], _state() == source,
    )  # fmt: skip


@cache
def _standing_statement() -> Any:
    given = _given(_VERDICT, sqlite=True)
    return select(func.json_group_array(_T.c.id)).where(*_stands(given))


@cache
def _settle_statement(sqlite: bool) -> Any:
    given = _given(_VERDICT, sqlite=sqlite)
    fields = ("state", "remote_id", "error", "sent_at", "not_before")
    values = {**{name: given[name] for name in fields}, "version": _T.c.version + 1}
    statement = update(_T).where(*_stands(given)).values(values)
    return statement if sqlite else statement.returning(_T.c.id)


_NAMES = tuple(one.name for one in _T.columns)
_INSTANTS = tuple(one.name for one in _T.columns if isinstance(one.type, Instant))


def _delivery(row: Any) -> Delivery:
    """``from_row``, by position: a chunk's rows are read while others are being sent."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in _INSTANTS:
        micro = values[name]
        values[name] = None if micro is None else datetime.fromtimestamp(micro / _MICRO, tz=UTC)
    content = values["content"]
    values["content"] = json.loads(content) if isinstance(content, str) else content
    values["harmless"] = bool(values["harmless"])
    values["state"] = DeliveryState(values["state"])
    values["lane"] = Lane(values["lane"])
    return Delivery(**values)


def _micro(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * _MICRO)
