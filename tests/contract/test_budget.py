"""The budget of a sending account: alone in memory, shared by processes on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.gate import Budget, Gate, OwnBudget
from bot.holdings import Holdings
from matrix.broadcast.pacing import Ask, Pace
from matrix.core.errors import DeliveryError
from storage import leases
from storage.engine import open_engine
from storage.executors import forget
from storage.migrate import upgrade
from storage.pace import SharedBudget

PACE = Pace(overall=((3, 60.0),), chat=((1, 60.0),))
ASKS = [Ask(chat=name) for name in ("a", "a", "b", "c", "d")]


@pytest.fixture
async def budgets(database_url: str) -> AsyncIterator[tuple[Budget, Budget]]:
    """Two processes that send for one account; on SQLite they are the same."""
    if database_url.startswith("sqlite"):
        own = OwnBudget(PACE)
        yield own, own
        return
    await asyncio.to_thread(upgrade, database_url)
    engine = open_engine(database_url)
    yield SharedBudget(engine, "bot", "one", PACE), SharedBudget(engine, "bot", "two", PACE)
    await engine.dispose()


def granted(answers: object) -> list[bool]:
    return [bool(name) for name, _ in answers]  # type: ignore[attr-defined]


async def test_what_one_has_sent_counts_for_the_other(budgets: tuple[Budget, Budget]) -> None:
    one, two = budgets
    first = await one.take([], ASKS[:3])
    assert granted(first) == [True, False, True]
    assert granted(await two.take([], ASKS)) == [False, False, False, True, False]
    # Answered, it still counts for as long as the window.
    await one.take([name for name, _ in first if name], [])
    assert granted(await two.take([], ASKS)) == [False] * 5
    waits = [wait for _, wait in await two.take([], ASKS[:1])]
    assert 50 < waits[0] <= 60


async def test_a_rest_holds_for_all(budgets: tuple[Budget, Budget]) -> None:
    one, two = budgets
    await one.rest("a", 30.0)
    assert granted(await two.take([], ASKS[:3])) == [False, False, True]
    await two.rest("", 30.0)
    assert granted(await one.take([], [Ask(chat="z")])) == [False]


async def test_who_would_wait_too_long_goes_back_and_who_has_begun_waits_on() -> None:
    gate = Gate(PACE, OwnBudget(PACE))
    async with gate.turn(ASKS[0]):
        pass
    with pytest.raises(DeliveryError) as put_off:
        async with gate.turn(ASKS[0]):
            raise AssertionError
    assert put_off.value.code == "paced"
    assert put_off.value.retry_after is not None
    assert 50 < put_off.value.retry_after.total_seconds() <= 60
    waiting = asyncio.create_task(_through(gate, ASKS[0]))
    await asyncio.sleep(0)
    gate.close()
    # A stop sends back who waits, but not the rest of a message whose beginning is out.
    with pytest.raises(DeliveryError, match="stopping"):
        async with gate.turn(ASKS[2]):
            raise AssertionError
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await gate.aclose()


async def _through(gate: Gate, ask: Ask) -> None:
    async with gate.turn(ask, patient=True):
        raise AssertionError


@pytest.mark.postgres
async def test_turns_of_the_dead_end_when_they_are_buried(postgres_url: str) -> None:
    await asyncio.to_thread(upgrade, postgres_url)
    engine = open_engine(postgres_url)
    pace = Pace(overall=((1, 0.2),))
    dead, alive = (SharedBudget(engine, "bot", name, pace) for name in ("dead", "alive"))
    assert granted(await dead.take([], ASKS[:1])) == [True]
    assert (await alive.take([], ASKS[:1]))[0][1] == float("inf")
    await forget(engine, ["dead"])
    _, wait = (await alive.take([], ASKS[:1]))[0]
    assert 0 <= wait <= 0.2
    await engine.dispose()


@pytest.mark.postgres
async def test_one_holds_the_others_stand_by(postgres_url: str) -> None:
    await asyncio.to_thread(upgrade, postgres_url)
    engine = open_engine(postgres_url)
    one, two = (Holdings(engine, {"telegram", "clock"}, name) for name in ("one", "two"))
    for _ in range(2):
        await one.renew()
        await two.renew()
    assert (one.held("telegram"), two.held("telegram")) == (True, False)
    assert (sorted(one.lines() or ()), two.lines()) == (["clock", "telegram"], [])
    # Silent for longer than its lease.
    await leases.take(engine, {"telegram"}, "one", -1.0)
    await two.renew()
    await one.renew()
    assert (one.held("telegram"), two.held("telegram")) == (False, True)
    assert one.held("clock")
    # An orderly stop frees at once.
    await two.release()
    await one.renew()
    assert one.held("telegram")
    await engine.dispose()
