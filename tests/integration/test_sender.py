"""Messages out: one slow chat holds up no other, and what is not certain is never forgotten."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.assembly import assemble
from bot.channel import Outgoing
from bot.gate import pace_of
from bot.parts import Parts
from bot.platforms.telegram.limits import LIMITS
from config.settings import load
from matrix.broadcast.pacing import Ask, Pacer
from matrix.core.delivery import Delivery, DeliveryState
from matrix.core.errors import DeliveryError
from tests.doubles.channels import ToldChannel, told
from tests.doubles.clock import FakeClock


class Line(ToldChannel):
    """Also holds on to messages for ``held`` addresses until ``let_go``, one chat at a time."""

    limits = replace(ToldChannel.limits, chat_per_second=1000, edits=True)

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()
        self.let_go = asyncio.Event()
        self.tried: list[str] = []
        self.changed = asyncio.Event()
        self.errors: list[DeliveryError] = []

    async def send(self, message: Outgoing) -> str:
        self.tried.append(message.text)
        if message.address in self.held:
            await self.let_go.wait()
        try:
            if self.errors:
                raise self.errors.pop(0)
            return await super().send(message)
        finally:
            self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.sent) < count:
                self.changed.clear()
                await self.changed.wait()


class Post:
    def __init__(self, parts: Parts, clock: FakeClock, line: Line) -> None:
        self.parts, self.clock, self.line = parts, clock, line

    async def put(self, *texts: str, address: str = "a", **fields: Any) -> None:
        async with self.parts.store.work() as work:
            for one in texts:
                made = Delivery(
                    id=self.parts.services.ids.new(), platform="sms", address=address,
                    content={"plain": one}, created_at=self.clock.now(), **fields,
                )  # fmt: skip
                await work.deliveries.add(made)
            await work.commit()
        self.parts.sender.wake()

    async def pump(self) -> int:
        return await self.parts.sender.pump()

    async def states(self, **criteria: Any) -> list[str]:
        async with self.parts.store.read() as work:
            return [str(one.state) for one in await work.deliveries.find(**criteria)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.parts.sender.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def sql(self, statement: str) -> None:
        async with self.parts.store.engine.begin() as connection:
            await connection.execute(text(statement))


@asynccontextmanager
async def opened(folder: Path, **limits: Any) -> AsyncIterator[Post]:
    clock, line = FakeClock(), Line()
    if limits:
        line.limits = replace(ToldChannel.limits, **limits)
    settings = load({"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off"})
    async with assemble(settings, clock=clock, durable=False, channels=told(line)) as parts:
        yield Post(parts, clock, line)


async def test_one_slow_chat_holds_up_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as post:
        post.line.held.add("slow")
        async with post.running():
            await post.put(*(f"慢{n}" for n in range(60)), address="slow")
            await post.put("快1", "快2", address="quick")
            await post.line.until(2)
            assert post.line.texts("quick") == ["快1", "快2"]
            # Of a chat in which nothing moves one message is under way, the others wait.
            assert (await post.states(address="slow")).count("sending") == 1
            post.line.let_go.set()
            await post.line.until(62)
        assert post.line.texts("slow") == [f"慢{n}" for n in range(60)]
        assert set(await post.states()) == {"sent"}


async def test_an_orderly_stop_leaves_no_doubt(tmp_path: Path) -> None:
    async with opened(tmp_path) as post:
        post.line.held.add("a")
        async with post.running():
            await post.put("一", "二")
            async with asyncio.timeout(60):
                while not post.line.tried:
                    post.line.changed.clear()
                    await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(0.1, post.line.let_go.set)
        assert await post.states() == ["sent", "pending"]


async def test_chats_that_end_at_once_after_others_were_written_are_all_written(
    tmp_path: Path,
) -> None:
    """One began before an outcome was written and one after it: neither's is forgotten."""
    async with opened(tmp_path) as post:
        post.line.held |= {"early", "late"}
        async with post.running():
            await post.put("早", address="early")
            await post.put("快", address="quick")
            await post.line.until(1)
            async with asyncio.timeout(60):
                while await post.states(address="quick") != ["sent"]:
                    await asyncio.sleep(0)
            await post.put("晚", address="late")
            async with asyncio.timeout(60):
                while "晚" not in post.line.tried:
                    await asyncio.sleep(0)
            assert sorted(await post.states()) == ["sending", "sending", "sent"]
            post.line.let_go.set()
            await post.line.until(3)
        assert await post.states() == ["sent"] * 3


