"""One transaction: repositories, the event log, serials and queued jobs commit together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import Connection, bindparam, delete, exc, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matrix.core.claim import Sighted
from matrix.core.errors import StaleVersion
from matrix.core.events import Event
from matrix.ports import Work
from storage import statements
from storage.driver import Connection as Driver
from storage.engine import ALONE, READ
from storage.ledger import SqlLedger
from storage.repository import SqlRepository
from storage.spread import Count, Spread
from storage.straight import Hand
from storage.tables import DIRECTORY, EVENT, SERIAL, SETTING, TABLES

_DIRECTORY = "directory"
_RECORD = EVENT.insert().values(
    {one.name: bindparam(one.name) for one in EVENT.c if one.name != "seq"}
)
_BULLETINS, _SIGHTINGS, _LEADS = (TABLES[n][1] for n in ("bulletins", "sightings", "leads"))
_LAST_CHANGE = select(func.coalesce(func.max(_BULLETINS.c.change), 0))
_SETTING = select(SETTING.c.value).where(SETTING.c.name == bindparam("the_name"))
_NAMED = select(SERIAL.c.value).where(SERIAL.c.name == bindparam("the_name"))


class JobSink(Protocol):
    """Where a transaction's jobs go; they exist exactly when it commits."""

    def put(self, connection: Connection, job: str, subjects: Sequence[str]) -> None:
        """Queue a job per subject on the transaction's own connection."""


class SqlWork:
    """See ``matrix.ports.Work``."""

    def __init__(
        self, connection: AsyncConnection, jobs: JobSink | None, driver: Driver | None = None,
        spread: Spread | None = None,
    ) -> None:  # fmt: skip
        """Sets one repository per table as an attribute; for ``driver`` see ``Hand``.

        ``spread`` is what the store has counted of sightings.
        """
        self._connection = connection
        self._hand = Hand(connection, driver)
        self._jobs = jobs
        self._written: set[str] = set()
        self._changed: set[str] = set()
        self._spread = spread or Spread()
        writes = driver is not None and driver.writes
        self._count = Count(self._spread, driver) if driver is not None and writes else None
        self._events: list[dict[str, Any]] = []
        self._repositories = {
            name: SqlRepository(connection, self._hand, entity, table, self._written, self._changed)
            for name, (entity, table) in TABLES.items()
        }
        for name, repository in self._repositories.items():
            setattr(self, name, repository)
        self.ledger = SqlLedger(connection, self._repositories["deliveries"].forget)

    @property
    def connection(self) -> AsyncConnection:
        """For this room's own bulk statements."""
        return self._connection

    async def record(self, *events: Event) -> None:
        """Append to the log, in one statement when the transaction commits."""
        self._events += [
            {
                "id": event.id,
                "at": event.at,
                "entity": event.entity,
                "entity_id": event.entity_id,
                "action": event.action,
                "source": event.source,
                "target": event.target,
                "role": event.role,
                "person": event.person,
                "case": event.case,
                "data": dict(event.data),
            }
            for event in events
        ]

    async def _write_events(self) -> None:
        rows, self._events = self._events, []
        if rows:
            await self._hand.each(_RECORD, rows)

    async def events(self, **criteria: Any) -> list[Event]:
        """Events in the order in which they were written."""
        await self._write_events()
        asked = statements.question(criteria)
        query = select(EVENT).where(statements.where(EVENT, asked.terms)).order_by(EVENT.c.seq)
        rows = (await self._connection.execute(query, asked.values)).mappings().all()
        return [Event(**{key: row[key] for key in row if key != "seq"}) for row in rows]

    async def forget_steps(self, entity: str, before: datetime) -> int:
        """Delete the events of one kind of entity that are older; how many."""
        old = delete(EVENT).where(EVENT.c.entity == entity, EVENT.c.at < before)
        return (await self._connection.execute(old)).rowcount

    async def serial(self, name: str, count: int = 1) -> int:
        """The next number of a series, or the first of a block of ``count``."""
        of_sqlite = self._connection.dialect.name == "sqlite"
        upsert = statements.next_number(SERIAL, of_sqlite=of_sqlite)
        value = await self._hand.scalar(upsert, {"the_name": name, "the_count": count})
        return int(value) - count + 1

    async def enqueue(self, job: str, *subjects: str) -> None:
        """Queue a broadcast job per subject in this transaction."""
        if self._jobs is None:
            raise RuntimeError("no queue is attached")
        sink = self._jobs
        await self._connection.run_sync(lambda sync: sink.put(sync, job, subjects))

    async def setting(self, name: str) -> object:
        """A stored setting of the district, or None."""
        return await self._hand.scalar(_SETTING, {"the_name": name})

    async def set_setting(self, name: str, value: object) -> None:
        """Store a setting of the district."""
        of_sqlite = self._connection.dialect.name == "sqlite"
        upsert = statements.keep(SETTING, of_sqlite=of_sqlite)
        await self._hand.changed(upsert, {"the_name": name, "the_value": value})

    async def sighted(self, claim: str, case: str, since: datetime) -> Sighted:
        """See the port. Counted where they lie: of a rumor there may be thousands."""
        if not (claim or case):
            return Sighted(leads=0, persons=0, areas=0, chats=0, fresh=0, first=None)
        if self._count is not None and not case and _SIGHTINGS.name not in self._changed:
            return self._count.of(claim, since)
        query = statements.sighted(_SIGHTINGS, _LEADS, claims=bool(claim), cases=bool(case))
        values = {"the_claim": claim, "the_case": case, "the_instant": since}
        ((leads, persons, areas, chats, fresh, first),) = await self._hand.rows(query, values)
        return Sighted(
            leads=leads, persons=persons, areas=areas, chats=chats, fresh=fresh, first=first
        )

    async def last_change(self) -> int:
        """The newest change number of the bulletins, 0 when there are none."""
        return int(await self._hand.scalar(_LAST_CHANGE, {}))

    async def directory_change(self) -> int:
        """Counts the transactions that have changed the directory, in whichever process."""
        return int(await self._hand.scalar(_NAMED, {"the_name": _DIRECTORY}) or 0)

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """A savepoint. What was known before it raised may have been of what is taken back."""
        before = list(self._events)
        await self._hand.say("SAVEPOINT part")
        try:
            yield
        except BaseException:
            await self._hand.say("ROLLBACK TO SAVEPOINT part")
            self._events = before
            for repository in self._repositories.values():
                repository.forget()
            if self._count is not None:
                self._count.taken_back()
            raise
        await self._hand.say("RELEASE SAVEPOINT part")

    async def commit(self) -> None:
        """Make it so. Raises StaleVersion when the database saw a conflict."""
        if self._written & DIRECTORY:
            await self.serial(_DIRECTORY)
        await self._write_events()
        if _SIGHTINGS.name in self._changed:
            self._spread.forget()
        try:
            await self._connection.commit()
        except exc.OperationalError as error:
            if "serialize" in str(error):
                raise StaleVersion("commit") from error
            raise
        if self._count is not None and _SIGHTINGS.name not in self._changed:
            self._count.committed()


