"""Many deliveries in one statement: put in, marked *sending*, settled. States come from outside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
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
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger

from matrix.core.delivery import Delivery
from matrix.ports import Mark, Verdict
from storage.mapping import from_row, to_row
from storage.tables import TABLES

_T = TABLES["deliveries"][1]
_SLICE = 10_000
"""Rows per INSERT: some megabytes of JSON."""

_TARGET = ("id", "address", "account", "purpose", "dedup")
_VERDICT = (
    ("id", Text()), ("attempt_id", Text()), ("state", Text()), ("remote_id", Text()),
    ("error", Text()), ("sent_at", BigInteger()), ("not_before", BigInteger()),
)  # fmt: skip
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """See ``matrix.ports.Ledger``."""

    connection: AsyncConnection

    @property
    def _sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def _given(self, names: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Columns of the rows in the parameter ``rows``, a JSON array of objects."""
        rows = bindparam("rows", type_=Text())
        if self._sqlite:
            table = func.json_each(rows).table_valued("value", name="given")
            return {name: func.json_extract(table.c.value, f"$.{name}") for name, _ in names}
        table = (
            func.json_to_recordset(cast(rows, JSON))
            .table_valued(*(column(name, kind) for name, kind in names))
            .render_derived(name="given", with_types=True)
        )
        return {name: table.c[name] for name, _ in names}

    async def post(self, template: Delivery, targets: Sequence[tuple[str, str, str]]) -> list[str]:
        """Put in one delivery per target; returns their ids, ascending."""
        given = self._given([(name, Text()) for name in _TARGET])
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
        due = or_(_T.c.not_before.is_(None), _T.c.not_before <= mark.at)
        picked = (
            select(_T.c.id)
            .where(
                _T.c.subject == mark.subject, _T.c.id >= mark.first, _T.c.id <= mark.last,
                _T.c.state == mark.source, _T.c.platform.in_(list(mark.platforms)), due,
            )
            .order_by(_T.c.id)
            .limit(mark.limit)
        )  # fmt: skip
        late = _T.c.give_up_at <= mark.at
        statement = (
            update(_T)
            .where(_T.c.id.in_(picked), _T.c.state == mark.source)
            .values(
                state=case((late, mark.dropped), else_=mark.target),
                error=case((late, mark.reason), else_=""),
                attempt=_T.c.attempt + 1, attempt_id=mark.attempt_id, executor=mark.executor,
                version=_T.c.version + 1,
            )
            .returning(_T)
        )  # fmt: skip
        rows = (await self.connection.execute(statement)).mappings().all()
        return sorted((from_row(Delivery, row) for row in rows), key=lambda one: one.id)

    async def settle(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Write the outcomes where the attempt still stands; returns the ids that were written."""
        if not verdicts:
            return set()
        given = self._given(_VERDICT)
        fields = ("state", "remote_id", "error", "sent_at", "not_before")
        statement = (
            update(_T)
            .where(
                _T.c.id == given["id"], _T.c.attempt_id == given["attempt_id"],
                _T.c.state == source,
            )
            .values({**{name: given[name] for name in fields}, "version": _T.c.version + 1})
            .returning(_T.c.id)
        )  # fmt: skip
        rows = [
            {"id": one.id, "attempt_id": one.attempt_id, "state": one.state,
             "remote_id": one.remote_id, "error": one.error,
             "sent_at": _micro(one.sent_at), "not_before": _micro(one.not_before)}
            for one in verdicts
        ]  # fmt: skip
        written = await self.connection.execute(statement, {"rows": json.dumps(rows)})
        return set(written.scalars())

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


def _micro(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * _MICRO)
