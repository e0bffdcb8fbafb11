"""The durable queue of the broadcast lane: a table of jobs with leases.

A job is taken by one executor under a lease that nobody else has; only the holder of the lease can
end it or put it back for later. What a dead executor held waits again. A repeat of a job's name is
ignored for good. The name says which line sends it (``matrix.broadcast.plan``).
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    bindparam,
    delete,
    event,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from matrix.broadcast.plan import read_job
from matrix.ports import Work
from storage.engine import READ
from storage.statements import insert_or_skip
from storage.tables import JOB
from storage.unit_of_work import SqlWork

LOG = logging.getLogger("piyao.queue")
JobRunner = Callable[[str], Awaitable[float | None]]
"""Runs a job; the seconds after which there is more of it to do, None when it is at its end."""
T = TypeVar("T")
JOBS = 24
"""Jobs that one process holds: a slow line has one of them."""
_WAITS = {"state": "waiting", "executor": "", "lease": ""}
_AGAIN = 1.0
"""Seconds before the database is tried again."""


class Writes(Protocol):
    """Runs writing transactions (``bot.aside``)."""

    async def write(self, body: Callable[[Work], Awaitable[T]]) -> T:
        """Run ``body`` in a transaction of its own and commit."""


def once_committed(connection: Connection, kept: Callable[[], None]) -> None:
    """Call ``kept`` when the connection's present transaction commits."""
    open_ = True

    def end(_: Connection, *, commits: bool) -> None:
        nonlocal open_
        if open_ and commits:
            kept()
        open_ = False

    event.listen(connection, "commit", partial(end, commits=True))
    event.listen(connection, "rollback", partial(end, commits=False))