async def test_outcomes_that_cannot_be_written_are_written_later(tmp_path: Path) -> None:
    async with opened(tmp_path) as post:
        await post.put("一")
        await post.put("二", address="b")
        await post.sql(
            "CREATE TRIGGER broken BEFORE UPDATE ON delivery WHEN NEW.state = 'sent'"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        assert await post.pump() == 2
        assert await post.states() == ["sending", "sending"]
        await post.sql("DROP TRIGGER broken")
        await post.put("三")
        assert await post.pump() == 1
        assert await post.states() == ["sent"] * 3
        assert [one.text for one in post.line.sent] == ["一", "二", "三"]


async def test_no_answer_is_a_doubt_but_a_harmless_card_is_sent_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as post:
        post.line.errors = [DeliveryError("timeout", unknown=True) for _ in range(3)]
        await post.put("卡片", harmless=True)
        await post.put("一次", address="b", dedup="once")
        await post.put("卡片一次", address="c", harmless=True, dedup="twice")
        await post.pump()
        assert sorted(await post.states()) == ["in-doubt", "in-doubt", "pending"]
        post.clock.forward(minutes=1)
        await post.pump()
        assert [one.text for one in post.line.sent] == ["卡片"]


async def test_slow_down_stops_the_chat_and_loses_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as post:
        # The ledger's clock stands still, the account's own rest is of real time: a moment.
        post.line.errors = [DeliveryError("429", retry_after=timedelta(seconds=0.01))]
        await post.put("一")
        await post.pump()
        assert await post.states() == [DeliveryState.PENDING]
        # Sixty that were put off hold up nothing else.
        await post.put(*("晚" * 60), not_before=post.clock.now() + timedelta(hours=1))
        await post.put("二", address="b")
        assert await post.pump() == 1
        post.clock.forward(seconds=32)
        assert await post.pump() == 1
        assert [one.text for one in post.line.sent] == ["二", "一"]


def test_a_group_gets_twenty_a_minute_and_a_person_one_a_second() -> None:
    pacer = Pacer(pace_of(LIMITS))
    # Our seconds are a hundredth longer than the platform's.
    for chat, minute in (("-100", 20), ("42", 60)):
        now, sent = 1000.0, 0
        while now < 1060.5:
            if wait := pacer.grant([Ask(chat=chat)], now)[0]:
                now += wait
                continue
            pacer.end(chat, now)
            sent += 1
        assert sent == minute


async def test_limits_hold_over_a_restart(tmp_path: Path) -> None:
    """The platform's minute goes on, whoever sends in it: sent, or under way when all was killed."""
    came: list[str] = []
    for life in range(4):
        async with opened(tmp_path, per_minute=4) as post:
            if life == 1:
                # Of the life before this one it was never learnt whether it had arrived.
                cut = {"state": DeliveryState.SENDING, "attempt_id": "x", "executor": "dead"}
                await post.put("断", **cut)
                continue
            await post.put(f"{life}甲", f"{life}乙", address=f"chat{life}")
            for _ in range(3):
                await post.pump()
            came += [one.text for one in post.line.sent]
            waiting = await post.states(state=DeliveryState.PENDING, error="paced")
    assert len(came) + 1 == 4, came
    assert len(waiting) == 3


async def test_a_chat_rests_over_a_restart(tmp_path: Path) -> None:
    for address in ("a", "a", "b"):
        async with opened(tmp_path, chat_per_minute=1, crowded=bool) as post:
            await post.put(f"给 {address}", address=address)
            await post.pump()
            sent = [one.address for one in post.line.sent]
            waits = await post.states(state=DeliveryState.PENDING)
    assert (sent, waits) == (["b"], ["pending"])