class SqlStore:
    """See ``matrix.ports.Store``."""

    def __init__(self, engine: AsyncEngine, jobs: JobSink | None = None) -> None:
        """``jobs`` is attached later where the queue needs the store first."""
        self.engine = engine
        self.jobs = jobs
        self._turn = asyncio.Lock()
        self._spread = Spread()

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """A writing transaction. Writers of one process take their turns in the order they came.

        SQLite has one writer; left to itself, who waits for it looks again every now and then, and
        somebody who has just come is always there before.
        """
        if self.engine.dialect.name != "sqlite":
            async with self._open(reads=False) as work:
                yield work
            return
        async with self._turn, self._open(reads=False) as work:
            yield work

    def read(self) -> AbstractAsyncContextManager[Work]:
        """A transaction that only reads."""
        return self._open(reads=True)

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """Nobody else in the cluster does ``what`` meanwhile. On SQLite there is nobody else."""
        if self.engine.dialect.name == "sqlite":
            yield
            return
        async with self.engine.connect() as connection:
            # No transaction that others would have to wait for; leaving closes the session.
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            name = {"name": f"piyao:{what}"}
            await plain.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), name)
            try:
                yield
            finally:
                await plain.execute(text("SELECT pg_advisory_unlock(hashtext(:name))"), name)

    @asynccontextmanager
    async def _open(self, *, reads: bool) -> AsyncIterator[Work]:
        async with self.engine.connect() as connection:
            if reads:
                await connection.execution_options(**{READ: True})
            await connection.begin()
            if not reads and self.engine.dialect.name != "sqlite":
                # As on SQLite: handlers count rows and act on the count, one writer at a time.
                await connection.execute(text(ALONE), {"what": "write"})
            try:
                driver = _driver_of(connection)
                yield cast("Work", SqlWork(connection, self.jobs, driver, self._spread))
            finally:
                await connection.rollback()


def _driver_of(connection: AsyncConnection) -> Driver | None:
    """SQLite's own connection, where it is one."""
    pooled: Any = connection.sync_connection
    found = pooled.connection.driver_connection if pooled is not None else None
    return found if isinstance(found, Driver) else None
