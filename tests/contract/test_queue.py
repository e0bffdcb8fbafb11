"""The queue port: what the journeys' double promises, the durable queue promises too."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import event, func, select

from bot.aside import Inline, InWork, T
from matrix.broadcast.plan import Job, read_job
from storage.engine import open_engine
from storage.memory_queue import MemoryQueue
from storage.migrate import upgrade
from storage.queue import JOBS, JobQueue, JobRunner
from storage.tables import JOB
from storage.unit_of_work import SqlStore

PATIENCE = 20.0
IDLE = 5


class Counting(Inline):
    """Counts the writing transactions."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.count = 0

    async def write(self, body: InWork[T]) -> T:
        self.count += 1
        return await super().write(body)


class Bench:
    """A store with a queue on it, and the jobs that ran."""

    writes: Counting

    def __init__(self, store: SqlStore, queue: JobQueue | MemoryQueue) -> None:
        self.store, self.queue = store, queue
        self.ran: list[str] = []
        self.later: dict[str, float] = {}
        self.full: set[str] = set()
        self.want = JOBS
        self.changed = asyncio.Event()

    async def run(self, subject: str) -> float | None:
        self.ran.append(subject)
        self.changed.set()
        return self.later.pop(subject, None)

    async def put(self, *subjects: str, commit: bool = True) -> None:
        async with self.store.work() as work:
            for subject in subjects:
                await work.enqueue("broadcast", subject)
            if commit:
                await work.commit()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds, within bounds."""
        if isinstance(self.queue, MemoryQueue):
            await self.queue.drain(self.run)
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    async def all(self) -> list[str]:
        """What ran before a last job did: jobs are taken in the order in which they came."""
        await self.put("last")
        await self.until(lambda: "last" in self.ran)
        return sorted(self.ran)


@asynccontextmanager
async def opened(
    url: str, executor: str, dead: tuple[str, ...] = (), run: JobRunner | None = None
) -> AsyncIterator[Bench]:
    """One process's life with the durable queue."""
    await asyncio.to_thread(upgrade, url)
    async with AsyncExitStack() as stack:
        engine = open_engine(url)
        stack.push_async_callback(engine.dispose)
        queue = JobQueue(executor, poll=0.05, engine=engine)
        bench = Bench(SqlStore(engine, queue), queue)
        bench.writes = Counting(bench.store)
        await queue.start(
            run or bench.run, bench.writes, dead, want=lambda: bench.want, full=lambda: bench.full
        )
        stack.push_async_callback(queue.stop)
        yield bench


@asynccontextmanager
async def in_memory(url: str) -> AsyncIterator[Bench]:
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    queue = MemoryQueue()
    yield Bench(SqlStore(engine, queue), queue)
    await engine.dispose()


@pytest.fixture(params=["memory", "table"])
async def bench(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Bench]:
    made = in_memory(database_url) if request.param == "memory" else opened(database_url, "first")
    async with made as bench:
        yield bench


async def test_a_committed_job_runs_once(bench: Bench) -> None:
    await bench.put("campaign:1#0", "campaign:2#0")
    assert await bench.all() == ["campaign:1#0", "campaign:2#0", "last"]


async def test_a_job_that_was_rolled_back_never_runs(bench: Bench) -> None:
    await bench.put("campaign:1#0", commit=False)
    await bench.put("campaign:2#0")
    assert await bench.all() == ["campaign:2#0", "last"]


async def test_what_was_rolled_back_may_be_queued_again(bench: Bench) -> None:
    await bench.put("campaign:1#0", commit=False)
    await bench.put("campaign:1#0")
    assert await bench.all() == ["campaign:1#0", "last"]


async def test_the_same_subject_twice_is_one_job(bench: Bench) -> None:
    await bench.put("campaign:1#0", "campaign:1#0")
    await bench.put("campaign:1#0")
    await bench.until(lambda: bool(bench.ran))
    await bench.put("campaign:1#0")
    assert await bench.all() == ["campaign:1#0", "last"]


