"""Transactions on a synchronous connection, for a thread that does nothing else.

An asynchronous driver crosses to its own thread and back at every statement; here a whole chunk of
the broadcast lane is written without a single crossing, and the lock on the file is held briefly.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Dialect, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

from matrix.ports import Work
from storage.engine import prepare_sqlite, sync_url
from storage.unit_of_work import JobSink, SqlWork

T = TypeVar("T")


class _Direct:
    """What ``SqlWork`` uses of an asynchronous connection, on a synchronous one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, *arguments: Any) -> CursorResult[Any]:
        return self._connection.execute(*arguments)

    async def exec_driver_sql(self, *arguments: Any) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(*arguments)

    async def run_sync(self, body: Callable[[Connection], T]) -> T:
        return body(self._connection)

    async def commit(self) -> None:
        self._connection.commit()


class DirectStore:
    """Writing transactions that block the thread they run in."""

    def __init__(self, url: str, jobs: JobSink) -> None:
        """One connection, opened at the first transaction."""
        parsed = sync_url(url)
        arguments: dict[str, Any] = {"pool_size": 1, "max_overflow": 0, "hide_parameters": True}
        if parsed.get_backend_name() == "sqlite":
            arguments["connect_args"] = {"timeout": 15, "check_same_thread": False}
        else:
            arguments["pool_pre_ping"] = True
        self._jobs = jobs
        self._engine = create_engine(parsed, **arguments)
        if parsed.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", lambda one, _: prepare_sqlite(one))
            event.listen(self._engine, "begin", lambda one: one.exec_driver_sql("BEGIN IMMEDIATE"))

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """A writing transaction; leaving it without ``commit`` rolls back."""
        with self._engine.connect() as connection:
            connection.begin()
            try:
                direct = cast("AsyncConnection", _Direct(connection))
                yield cast("Work", SqlWork(direct, self._jobs))
            finally:
                connection.rollback()

    def close(self) -> None:
        """Let the connection go."""
        self._engine.dispose()
