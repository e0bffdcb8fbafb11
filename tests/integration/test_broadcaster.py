"""Chunks of the broadcast lane when the database does not say whether it has taken them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot import broadcaster
from bot.aside import Aside, Inline
from bot.assembly import assemble
from bot.channel import Outgoing
from bot.parts import Parts
from config.settings import load
from handlers.housekeeping.ticking import clock_context
from handlers.reposting import jobs
from matrix.broadcast.retry import ATTEMPTS
from matrix.core.campaign import RepostTask, TaskState
from matrix.core.delivery import Delivery, DeliveryState, Lane
from matrix.core.errors import DeliveryError
from tests.doubles.channels import ToldChannel, told
from tests.doubles.clock import FakeClock

SUBJECT = "drill:1"
TARGETS = 450


class Faulty(Inline):
    """A database that drops the connection at some commits: ``before`` or ``after`` taking them."""

    def __init__(self, store: Any, faults: list[str]) -> None:
        super().__init__(store)
        self.faults = faults

    async def write(self, body: Any) -> Any:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise ConnectionError
        result = await super().write(body)
        if fault == "after":
            raise ConnectionError
        return result


async def post(parts: Parts, platform: str, targets: int) -> None:
    """One delivery for each of many addresses, and the jobs for them."""
    async with parts.store.work() as work:
        ctx = clock_context(parts.services, work)
        template = Delivery(
            id="d", lane=Lane.BROADCAST, platform=platform, address="", subject=SUBJECT,
            content={"plain": "演练。"}, created_at=ctx.at,
        )  # fmt: skip
        some = [(f"in/{n}", f"a{n}", "") for n in range(targets)]
        await jobs.post(ctx, template, {platform: some})
        await work.commit()


@asynccontextmanager
async def posted(
    folder: Path, line: ToldChannel, clock: FakeClock, targets: int = TARGETS
) -> AsyncIterator[Parts]:
    """A district with one channel, for which deliveries wait."""
    settings = load({"PIYAO_DATA": str(folder)})
    async with assemble(settings, clock=clock, durable=False, channels=told(line)) as parts:
        await post(parts, line.platform, targets)
        yield parts


@pytest.mark.parametrize(
    "faults",
    [
        ["after"],
        ["before"],
        ["", "after"],
        ["", "before", "before", "after"],
        # Tried together, then each alone, and the last answer is lost too.
        ["after", "after", "after"],
        ["", "", "", "after", "after"],
    ],
)
async def test_a_commit_without_an_answer_loses_nothing_and_repeats_nothing(
    faults: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "_AGAIN", 0.0)
    line = ToldChannel()
    async with posted(tmp_path, line, FakeClock()) as parts:
        writes = Faulty(parts.store, list(faults))
        lane = broadcaster.Broadcaster(
            parts.services, parts.sender, writes, {line.platform}, parts.executor
        )
        await lane.run(SUBJECT)
        assert not writes.faults
        async with parts.store.read() as work:
            rows = await work.deliveries.find(subject=SUBJECT)
            events = await work.events(entity="delivery")
        assert {one.state for one in rows} == {DeliveryState.SENT}
        assert sorted(one.address for one in line.sent) == sorted(f"in/{n}" for n in range(TARGETS))
        counted = [(one.action, one.data["count"]) for one in events]
        for action in ("claim", "sent"):
            assert sum(n for name, n in counted if name == action) == TARGETS, counted


class Busy(ToldChannel):
    """Says "slow down" so many times, then fails for a while, then takes the message."""

    def __init__(self, slow: int, failures: int) -> None:
        super().__init__()
        self.slow, self.failures, self.asked = slow, failures, 0

    async def send(self, message: Outgoing) -> str:
        self.asked += 1
        if self.asked <= self.slow:
            raise DeliveryError("429", retry_after=timedelta(seconds=30))
        if self.asked <= self.slow + self.failures:
            raise DeliveryError("unreachable")
        return await super().send(message)


async def test_waiting_is_no_attempt(tmp_path: Path) -> None:
    """A message that was told to wait ten times still has all its attempts."""
    line, clock = Busy(slow=10, failures=ATTEMPTS - 1), FakeClock()
    async with posted(tmp_path, line, clock, targets=1) as parts:
        lane = parts.broadcaster
        turns = 0
        while (wait := await lane.run(SUBJECT)) is not None:
            turns += 1
            clock.forward(seconds=wait)
        async with parts.store.read() as work:
            one = await work.deliveries.one(subject=SUBJECT)
    assert one is not None
    assert (one.state, one.attempt) == (DeliveryState.SENT, ATTEMPTS)
    assert turns == line.asked - 1 == 10 + ATTEMPTS - 1


class Slow(ToldChannel):
    """One message a second."""

    platform = "slow"
    limits = replace(ToldChannel.limits, per_second=1)


class Fast(ToldChannel):
    """Tells when it has had so many messages."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.wanted, self.full = wanted, asyncio.Event()

    async def send(self, message: Outgoing) -> str:
        answer = await super().send(message)
        if len(self.sent) == self.wanted:
            self.full.set()
        return answer