async def test_a_job_that_had_not_run_runs_after_a_restart(database_url: str) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def stuck(subject: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with opened(database_url, "first", run=stuck) as bench:
        await bench.put("campaign:1#0")
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        await bench.put("campaign:2#0")
    assert ended.is_set(), "a job outlived its queue"
    async with opened(database_url, "second", ("first",)) as bench:
        assert await bench.all() == ["campaign:1#0", "campaign:2#0", "last"]


async def test_a_job_that_another_process_has_queued_is_seen_soon(database_url: str) -> None:
    async with opened(database_url, "first") as bench:
        await bench.put("campaign:1#0")
        await bench.until(lambda: bool(bench.ran))
        engine = open_engine(database_url)
        other = SqlStore(engine, JobQueue("planner"))
        async with other.work() as work:
            await work.enqueue("broadcast", "campaign:2#0")
            await work.commit()
        await engine.dispose()
        await bench.until(lambda: "campaign:2#0" in bench.ran)


async def test_an_idle_queue_writes_nothing(database_url: str) -> None:
    """On SQLite there is one writer: nobody waits for a queue that has nothing to do."""
    async with opened(database_url, "first") as bench:
        await bench.put("campaign:1#0")
        await bench.until(lambda: bool(bench.ran))
        looked = asyncio.Event()
        looks = 0

        def look(*_: object) -> None:
            nonlocal looks
            looks += 1
            if looks > IDLE:
                looked.set()

        written = bench.writes.count
        event.listen(bench.store.engine.sync_engine, "begin", look)
        async with asyncio.timeout(PATIENCE):
            await looked.wait()
        # Only that the job has ended.
        assert bench.writes.count <= written + 1


async def test_ends_are_written_together_where_no_other_job_is_wanted(database_url: str) -> None:
    """Each was a transaction of its own, as dear as that of its two hundred rows."""
    held = [asyncio.Event() for _ in range(20)]

    async def run(subject: str) -> None:
        await held[int(subject.partition("#")[2])].wait()
        bench.queue.wake()

    async with opened(database_url, "first", run=run) as bench:
        await bench.put(*(f"campaign:1#{n}" for n in range(len(held))))
        async with asyncio.timeout(PATIENCE):
            while await running(bench) < len(held):
                await asyncio.sleep(0)
            bench.want = 0
            written = bench.writes.count
            for one in held:
                one.set()
                # Time for the queue to have its turn, by other turns on the same database.
                for _ in range(3):
                    await running(bench)
            while await bench.queue.depth():
                await asyncio.sleep(0)
        assert bench.writes.count <= written + len(held) // 2


async def running(bench: Bench) -> int:
    async with bench.store.engine.connect() as connection:
        query = select(func.count()).where(JOB.c.state == "running")
        return int((await connection.execute(query)).scalar_one())


async def test_a_job_that_is_to_go_on_later_makes_room_and_comes_back(bench: Bench) -> None:
    bench.later = {"campaign:1#0": 0.2}
    await bench.put("campaign:1#0")
    await bench.until(lambda: bench.ran == ["campaign:1#0"])
    await bench.put("campaign:2#0")
    await bench.until(lambda: "campaign:2#0" in bench.ran)
    await bench.until(lambda: bench.ran.count("campaign:1#0") == 2)
    # Then it is at its end.
    assert await bench.all() == ["campaign:1#0", "campaign:1#0", "campaign:2#0", "last"]
    assert bench.ran[:2] == ["campaign:1#0", "campaign:2#0"] or isinstance(bench.queue, MemoryQueue)


async def test_of_a_full_line_no_job_is_taken(database_url: str) -> None:
    async with opened(database_url, "first") as bench:
        bench.full = {"slow"}
        await bench.put(Job(subject="campaign:1", line="slow").name)
        await bench.put(Job(subject="campaign:2", line="fast").name)
        await bench.until(lambda: bool(bench.ran))
        assert [read_job(one).line for one in bench.ran] == ["fast"]
        bench.full = set()
        await bench.until(lambda: len(bench.ran) == 2)
