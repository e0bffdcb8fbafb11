"""The same stage, played from outside: the product runs in processes of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx

from bot.assembly import assemble
from bot.clock_report import compare
from bot.parts import Parts
from bot.presenter import Presenter
from config.settings import load
from config.texts import load_texts
from storage.engine import open_engine
from storage.unit_of_work import SqlStore
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks
from tests.doubles.processes import PATIENCE, Process, running
from tests.journeys.play import Play

_LOOK = 0.05


@dataclass
class FileClock(FakeClock):
    """A clock that the processes read from a file."""

    file: Path = Path()

    def __post_init__(self) -> None:
        super().__init__()
        self.write()

    def forward(self, **span: float) -> None:
        super().forward(**span)
        self.write()

    def write(self) -> None:
        # Replaced as a whole: a reader never sees half of an instant.
        fresh = self.file.with_suffix(".new")
        fresh.write_text(self.at.isoformat(), "utf-8")
        fresh.replace(self.file)


class FarPlay(Play):
    """Says and presses through the API of another process; looks into the database."""

    clock: FileClock
    sweeper: Process

    async def _clocks(self) -> None:
        """The log gives every clock as it is stored; their times are this process's to know."""
        async with self.parts.store.read() as work:
            _, differing = await compare(work)
        assert not differing

    async def settle(self) -> None:
        """Wait until nothing is under way; a crash of a handler is a failure."""
        async with asyncio.timeout(PATIENCE):
            while await self._moving():
                await asyncio.sleep(_LOOK)
        async with self.parts.store.read() as work:
            failed = await work.inbox.find(attempts__gt=0)
        assert not failed, [one.error for one in failed]

    async def _moving(self) -> bool:
        async with self.parts.store.read() as work:
            return bool(
                await work.inbox.count(state="stored", retry_at=None)
                or await work.deliveries.count(state="sending")
                or await work.deliveries.count(state="pending", not_before=None)
                or await work.deliveries.count(state="pending", not_before__lte=self.clock.now())
            )

    async def tick(self, **span: float) -> None:
        """Time passes; the clock's process has swept twice since, once surely in full."""
        self.clock.forward(**span)
        before = await self.sweeper.metric("piyao_sweeps_total")
        async with asyncio.timeout(PATIENCE):
            while await self.sweeper.metric("piyao_sweeps_total") < before + 2:
                await asyncio.sleep(_LOOK)
        await self.settle()


async def _district(folder: Path, url: str, accounts: Sequence[str], direct: str, to: str) -> None:
    """The sample, some of its accounts, one of them posted to directly."""
    settings = load({"PIYAO_DATA": str(folder), "DATABASE_URL": url})
    async with (
        assemble(settings, clock=FakeClock(), durable=False) as parts,
        parts.store.work() as work,
    ):
        for one in await work.accounts.find():
            if one.id == direct:
                changed = replace(one, capability="direct", platform="webhook", address=to)
                await work.accounts.save(changed)
            elif one.id not in accounts:
                await work.accounts.save(replace(one, ended=True))
        await work.commit()


@asynccontextmanager
async def far_stage(
    folder: Path,
    url: str,
    sets: Sequence[str],
    *,
    accounts: Sequence[str],
    direct: str,
    to: str,
    **environment: str,
) -> AsyncIterator[FarPlay]:
    """The sample district in these processes; ``direct`` is posted to at ``to``."""
    folder.mkdir(parents=True, exist_ok=True)
    await _district(folder, url, accounts, direct, to)
    clock = FileClock(file=folder / "clock")
    more = {"DATABASE_URL": url, "PIYAO_FAST": "on", "PIYAO_TEST_CLOCK": str(clock.file)}
    async with running(folder, sets, {**more, **environment}) as processes:
        store = SqlStore(open_engine(url))
        async with store.read() as work:
            people = {one.id: one for one in await work.people.find()}
        seen = SimpleNamespace(
            store=store,
            presenter=Presenter(texts=load_texts()),
            services=SimpleNamespace(directory=SimpleNamespace(people=people)),
        )
        web, sweeper = (
            next(one for one in processes if not one.roles or role in one.roles)
            for role in ("web", "clock")
        )
        async with httpx.AsyncClient(
            base_url=web.address, trust_env=False, timeout=PATIENCE
        ) as http:
            play = FarPlay(cast("Parts", seen), clock, ToldLinks(), http)
            play.clock = clock
            play.sweeper = sweeper
            yield play
            await play.replay()
        await store.engine.dispose()


async def state_of(play: FarPlay) -> dict[str, Any]:
    """How everything stands, without ids and instants: what two runs of one story share."""
    found: dict[str, Any] = {}
    for kind, fields in _SHOWN.items():
        rows = [tuple(str(getattr(one, name)) for name in fields) for one in await play.all(kind)]
        found[kind] = sorted(rows)
    deliveries = await play.all("deliveries")
    found["deliveries"] = Counter(
        (str(one.state), str(one.lane), one.platform, one.person, str(one.content.get("reply", "")))
        for one in deliveries
        # A bundle of reminders falls as the sweeps do.
        if not one.edits
    )
    return found


_SHOWN = {
    "leads": ("number", "state", "text", "reporter"),
    "cases": ("number", "state", "grade", "owner", "verdict"),
    "assignments": ("unit", "state"),
    "revisions": ("serial", "state", "title"),
    "bulletins": ("number", "state", "kind"),
    "campaigns": ("state", "accounts"),
    "tasks": ("account", "state", "serial"),
    "feedback": ("person", "state"),
    "receipts": ("kind",),
    "inbox": ("state", "kind", "text", "external"),
}