async def test_a_slow_account_keeps_no_other_waiting(tmp_path: Path) -> None:
    """Thousands for one that takes a message a second came first; the others are served at once."""
    slow, fast = Slow(), Fast(TARGETS)
    settings = load({"PIYAO_DATA": str(tmp_path)})
    async with assemble(settings, channels={slow.platform: slow, fast.platform: fast}) as parts:
        await post(parts, slow.platform, 6000)
        await post(parts, fast.platform, TARGETS)
        async with asyncio.timeout(90):
            await fast.full.wait()
        had = len(slow.sent)
        async with parts.store.read() as work:
            tried = await work.deliveries.count(platform=slow.platform, attempt_id__ne="")
    assert {one.address for one in fast.sent} == {f"in/{n}" for n in range(TARGETS)}
    # A tenth of a second would do for the others; what cannot go yet is not even marked.
    assert had < TARGETS / 10
    assert tried <= len(slow.sent) + 5


class Stuck(ToldChannel):
    """Answers nobody until it is let go; tells when so many wait."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.wanted, self.waiting = wanted, 0
        self.full, self.let_go = asyncio.Event(), asyncio.Event()

    async def send(self, message: Outgoing) -> str:
        self.waiting += 1
        if self.waiting == self.wanted:
            self.full.set()
        await self.let_go.wait()
        return await super().send(message)


async def test_a_process_whose_window_is_full_takes_no_more_jobs(tmp_path: Path) -> None:
    """Others would have nothing to do, and this one could not begin with them."""
    line = Stuck(wanted=64)
    async with assemble(load({"PIYAO_DATA": str(tmp_path)}), channels=told(line)) as parts:
        await post(parts, line.platform, 3000)
        async with asyncio.timeout(60):
            await line.full.wait()
        async with parts.store.read() as work:
            sending = await work.deliveries.count(state=DeliveryState.SENDING)
        wanted = parts.broadcaster.wants()
        line.let_go.set()
    assert (sending, wanted) == (broadcaster.WINDOW, 0)


class Failing(ToldChannel):
    """Fails each message in the same way."""

    def __init__(self, error: DeliveryError) -> None:
        super().__init__()
        self.error = error

    async def send(self, message: Outgoing) -> str:
        raise self.error


LOST = Failing(DeliveryError("timeout", unknown=True))
DOWN = Failing(DeliveryError("unreachable"))
SLOW = Failing(DeliveryError("429", retry_after=timedelta(seconds=30)))


@pytest.mark.parametrize(
    ("line", "state", "moves"),
    [
        (ToldChannel(), TaskState.VERIFIED, ("send", "sent", "verify")),
        (LOST, TaskState.UNKNOWN, ("send", "lose")),
        (DOWN, TaskState.CREATED, ("send", "wait")),
        (SLOW, TaskState.CREATED, ("send", "wait")),
    ],
)
async def test_tasks_of_a_chunk_move_in_few_statements(
    line: ToldChannel, state: TaskState, moves: Sequence[str], tmp_path: Path
) -> None:
    clock = FakeClock()
    async with posted(tmp_path, line, clock, targets=0) as parts:
        tasks = [
            RepostTask(
                id=f"t{n:03}", campaign="c", case="", account=f"a{n}", tier="", serial=n,
                due_at=clock.now() + timedelta(minutes=n - 100),
            )
            for n in range(200)
        ]  # fmt: skip
        async with parts.store.work() as work:
            await work.tasks.add_all(tasks)
            template = Delivery(
                id="d", lane=Lane.BROADCAST, platform=line.platform, address="", subject=SUBJECT,
                content={"plain": "演练。"}, created_at=clock.now(),
            )  # fmt: skip
            some = [(f"in/{n}", task.account, f"post:{task.id}") for n, task in enumerate(tasks)]
            await work.ledger.post(template, some)
            await work.commit()
        said: list[str] = []
        writes = Aside(parts.settings.url, parts.queue)
        lane = broadcaster.Broadcaster(
            parts.services, parts.sender, writes, {line.platform}, parts.executor
        )

        def hear(*given: Any) -> None:
            said.append(given[2])

        event.listen(Engine, "before_cursor_execute", hear)
        try:
            await lane.run(SUBJECT)
        finally:
            event.remove(Engine, "before_cursor_execute", hear)
            await writes.close()
        async with parts.store.read() as work:
            found = await work.tasks.find(order="id")
            events = await work.events(entity="task")
    assert {one.state for one in found} == {state}
    assert Counter(one.action for one in events) == dict.fromkeys(moves, 200)
    assert len(said) < 200
    if state is TaskState.VERIFIED:
        assert all(one.url for one in found)
        assert [one.late for one in found] == [n < 100 for n in range(200)]
