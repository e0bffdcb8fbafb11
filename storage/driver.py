"""SQLite's asynchronous driver, with a turn in its thread only where it may have to wait.

SQLAlchemy opens a cursor, executes, fetches and closes; with aiosqlite each is a trip into the
connection's thread and back. A trip is short where nothing else runs; in a process with work to do
thread and loop wait for one another each time, and a lead takes some thirty statements
(docs/performance.md). Who has begun to write waits for nobody until the commit: what stands between
is run where it is asked for, and only the beginning, the end and what touches many rows go aside.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

Rows = list[tuple[Any, ...]]
_WRITES = "BEGIN IMMEDIATE"
_MANY = 200
"""Rows that are written in less than a millisecond; more go aside."""


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors come back read to the end.

    ``writes`` from BEGIN IMMEDIATE to the end of that transaction: nobody else is in the way.
    """

    writes = False

    async def commit(self) -> None:
        """End the transaction; the disk is waited for aside."""
        if self.writes:
            self._still_open()
        self.writes = False
        await super().commit()

    async def rollback(self) -> None:
        """Take the transaction back."""
        self.writes = False
        await super().rollback()

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A cursor; nothing happens before it executes."""
        return Cursor(self)

    async def in_thread(self, step: Any, *given: Any) -> Any:
        """Run a function of the underlying connection where it lives."""
        return await self._execute(step, self._conn, *given)  # type: ignore[no-untyped-call]

    async def run(self, step: Any, sql: str, parameters: Any, *, aside: bool) -> Any:
        """Run a statement: at once in the midst of a transaction that writes, unless ``aside``."""
        if self.writes:
            self._still_open()
            if not aside:
                return step(self._conn, sql, parameters)
        outcome = await self.in_thread(step, sql, parameters)
        self.writes = self.writes or sql == _WRITES
        return outcome

    def run_now(self, sql: str, parameters: Sequence[Any]) -> tuple[Rows, int]:
        """Rows, and how many were written; only while ``writes``."""
        self._still_open()
        cursor = self._conn.execute(sql, parameters)
        rows = cursor.fetchall() if cursor.description else []
        changed = cursor.rowcount
        cursor.close()
        return rows, changed

    def run_many_now(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Write a row for each set of parameters; only while ``writes``."""
        self._still_open()
        self._conn.executemany(sql, parameters).close()

    def _still_open(self) -> None:
        """A full disk ends a transaction by itself: what came after would stand on its own."""
        if not self._conn.in_transaction:
            raise sqlite3.OperationalError("the transaction has ended")


async def connect(database: str, **given: Any) -> Connection:
    """An open connection; arguments as for ``sqlite3.connect``."""
    opened = partial(sqlite3.connect, database, **{**given, "check_same_thread": False})
    connection = Connection(opened, iter_chunk_size=0)
    # As SQLAlchemy does with aiosqlite's own: an interpreter that ends does not wait for it.
    connection._thread.daemon = True  # noqa: SLF001
    await connection
    return connection


class Cursor:
    """What SQLAlchemy asks of a cursor. Rows are all fetched where the statement ran."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Rows = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute one statement and fetch what it returns."""
        deletes = sql.startswith("DELETE")
        return self._take(await self._connection.run(_run, sql, parameters, aside=deletes))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Execute one statement for each set of parameters."""
        many = len(parameters) > _MANY
        return self._take(await self._connection.run(_run_many, sql, parameters, aside=many))

    async def fetchall(self) -> Rows:
        """All rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """The cursor itself was closed where it ran."""

    def _take(self, outcome: tuple[Any, int, int | None, Rows]) -> Self:
        self.description, self.rowcount, self.lastrowid, self._rows = outcome
        return self


def _run(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]
) -> tuple[Any, int, int | None, Rows]:
    return _outcome(connection.execute(sql, parameters))


def _run_many(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[Sequence[Any]]
) -> tuple[Any, int, int | None, Rows]:
    return _outcome(connection.executemany(sql, parameters))


def _outcome(cursor: sqlite3.Cursor) -> tuple[Any, int, int | None, Rows]:
    rows = cursor.fetchall() if cursor.description else []
    outcome = cursor.description, cursor.rowcount, cursor.lastrowid, rows
    cursor.close()
    return outcome
