"""SQLite's asynchronous driver, with one turn in its thread per statement instead of four.

SQLAlchemy opens a cursor, executes, fetches and closes; with aiosqlite each is a trip into the
connection's thread and back, and a busy event loop lets the thread wait at every one. A lead takes
some sixty statements (docs/performance.md, Intake).
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

Rows = list[tuple[Any, ...]]


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors come back read to the end."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A cursor; nothing happens before it executes."""
        return Cursor(self)

    async def in_thread(self, step: Any, *given: Any) -> Any:
        """Run a function of the underlying connection where it lives."""
        return await self._execute(step, self._conn, *given)  # type: ignore[no-untyped-call]


async def connect(database: str, **given: Any) -> Connection:
    """An open connection; arguments as for ``sqlite3.connect``."""
    connection = Connection(partial(sqlite3.connect, database, **given), iter_chunk_size=0)
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
        return self._take(await self._connection.in_thread(_run, sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute one statement for each set of parameters."""
        return self._take(await self._connection.in_thread(_run_many, sql, parameters))

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
    connection: sqlite3.Connection, sql: str, parameters: Iterable[Sequence[Any]]
) -> tuple[Any, int, int | None, Rows]:
    return _outcome(connection.executemany(sql, parameters))


def _outcome(cursor: sqlite3.Cursor) -> tuple[Any, int, int | None, Rows]:
    rows = cursor.fetchall() if cursor.description else []
    outcome = cursor.description, cursor.rowcount, cursor.lastrowid, rows
    cursor.close()
    return outcome
