"""Many deliveries in one statement: put in, marked *sending*, settled. States come from outside."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import JSON, Text, cast, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from matrix.core.delivery import Delivery, DeliveryState, Parcel
from matrix.ports import Mark, Verdict
from storage import ledger_statements as statements
from storage.mapping import to_row
from storage.prepared import Prepared
from storage.tables import TABLES

_T = TABLES["deliveries"][1]
_SLICE = 10_000
"""Rows per INSERT: some megabytes of JSON."""
_TARGET = ("id", "address", "account", "purpose", "dedup")
_MICRO = 1_000_000
_FEW = 8
"""Outcomes that have so much in common that saying it once is worth a statement."""


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
        given = statements.given_rows([(name, Text()) for name in _TARGET], sqlite=self._sqlite)
        constant = {
            name: literal(value, _T.c[name].type)
            for name, value in to_row(template).items()
            if name not in given
        }
        values = {**constant, "content": self._text(template.content), **given}
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

    def _text(self, content: Mapping[str, object]) -> Any:
        """As text: an escaped Chinese character takes six bytes, the character itself three."""
        text = json.dumps(dict(content), ensure_ascii=False)
        if not _encodable(text):
            text = json.dumps(dict(content))
        return literal(text, Text()) if self._sqlite else cast(literal(text, Text()), JSON)

    async def mark(self, mark: Mark) -> list[Parcel]:
        """Mark what is due in a stretch; returns what was marked as it is now, by id."""
        self.changed()
        values = _values(mark)
        if not self._sqlite:
            marked = await self._run(statements.mark_statement(sqlite=False), values)
            return _parcels(sorted(marked))
        await self._run(statements.mark_statement(sqlite=True), values)
        return await self.marked(mark)

    async def marked(self, mark: Mark) -> list[Parcel]:
        """What the attempt has marked, dropped ones too, by id."""
        values = _values(mark)
        rows = await self._run(statements.marked_statement(sqlite=self._sqlite), values)
        if not self._sqlite:
            return _parcels(rows)
        found, least, most = rows[0]
        known = sorted(json.loads(found))
        if least == most:
            # The same text for all of them, as nearly always: it is fetched once.
            return _parcels((*one, least) for one in known)
        ((contents,),) = await self._run(statements.contents_statement(), values)
        by_id = json.loads(contents)
        return _parcels((*one, by_id[one[0]]) for one in known)

    async def settle(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Write the outcomes where the attempt still stands; returns the ids that were written."""
        if not verdicts:
            return set()
        self.changed()
        if not self._sqlite:
            each = statements.settle_statement(sqlite=False)
            return {row[0] for row in await self._run(each, _outcomes(source, verdicts))}
        groups, others = _alike(verdicts)
        written = await self._settle_alike(source, groups)
        return written | await self._settle_each(source, others)

    async def _settle_alike(self, source: str, groups: "_Groups") -> set[str]:
        """When all of them stand, which is nearly always, the count of written rows says so."""
        verdicts = [one for some in groups.values() for one in some]
        if not verdicts:
            return set()
        await self.connection.exec_driver_sql("SAVEPOINT alike")
        written = 0
        for shared, some in groups.items():
            rows = json.dumps({one.id: one.remote_id for one in some})
            values = {**_named(shared), "the_source": source, "rows": rows}
            statement = statements.alike_statement()
            given = statement.given(values)
            written += (await self.connection.exec_driver_sql(statement.sql, given)).rowcount
        if written < len(verdicts):
            await self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT alike")
            return await self._settle_each(source, verdicts)
        await self.connection.exec_driver_sql("RELEASE SAVEPOINT alike")
        return {one.id for one in verdicts}

    async def _settle_each(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Which of them stand is asked first: nobody comes between, we hold the file's lock."""
        if not verdicts:
            return set()
        values = _outcomes(source, verdicts)
        ((standing,),) = await self._run(statements.standing_statement(), values)
        await self._run(statements.settle_statement(sqlite=True), values)
        return set(json.loads(standing))

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
        rows = await self._run(statements.due_statement(sqlite=self._sqlite), _values(mark))
        found: int | None = rows[0][0]
        return None if found is None else datetime.fromtimestamp(found / _MICRO, UTC)


def _encodable(text: str) -> bool:
    """Not so is half of a pair of surrogates, which JSON can say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_Groups = Mapping[tuple[Any, ...], Sequence[Verdict]]
"""Outcomes by what they share (``statements.SHARED``)."""


def _alike(verdicts: Sequence[Verdict]) -> tuple[_Groups, list[Verdict]]:
    """Outcomes that many have in common, and all others."""
    groups: dict[tuple[Any, ...], list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault(
            (one.attempt_id, one.state, one.error, one.sent_at, one.not_before, one.attempt), []
        ).append(one)
    large = {shared: some for shared, some in groups.items() if len(some) >= _FEW}
    return large, [one for shared, some in groups.items() if shared not in large for one in some]


def _named(shared: tuple[Any, ...]) -> dict[str, Any]:
    return {
        f"the_{name}": _micro(value) if isinstance(value, datetime) else value
        for name, value in zip(statements.SHARED, shared, strict=True)
    }


def _outcomes(source: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    rows = [
        (one.id, one.attempt_id, one.state, one.remote_id, one.error,
         _micro(one.sent_at), _micro(one.not_before), one.attempt)
        for one in verdicts
    ]  # fmt: skip
    return {"rows": json.dumps(rows), "the_source": source}


def _values(mark: Mark) -> dict[str, Any]:
    values = {f"the_{name}": getattr(mark, name) for name in statements.MARK}
    values["the_platforms"] = json.dumps(list(mark.platforms))
    values["the_at"] = _micro(mark.at)
    return values


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