class JobQueue:
    """The table of jobs; ``start`` it where they are run."""

    def __init__(self, executor: str, poll: float = 0.1, engine: AsyncEngine | None = None) -> None:
        """``executor`` is unique to this process. Every ``poll`` seconds others' jobs are seen.

        ``engine`` is for looking, counting and forgetting jobs.
        """
        self._engine = engine
        self._executor = executor
        self._poll = poll
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._writes: Writes | None = None
        self._serving: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._ended: list[_Ended] = []
        self._full: Callable[[], Collection[str]] = tuple

    def put(self, connection: Connection, job: str, subjects: Sequence[str]) -> None:
        """Queue a job per subject on the caller's own transaction; a known name is ignored."""
        rows = [
            {"id": f"{job}:{one}", "subject": one, "line": read_job(one).line, **_WAITS}
            for one in subjects
        ]
        if rows:
            connection.execute(insert_or_skip(connection, JOB), rows)
            once_committed(connection, self.wake)

    def wake(self) -> None:
        """There may be something to take. From any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake.set)

    async def start(
        self,
        run: JobRunner,
        writes: Writes,
        dead: Sequence[str] = (),
        want: Callable[[], int] = lambda: JOBS,
        full: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Run what waits, as many at once as are wanted; what the dead held waits again.

        Of the ``full`` lines no job is taken now.
        """
        self._writes = writes
        self._full = full
        await self.take_over(dead)
        self._serving = asyncio.create_task(self._serve(run, writes, want))

    async def depth(self) -> int:
        """Jobs that wait or run, of all processes."""
        if self._engine is None:
            return 0
        async with self._engine.connect() as connection:
            query = select(func.count()).where(JOB.c.state.in_(("waiting", "running")))
            return int((await connection.execute(query)).scalar_one())

    async def prune(self, before: datetime) -> int:
        """Forget jobs that had come to their end before; what waits or runs stays."""
        if self._engine is None:
            return 0
        async with self._engine.begin() as connection:
            old = (JOB.c.state == "done", JOB.c.ended_at < before)
            return (await connection.execute(delete(JOB).where(*old))).rowcount

    def fault(self) -> str:
        """Empty, or what is wrong."""
        stopped = self._serving is not None and self._serving.done()
        return "stopped" if stopped else ""

    async def take_over(self, dead: Sequence[str]) -> None:
        """What dead executors had begun waits again."""
        if dead and self._writes is not None:
            await self._writes.write(partial(_release, executors=list(dead)))
            self._wake.set()

    async def stop(self) -> None:
        """Let go: running jobs are cancelled and wait for the next who looks."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])
        if running := list(self._running):
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        if self._writes is not None:
            await self._writes.write(self._end)
            await self._writes.write(partial(_release, executors=[self._executor]))

    async def _end(self, work: Work) -> None:
        await _turn(work, ended=self._ended, executor=self._executor, lease="", wanted=0, full=())

    async def _serve(self, run: JobRunner, writes: Writes, want: Callable[[], int]) -> None:
        lease, taken, looked = "", list[_Held](), True
        while True:
            self._wake.clear()
            wanted = max(0, min(want(), JOBS - len(self._running)))
            ended: list[_Ended] = []
            if wanted or looked:
                # One job's end alone is not worth a transaction: it goes with what is taken next.
                ended, self._ended = self._ended, []
            # Kept where nobody answered: what was taken under it is found again.
            lease = lease or uuid.uuid4().hex
            turn = partial(
                _turn, ended=ended, executor=self._executor, lease=lease, wanted=wanted,
                full=self._full(),
            )  # fmt: skip
            try:
                taken = await writes.write(turn) if ended or wanted else []
            except Exception:
                LOG.exception("the queue")
                self._ended = ended + self._ended
                await asyncio.sleep(_AGAIN)
                continue
            lease = "" if taken else lease
            for held in taken:
                task = asyncio.create_task(self._run(run, held))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            looked = not taken and await self._news()

    async def _news(self) -> bool:
        """Until somebody here wants or has queued a job, or a look was worth it: True.

        It is where a job has ended meanwhile, or one of others waits.
        """
        while not self._wake.is_set():
            # Never ``wait_for``: woken and cancelled at once, it forgets the second, and the
            # process would never stop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._wake.wait()
                    return False
            if self._ended or await self._waits():
                return True
        return False

    async def _waits(self) -> bool:
        """Whether a job waits; a look that writes nothing keeps no writer waiting."""
        if self._engine is None:
            return True
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**{READ: True})
                given = {"now": datetime.now(UTC), "full": list(self._full())}
                return (await connection.execute(_WAITING, given)).first() is not None
        except DBAPIError:
            # The turn that follows fails too, and says so.
            return True

    async def _run(self, run: JobRunner, held: "_Held") -> None:
        wait = await run(held.subject)
        due = None if wait is None else datetime.now(UTC) + timedelta(seconds=wait)
        # Written with what is taken next, or at the next look.
        self._ended.append(_Ended(held.id, held.lease, due))


class _Held(NamedTuple):
    """A job that runs here, and the lease under which it was taken."""

    id: str
    subject: str
    lease: str


class _Ended(NamedTuple):
    """A job that has run here: done, or ``due`` again."""

    id: str
    lease: str
    due: datetime | None


async def _turn(
    work: Work,
    *,
    ended: Sequence[_Ended],
    executor: str,
    lease: str,
    wanted: int,
    full: Collection[str],
) -> list[_Held]:
    """End what has ended and take what is wanted; what is held under the lease, oldest first."""
    connection = cast("SqlWork", work).connection
    now = datetime.now(UTC)
    if ended:
        rows = [
            {
                "the_id": one.id, "the_lease": one.lease, "due": one.due,
                "to": "waiting" if one.due else "done", "now": None if one.due else now,
            }
            for one in ended
        ]  # fmt: skip
        await connection.execute(_END, rows)
    if not wanted:
        return []
    given = {
        "the_executor": executor, "the_lease": lease, "wanted": wanted, "now": now,
        "full": list(full),
    }  # fmt: skip
    await connection.execute(_TAKE, given)
    found = await connection.execute(_UNDER, {"the_lease": lease})
    return [_Held(row.id, row.subject, row.lease) for row in found.all()]


async def _release(work: Work, *, executors: Sequence[str]) -> None:
    """What these executors hold waits again; they can no longer end it."""
    connection = cast("SqlWork", work).connection
    mine = (JOB.c.state == "running", JOB.c.executor.in_(list(executors)))
    await connection.execute(update(JOB).where(*mine).values(state="waiting", lease=""))


_NOW = bindparam("now", type_=JOB.c.ended_at.type)
_READY = (
    JOB.c.state == "waiting",
    or_(JOB.c.not_before.is_(None), JOB.c.not_before <= _NOW),
    JOB.c.line.notin_(bindparam("full", expanding=True)),
)
_WAITING = select(JOB.c.seq).where(*_READY).limit(1)
_ROW = bindparam("the_lease", type_=Text())
_PICKED = (
    select(JOB.c.seq)
    .where(*_READY)
    .order_by(JOB.c.seq)
    .limit(bindparam("wanted", type_=BigInteger()))
    .with_for_update(skip_locked=True)
    .cte("picked")
)
_TAKE = (
    update(JOB)
    .where(JOB.c.seq.in_(select(_PICKED.c.seq)))
    .values(state="running", executor=bindparam("the_executor", type_=Text()), lease=_ROW)
)
_UNDER = select(JOB).where(JOB.c.lease == _ROW, JOB.c.state == "running").order_by(JOB.c.seq)
_END = (
    update(JOB)
    .where(JOB.c.id == bindparam("the_id", type_=Text()), JOB.c.lease == _ROW)
    .where(JOB.c.state == "running")
    .values(
        state=bindparam("to", type_=Text()),
        lease="",
        ended_at=_NOW,
        not_before=bindparam("due", type_=JOB.c.not_before.type),
    )
)
