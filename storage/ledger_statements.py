"""The ledger's statements for many rows, as text: built once for each kind of database."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import BigInteger

from matrix.core.delivery import Parcel
from storage.prepared import Prepared, prepare
from storage.tables import TABLES

_T = TABLES["deliveries"][1]
_ROWID: Any = literal_column("delivery.rowid")
MARK = (
    "subject", "first", "last", "platforms", "at", "limit", "source", "target", "dropped",
    "reason", "attempt_id", "executor",
)  # fmt: skip
"""Parameters of a mark, each behind ``the_``."""
_NUMBERS = {"at", "limit"}
_COUNTED = {"sent_at", "not_before", "attempt"}
_VERDICT = (
    ("id", Text()), ("attempt_id", Text()), ("state", Text()), ("remote_id", Text()),
    ("error", Text()), ("sent_at", BigInteger()), ("not_before", BigInteger()),
    ("attempt", BigInteger()),
)  # fmt: skip
SHARED = ("attempt_id", "state", "error", "sent_at", "not_before", "attempt")
"""What many outcomes have in common, each behind ``the_``; instants in microseconds."""


def given_rows(names: Sequence[tuple[str, Any]], *, sqlite: bool) -> dict[str, Any]:
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
    """The state, not by its index: SQLite would read every row that is pending, or sending.

    And where a parameter might say that a row is open, SQLite makes the statement anew each time.
    """
    return func.coalesce(_T.c.state, "")


def _asked() -> dict[str, Any]:
    return {
        name: bindparam(f"the_{name}", type_=BigInteger() if name in _NUMBERS else Text())
        for name in MARK
    }


def _stretch(given: dict[str, Any], *, sqlite: bool) -> tuple[Any, ...]:
    """What a mark is about, due or not."""
    of = func.json_each if sqlite else func.json_array_elements_text
    names = given["platforms"] if sqlite else cast(given["platforms"], JSON)
    platforms = select(of(names).table_valued("value", name="platforms").c.value)
    return (
        _T.c.subject == given["subject"], _T.c.id >= given["first"], _T.c.id <= given["last"],
        (_state() if sqlite else _T.c.state) == given["source"], _T.c.platform.in_(platforms),
    )  # fmt: skip


# Compared as the numbers they are: the driver gets no instant.
_NOT_BEFORE, _GIVE_UP_AT = (
    type_coerce(one, BigInteger()) for one in (_T.c.not_before, _T.c.give_up_at)
)


@cache
def due_statement(*, sqlite: bool) -> Prepared:
    """When the first row of a stretch is due that was put off."""
    query = select(func.min(_NOT_BEFORE)).where(*_stretch(_asked(), sqlite=sqlite))
    return prepare(query, sqlite=sqlite)


@cache
def mark_statement(*, sqlite: bool) -> Prepared:
    """Mark what is due; on SQLite by the place of the rows, which no index has to find again."""
    given = _asked()
    key: Any = _ROWID if sqlite else _T.c.id
    picked = (
        select(key)
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
        .where(key.in_(picked), _state() == given["source"])
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
def marked_statement(*, sqlite: bool) -> Prepared:
    """What was marked; on SQLite one row: all of it as JSON, and the least and greatest content.

    Its driver lets other threads run at every row that it fetches, and then waits for them: a
    chunk's fifty rows took longer to fetch than to find.
    """
    mine = _marked_by(_asked())
    if not sqlite:
        return prepare(select(*_parcel()).where(*mine).order_by(_T.c.id), sqlite=False)
    content = cast(_T.c.content, Text())
    parcels = func.json_group_array(func.json_array(*_parcel()[:-1]))
    return prepare(select(parcels, func.min(content), func.max(content)).where(*mine), sqlite=True)


@cache
def contents_statement() -> Prepared:
    """SQLite: the contents of what was marked, by id, as one JSON object."""
    contents = func.json_group_object(_T.c.id, cast(_T.c.content, Text()))
    return prepare(select(contents).where(*_marked_by(_asked())), sqlite=True)


def _marked_by(given: dict[str, Any]) -> tuple[Any, ...]:
    return (
        _T.c.subject == given["subject"], _T.c.id >= given["first"], _T.c.id <= given["last"],
        _T.c.attempt_id == given["attempt_id"],
    )  # fmt: skip


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
def standing_statement() -> Prepared:
    """SQLite: the ids of the outcomes whose attempt still stands, as one JSON array."""
    given = given_rows(_VERDICT, sqlite=True)
    return prepare(select(func.json_group_array(_T.c.id)).where(*_stands(given)), sqlite=True)


@cache
def settle_statement(*, sqlite: bool) -> Prepared:
    """Write outcomes that differ in everything."""
    given = given_rows(_VERDICT, sqlite=sqlite)
    fields = ("state", "remote_id", "error", "sent_at", "not_before", "attempt")
    values = {**{name: given[name] for name in fields}, "version": _T.c.version + 1}
    statement = update(_T).where(*_stands(given)).values(values)
    return prepare(statement if sqlite else statement.returning(_T.c.id), sqlite=sqlite)


@cache
def alike_statement() -> Prepared:
    """SQLite: write outcomes that differ in their remote ids only: ``rows`` maps ids to them.

    Each value that is taken out of a JSON array costs reading the array; keys and values of an
    object cost nothing.
    """
    rows = func.json_each(bindparam("rows", type_=Text())).table_valued(
        "key", "value", name="given"
    )
    shared = {
        name: bindparam(f"the_{name}", type_=BigInteger() if name in _COUNTED else Text())
        for name in SHARED
    }
    stands = _stands({"id": rows.c.key, "attempt_id": shared.pop("attempt_id")})
    values = {**shared, "remote_id": rows.c.value, "version": _T.c.version + 1}
    return prepare(update(_T).where(*stands).values(values), sqlite=True)
