"""One holder per account: however many processes and callers, one fetch."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.means import KeySealer
from bot.tokens import LEASE, Fetched, Tokens
from matrix.core.errors import DeliveryError
from storage import tokens as rows
from storage.engine import open_engine
from storage.migrate import upgrade

SEALER = KeySealer("k" * 40)


class Platform:
    """Hands out numbered tokens and counts; ``now`` is everybody's clock."""

    def __init__(self) -> None:
        self.fetches = 0
        self.now = datetime(2026, 11, 9, 7, tzinfo=UTC)
        self.fault: DeliveryError | None = None
        self.slow: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def fetch(self) -> Fetched:
        self.begun.set()
        if self.slow is not None:
            await self.slow.wait()
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.fetches += 1
        return Fetched(token=f"token-{self.fetches}", lasts=timedelta(hours=2))

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0.01)
        self.now += timedelta(seconds=seconds)


class Processes:
    """Holders as several processes have them: each its own connections."""

    def __init__(self, url: str, platform: Platform) -> None:
        self.url = url
        self.platform = platform
        self.engines = []

    def start(self, sealer: KeySealer = SEALER) -> Tokens:
        self.engines.append(open_engine(self.url))
        name = f"process-{len(self.engines)}"
        return Tokens(
            self.engines[-1], sealer, name, now=lambda: self.platform.now,
            sleep=self.platform.pause,
        )  # fmt: skip


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[Processes]:
    await asyncio.to_thread(upgrade, database_url)
    made = Processes(database_url, Platform())
    yield made
    for engine in made.engines:
        await engine.dispose()


async def test_many_callers_in_many_processes_make_one_fetch(processes: Processes) -> None:
    platform = processes.platform
    holders = [processes.start() for _ in range(4)]
    found = await asyncio.gather(
        *(one.get("wechat:a", platform.fetch) for one in holders for _ in range(5))
    )
    assert set(found) == {"token-1"}
    assert platform.fetches == 1


async def test_a_refused_token_is_replaced_once_whoever_notices(processes: Processes) -> None:
    platform = processes.platform
    holders = [processes.start() for _ in range(3)]
    used = [await one.get("wechat:a", platform.fetch) for one in holders]
    found = await asyncio.gather(
        *(
            one.replace("wechat:a", token, platform.fetch)
            for one, token in zip(holders, used, strict=True)
            for _ in range(4)
        )
    )
    assert set(found) == {"token-2"}
    assert platform.fetches == 2


async def test_accounts_have_tokens_of_their_own(processes: Processes) -> None:
    holder, fetch = processes.start(), processes.platform.fetch
    assert await holder.get("wechat:a", fetch) != await holder.get("wechat:b", fetch)


async def test_a_token_is_not_used_in_its_last_five_minutes(processes: Processes) -> None:
    platform = processes.platform
    holder = processes.start()
    await holder.get("wechat:a", platform.fetch)
    platform.now += timedelta(minutes=114)
    assert await holder.get("wechat:a", platform.fetch) == "token-1"
    platform.now += timedelta(minutes=1)
    assert await holder.get("wechat:a", platform.fetch) == "token-2"


async def test_a_restart_finds_the_token_and_another_key_does_not(processes: Processes) -> None:
    platform = processes.platform
    await processes.start().get("wechat:a", platform.fetch)
    assert await processes.start().get("wechat:a", platform.fetch) == "token-1"
    other = processes.start(KeySealer("o" * 40))
    assert await other.get("wechat:a", platform.fetch) == "token-2"


async def test_the_database_holds_no_token_in_the_clear(processes: Processes) -> None:
    await processes.start().get("wechat:a", processes.platform.fetch)
    async with processes.engines[0].connect() as connection:
        row = (await connection.execute(text("SELECT * FROM token"))).mappings().one()
    assert row["account"] == "wechat:a"
    assert "token-1" not in str(dict(row))


async def test_a_failed_fetch_frees_the_lease(processes: Processes) -> None:
    platform = processes.platform
    holder = processes.start()
    platform.fault = DeliveryError("not-sent")
    with pytest.raises(DeliveryError, match="not-sent"):
        await holder.get("wechat:a", platform.fetch)
    platform.fault = None
    before = platform.now
    assert await processes.start().get("wechat:a", platform.fetch) == "token-1"
    assert platform.now == before, "nobody had to wait for the lease"


async def test_a_caller_that_gives_up_frees_the_lease(processes: Processes) -> None:
    platform = processes.platform
    platform.slow = asyncio.Event()
    task = asyncio.create_task(processes.start().get("wechat:a", platform.fetch))
    await platform.begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    platform.slow = None
    assert await processes.start().get("wechat:a", platform.fetch) == "token-1"


async def test_a_dead_process_lease_runs_out(processes: Processes) -> None:
    platform = processes.platform
    holder = processes.start()
    began = platform.now
    assert await rows.lease(processes.engines[0], "wechat:a", "dead", began, began + LEASE)
    assert await holder.get("wechat:a", platform.fetch) == "token-1"
    assert platform.now - began > LEASE


async def test_who_lost_the_lease_does_not_overwrite(processes: Processes) -> None:
    holder = processes.start()
    engine, at = processes.engines[0], processes.platform.now
    await holder.get("wechat:a", processes.platform.fetch)
    assert not await rows.keep(engine, "wechat:a", "stranger", "sealed", at)
    assert await processes.start().get("wechat:a", processes.platform.fetch) == "token-1"


async def test_a_token_that_came_by_itself_is_kept(processes: Processes) -> None:
    holder, fetch = processes.start(), processes.platform.fetch
    await holder.get("component", fetch)
    await holder.keep("component", Fetched(token="ticket-9", lasts=timedelta(hours=12)))
    assert await holder.get("component", fetch) == "ticket-9"
    assert await processes.start().get("component", fetch) == "ticket-9"
