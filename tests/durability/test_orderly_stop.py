"""SIGTERM in mid-broadcast leaves nothing in doubt, and two workers keep one account's limit.

Real processes, a real sink that takes no keys and notes when each message came.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.means import RandomIds, SystemClock
from matrix.broadcast.plan import jobs
from matrix.core.delivery import Delivery, DeliveryState, Lane
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.queue import JobQueue
from storage.unit_of_work import SqlStore
from tests.doubles.processes import PATIENCE, Process, running
from tests.unit.matrix.test_pacing import fullest

TARGETS, PER_SECOND = 480, 40
SUBJECT = "drill:1"


@asynccontextmanager
async def clocked() -> AsyncIterator[tuple["Clocked", str]]:
    """A sink, and where it takes messages."""
    sink, app = Clocked(), web.Application()
    app.router.add_post("/in", sink.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield sink, f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    finally:
        await runner.cleanup()


async def sent_by(process: Process) -> float:
    return await process.metric("piyao_deliveries_total", outcome="sent")


class Clocked:
    """Notes when each message came, answers, and nothing else."""

    def __init__(self) -> None:
        self.came: list[tuple[str, float]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((request.headers["Idempotency-Key"], time.monotonic()))
        return web.json_response({})

    async def until(self, look: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not look():
                await asyncio.sleep(0.02)


async def plan(url: str, to: str) -> None:
    """Deliveries and their jobs, more of them than one process takes."""
    await asyncio.to_thread(upgrade, url)
    engine, ids = open_engine(url), RandomIds()
    store = SqlStore(engine, JobQueue("planner"))
    async with store.work() as work:
        template = Delivery(
            id=ids.new(), lane=Lane.BROADCAST, platform="webhook", address="", subject=SUBJECT,
            content={"plain": "演练。"}, created_at=SystemClock().now(),
        )  # fmt: skip
        made = await work.ledger.post(template, [(f"{to}?t={n}", "", "") for n in range(TARGETS)])
        await work.enqueue(
            "broadcast", *(job.name for job in jobs(SUBJECT, made, "webhook", size=10))
        )
        await work.commit()
    await engine.dispose()


async def states(url: str) -> dict[str, int]:
    engine = open_engine(url)
    async with SqlStore(engine).read() as work:
        found = {
            str(state): await work.deliveries.count(subject=SUBJECT, state=state)
            for state in DeliveryState
        }
    await engine.dispose()
    return {state: count for state, count in found.items() if count}


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("FAULTS") != "long",
    reason="long form: make faults; a sink that is kept waiting for 10 s answers nobody",
)
async def test_a_stop_in_mid_broadcast_leaves_no_doubt_and_the_limit_holds(
    database_url: str, tmp_path: Path
) -> None:
    shared = database_url.startswith("postgres")
    sets = ("worker", "worker") if shared else ("",)
    environment = {
        "DATABASE_URL": database_url, "PIYAO_WEBHOOK_SECRET": "s" * 20,
        "PIYAO_WEBHOOK_HOSTS": "127.0.0.1", "PIYAO_WEBHOOK_DOUBT": "hold",
        "PIYAO_WEBHOOK_PER_SECOND": str(PER_SECOND), "PIYAO_FAST": "on",
    }  # fmt: skip
    async with clocked() as (sink, address), running(tmp_path, sets, environment) as processes:
        await plan(database_url, address)
        await sink.until(lambda: len(sink.came) >= TARGETS // 4)
        first = processes[0]
        while shared and not all([await sent_by(one) for one in processes]):
            # Whose turn it is in a second is chance.
            assert len(sink.came) < TARGETS * 3 // 4, "one of the two has sent nothing"
            await asyncio.sleep(0.1)
        assert await first.stop() == 0, first.log.read_text("utf-8")[-1000:]
        found = await states(database_url)
        assert not found.get("in-doubt"), found
        if not shared:
            assert set(found) == {"sent", "pending"}
            assert found["sent"] == len(sink.came)
            async with running(tmp_path, sets, environment):
                await sink.until(lambda: len(sink.came) >= TARGETS)
        await sink.until(lambda: len(sink.came) >= TARGETS)
        async with asyncio.timeout(PATIENCE):
            while await states(database_url) != {"sent": TARGETS}:
                await asyncio.sleep(0.1)
    assert len({key for key, _ in sink.came}) == len(sink.came) == TARGETS
    # On a file the process that begins reads what the one before it has sent.
    assert fullest([at for _, at in sink.came], 1.0) <= PER_SECOND
