"""Opening the database: SQLite in a file by default, PostgreSQL by DATABASE_URL."""

from sqlite3 import Connection as Sqlite
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.driver import connect

READ = "piyao_read"
"""Execution option of a transaction that only reads."""

ALONE = "SELECT pg_advisory_xact_lock(hashtext('piyao:' || :what))"
"""PostgreSQL: nobody else does ``what`` until this transaction ends."""
_IDLE = "-c idle_in_transaction_session_timeout=30000"
"""A process that is suspended in the midst of a transaction keeps nobody waiting for longer than
it takes for others to hold it for dead."""


def async_url(url: str) -> URL:
    """The URL with the asynchronous driver that fits it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    return parsed.set(drivername="postgresql+psycopg")


def sync_url(url: str) -> URL:
    """The URL with the synchronous driver, for the ledger's thread and migrations."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite")
    return parsed.set(drivername="postgresql+psycopg")


def open_engine(url: str) -> AsyncEngine:
    """An engine. SQLite: WAL, full durability, writers take the lock when they begin.

    Values stay out of error messages: what people write never gets into a log.
    """
    parsed = async_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(
            parsed, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True,
            connect_args={} if "options" in parsed.query else {"options": _IDLE},
        )  # fmt: skip
    connecting = {"timeout": 15, "async_creator_fn": connect}
    # The connection that was used last knows its pages; another one reads them all again, since
    # SQLite forgets them when somebody else has written.
    engine = create_async_engine(
        parsed, connect_args=connecting, hide_parameters=True, pool_use_lifo=True
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, record: object) -> None:
        del record
        prepare_sqlite(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def prepare_sqlite(connection: Sqlite) -> None:
    """Per connection: we emit BEGIN ourselves; WAL lets readers pass the one writer.

    ``synchronous`` stays FULL: with less a power cut could drop a mark and send twice. The log is
    carried over every 16 MB instead of 4: pages that are written again and again go once. 16 MB of
    pages are kept instead of 2: each row of a lead goes to a random place of several indexes.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "wal_autocheckpoint=4000",
        "cache_size=-16000",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
