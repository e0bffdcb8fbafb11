"""Sightings counted step by step are those that a full count finds, whatever was taken back."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matrix.core.claim import Sighted, Sighting
from matrix.ports import Work
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
CLAIMS = ("water", "fire")


class Undone(Exception):
    """A part or a transaction is taken back."""


def undo() -> None:
    raise Undone


def full(rows: Sequence[Sighting], since: datetime) -> Sighted:
    """Counted one by one."""
    return Sighted(
        leads=len(rows),
        persons=len({one.person for one in rows}),
        areas=len({one.area for one in rows} - {""}),
        chats=len({one.chat for one in rows}),
        fresh=sum(one.seen_at > since for one in rows),
        first=min((one.seen_at for one in rows), default=None),
    )


async def check(work: Work) -> None:
    since = AT + timedelta(minutes=30)
    for claim in CLAIMS:
        rows = await work.sightings.find(claim=claim)
        assert await work.sighted(claim, "", since) == full(rows, since)


class Bench:
    """Does steps in transactions and their parts; numbers its sightings."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.number = 0

    async def step(self, work: Work, kind: str, size: int) -> None:
        if kind == "move":
            found = await work.sightings.find(claim=CLAIMS[size % 2], limit=1)
            for one in found:
                await work.sightings.save(dataclasses.replace(one, claim=CLAIMS[(size + 1) % 2]))
        else:
            for _ in range(size):
                self.number += 1
                n = self.number
                await work.sightings.add(
                    Sighting(
                        id=f"s{n * 7919 % 100_003}", lead=f"l{n}", claim=CLAIMS[n % 5 == 0],
                        person=f"p{n % 11}", area=("", "a", "b")[n % 3], chat=f"c{n % 13}",
                        seen_at=AT + timedelta(minutes=n * 37 % 60),
                    )
                )  # fmt: skip
        await check(work)

    async def transaction(self, parts: Sequence[tuple[str, int, bool]], *, kept: bool) -> None:
        try:
            async with self.store.work() as work:
                for kind, size, stays in parts:
                    try:
                        async with work.part():
                            await self.step(work, kind, size)
                            if not stays:
                                undo()
                    except Undone:
                        await check(work)
                if not kept:
                    undo()
                await work.commit()
        except Undone:
            pass


PART = st.tuples(st.sampled_from(["add", "add", "add", "move"]), st.integers(1, 30), st.booleans())
TRANSACTIONS = st.lists(st.tuples(st.lists(PART, max_size=4), st.booleans()), max_size=8)


@given(transactions=TRANSACTIONS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_count_is_that_of_the_rows(
    transactions: list[tuple[list[tuple[str, int, bool]], bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("spread")
    upgrade(f"sqlite:///{folder / 'test.db'}")

    async def play() -> None:
        engine = open_engine(f"sqlite:///{folder / 'test.db'}")
        bench = Bench(SqlStore(engine))
        for parts, kept in transactions:
            await bench.transaction(parts, kept=kept)
            async with bench.store.work() as work:
                await check(work)
            async with bench.store.read() as work:
                await check(work)
        await engine.dispose()

    asyncio.run(play())


async def test_what_is_counted_is_not_read_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    bench = Bench(SqlStore(engine))
    await bench.transaction([("add", 200, True)], kept=True)
    async with bench.store.work() as work:
        await check(work)
        await work.commit()
    read: list[int] = []
    async with bench.store.work() as work:
        driver = work._hand._driver  # type: ignore[attr-defined]
        run = driver.run_now

        def counted(sql: str, parameters: Sequence[object]) -> object:
            rows, changed = run(sql, parameters)
            read.append(len(rows))
            return rows, changed

        driver.run_now = counted
        found = await work.sighted("water", "", AT)
        del driver.run_now
    assert (found.leads, read) == (160, [0])
    await engine.dispose()
