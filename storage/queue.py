"""The durable queue of the broadcast lane: DBOS behind a small port, and its working double."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    column,
    create_engine,
    delete,
    event,
    func,
    select,
    table,
)

from storage.engine import prepare_sqlite, sync_url

JobRunner = Callable[[str], Awaitable[None]]
_QUEUE = "broadcast"
_WORKFLOW = "piyao_broadcast"
# Jobs survive upgrades: the version that DBOS compares is ours, not the code's hash.
_VERSION = "piyao-1"
_POLL_SECONDS = 0.05
_JOBS = 12
"""Jobs that one process holds: times 200 deliveries, over the poll, is the ceiling of a process."""


class MemoryQueue:
    """Jobs in memory: for journeys. Committed jobs wait until ``drain`` runs them."""

    def __init__(self) -> None:
        """Nothing waits."""
        self.waiting: list[str] = []
        self._known: set[str] = set()

    def put(self, connection: Connection, job: str, subject: str) -> None:
        """Queue once per subject, when the transaction commits."""
        name, open_ = f"{job}:{subject}", True

        def end(_: Connection, *, kept: bool) -> None:
            nonlocal open_
            if open_ and kept and name not in self._known:
                self._known.add(name)
                self.waiting.append(subject)
            open_ = False

        event.listen(connection, "commit", partial(end, kept=True))
        event.listen(connection, "rollback", partial(end, kept=False))

    @staticmethod
    def fault() -> str:
        """Nothing can be wrong with it."""
        return ""

    async def depth(self) -> int:
        """Jobs that wait."""
        return len(self.waiting)

    async def prune(self, before: datetime) -> int:
        """What is done is forgotten at once."""
        del before
        return 0

    async def drain(self, run: JobRunner) -> None:
        """Run what waits."""
        while self.waiting:
            await run(self.waiting.pop(0))


def _engine(url: str) -> Engine:
    parsed = sync_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    arguments: dict[str, Any] = {"connect_args": {"timeout": 15, "check_same_thread": False}}
    if sys.version_info >= (3, 12):
        # DBOS needs SQLite >= 3.42 there; the wheel carries one.
        import pysqlite3

        arguments["module"] = pysqlite3
    engine = create_engine(parsed, hide_parameters=True, **arguments)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: object) -> None:
        del record
        isolation = connection.isolation_level
        prepare_sqlite(connection)
        connection.isolation_level = isolation

    return engine


class DbosQueue:
    """DBOS as queue: one process may hold one. Start it inside the running event loop."""

    def __init__(self, url: str, executor: str) -> None:
        """``executor`` must be unique: two processes never share one."""
        self._url = url
        self._executor = executor
        self._engine: Engine | None = None
        self._client: Any = None
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._launched = False

    async def start(self, run: JobRunner, dead: Sequence[str] = ()) -> None:
        """Launch, and take over the jobs of dead executors."""
        from dbos import DBOS

        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._engine = _engine(self._url)
        DBOS(
            config={
                "name": "piyao",
                "system_database_url": str(
                    sync_url(self._url).render_as_string(hide_password=False)
                ),
                "system_database_engine": self._engine,
                "executor_id": self._executor,
                "application_version": _VERSION,
                "log_level": "ERROR",
                "use_listen_notify": False,
            }
        )

        @DBOS.workflow(name=_WORKFLOW)
        async def broadcast(subject: str) -> None:
            task = asyncio.current_task()
            if task is None or self._stopping:
                raise asyncio.CancelledError
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await run(subject)

        DBOS.launch()
        self._launched = True
        await DBOS.register_queue_async(
            _QUEUE, worker_concurrency=_JOBS, polling_interval_sec=_POLL_SECONDS
        )
        await self._connect()
        if dead:
            await self.take_over(dead)

    async def depth(self) -> int:
        """Jobs that wait or run, of all processes."""
        jobs = self._jobs
        query = select(func.count()).where(jobs.c.status.in_(("ENQUEUED", "PENDING")))
        return await asyncio.to_thread(self._ask, query.select_from(jobs))

    async def prune(self, before: datetime) -> int:
        """Forget jobs that had come to their end before; what waits or runs stays."""
        jobs = self._jobs
        ended = jobs.c.status.in_(("SUCCESS", "ERROR", "CANCELLED"))
        old = jobs.c.updated_at < int(before.timestamp() * 1000)
        return await asyncio.to_thread(self._ask, delete(jobs).where(ended, old))

    @property
    def _jobs(self) -> Any:
        """DBOS's own table; its client lists and deletes jobs one by one."""
        schema = None if self._url.startswith("sqlite") else "dbos"
        return table("workflow_status", column("status"), column("updated_at"), schema=schema)

    def _ask(self, query: Any) -> int:
        """The number that is asked for, or of rows deleted."""
        if self._engine is None:
            return 0
        with self._engine.begin() as connection:
            answer = connection.execute(query)
            return int(answer.scalar_one() if answer.returns_rows else answer.rowcount)

    def fault(self) -> str:
        """Empty, or what is wrong."""
        return "stopped" if self._client is None or self._stopping else ""

    async def open(self) -> None:
        """Only put jobs in; other processes run them."""
        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._engine = _engine(self._url)
        await self._connect()

    async def _connect(self) -> None:
        from dbos import DBOSClient

        self._client = await asyncio.to_thread(
            DBOSClient,
            system_database_url=str(sync_url(self._url).render_as_string(hide_password=False)),
            system_database_engine=self._engine,
        )

    @staticmethod
    async def take_over(dead: Sequence[str]) -> None:
        """Run again what dead executors had begun."""
        from dbos import DBOS

        await asyncio.to_thread(DBOS._recover_pending_workflows, list(dead))  # noqa: SLF001

    def put(self, connection: Connection, job: str, subject: str) -> None:
        """Queue a job on the caller's own transaction; the id makes a repeat ignored."""
        self._client.enqueue_in_transaction(
            connection,
            {
                "queue_name": _QUEUE,
                "workflow_name": _WORKFLOW,
                "workflow_id": f"{job}:{subject}",
                "app_version": _VERSION,
            },
            subject,
        )

    async def stop(self) -> None:
        """Let go; running jobs are found again by the next start."""
        from dbos import DBOS

        # Jobs must not outlive the queue; DBOS records nothing of a cancelled one.
        self._stopping = True
        if running := list(self._running):
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        # DBOS has put its own thread pool under the loop and takes it along when it goes.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
        if self._launched:
            await asyncio.to_thread(DBOS.destroy)
        if self._engine is not None:
            self._engine.dispose()
