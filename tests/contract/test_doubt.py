"""What follows an unanswered call and a crash, by what each platform promises: HTTP doubles."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.assembly import assemble
from bot.parts import Parts, abandoned
from config.settings import load
from matrix.core.delivery import Delivery, DeliveryState
from tests.doubles.bot_api import BotApi
from tests.doubles.clock import FakeClock
from tests.doubles.sink import Sink, open_sink

SECRET = "a secret of the partner's endpoint"
WORDS = "明天不停水。"


@dataclass
class Line:
    """One message that has been put into the ledger, and how to look at it."""

    parts: Parts
    clock: FakeClock

    async def put(self, platform: str, address: str, **fields: Any) -> None:
        made = Delivery(
            id=self.parts.services.ids.new(), platform=platform, address=address,
            content={"plain": WORDS}, created_at=self.clock.now(), dedup="once", **fields,
        )  # fmt: skip
        async with self.parts.store.work() as work:
            await work.deliveries.add(made)
            await work.commit()

    async def row(self) -> Delivery:
        async with self.parts.store.read() as work:
            (found,) = await work.deliveries.find()
        return found

    async def crashed(self) -> None:
        """As a process leaves it that died in the middle of the call."""
        row = await self.row()
        left = replace(row, state=DeliveryState.SENDING, executor="dead", attempt=1, attempt_id="a")
        async with self.parts.store.work() as work:
            await work.deliveries.save(left)
            await work.commit()
        await abandoned(self.parts, None)

    async def pump(self) -> None:
        await self.parts.sender.pump()

    async def later(self) -> str:
        """Half a minute on: the platforms are asked, what is pending goes out."""
        self.clock.forward(seconds=31)
        await self.parts.sender.ask_back()
        await self.pump()
        return str((await self.row()).state)


@asynccontextmanager
async def line(folder: Path, **environment: str) -> AsyncIterator[Line]:
    clock = FakeClock()
    settings = load({"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off", **environment})
    async with assemble(settings, clock=clock, durable=False) as parts:
        yield Line(parts, clock)


@asynccontextmanager
async def partner(folder: Path, doubt: str) -> AsyncIterator[tuple[Line, Sink]]:
    async with (
        open_sink(SECRET) as sink,
        line(
            folder, PIYAO_WEBHOOK_SECRET=SECRET, PIYAO_WEBHOOK_HOSTS="127.0.0.1",
            PIYAO_WEBHOOK_DOUBT=doubt,
        ) as one,
    ):  # fmt: skip
        await one.put("webhook", f"{sink.url}/in")
        yield one, sink


async def _unanswered(one: Line, sink: Sink, fate: str) -> None:
    sink.answers = [fate]
    await one.pump()


async def _crash(one: Line, sink: Sink, fate: str) -> None:
    """The same two fates when it was the process that died."""
    await one.crashed()
    if fate == "swallow":
        row = await one.row()
        sink.posts.append({"idempotency_key": row.id, "text": WORDS})


HAPPENS = pytest.mark.parametrize("happen", [_unanswered, _crash])
FATES = pytest.mark.parametrize("fate", ["drop", "swallow"])
Happen = Callable[[Line, Sink, str], Any]


@HAPPENS
@FATES
async def test_key_sends_again_and_the_endpoint_drops_the_second(
    tmp_path: Path, happen: Happen, fate: str
) -> None:
    async with partner(tmp_path, "key") as (one, sink):
        await happen(one, sink, fate)
        before = await one.row()
        assert before.state == "pending"
        assert await one.later() == "sent"
        assert len(sink.posts) == 1
        assert set(sink.keys) == {before.id}
        assert sink.asked == 0


WECOM = {
    "PIYAO_SECRET_KEY": "k" * 40, "PIYAO_WECOM_CORP_ID": "ww1", "PIYAO_WECOM_AGENT_ID": "1",
    "PIYAO_WECOM_SECRET": "s", "PIYAO_WECOM_BASE_URL": "http://127.0.0.1:9",
}  # fmt: skip


@pytest.mark.parametrize(("hours", "state"), [(2, "pending"), (3, "in-doubt")])
async def test_a_key_that_the_platform_has_forgotten_is_none(
    tmp_path: Path, hours: int, state: str
) -> None:
    """WeCom drops an identical text for three hours: a process that was dead for longer asks."""
    async with line(tmp_path, **WECOM) as one:
        await one.put("wecom", "wangfang")
        one.clock.forward(hours=hours)
        await one.crashed()
        assert (await one.row()).state == state


@pytest.mark.parametrize(
    ("hours", "state"), [(2.4, "pending"), (2.7, "pending"), (3, "in-doubt"), (30, "in-doubt")]
)
async def test_what_waits_for_its_next_try_is_in_doubt_once_the_key_is_forgotten(
    tmp_path: Path, hours: float, state: str
) -> None:
    """A last try made within the key's time is still known; after a longer stop it is not made."""
    async with line(tmp_path, **WECOM) as one:
        await one.put("wecom", "wangfang")
        await one.crashed()
        assert (await one.row()).unsure
        one.clock.forward(hours=hours)
        await one.pump()
        assert (await one.row()).state == state


async def test_key_gives_up_in_the_end_and_a_person_decides(tmp_path: Path) -> None:
    async with partner(tmp_path, "key") as (one, sink):
        sink.answers = ["drop"] * 20
        for _ in range(20):
            await one.pump()
            one.clock.forward(minutes=20)
        assert (await one.row()).state == "in-doubt"
        assert len(sink.keys) == 6


@HAPPENS
@FATES
async def test_verify_asks_before_it_sends_again(tmp_path: Path, happen: Happen, fate: str) -> None:
    async with partner(tmp_path, "verify") as (one, sink):
        await happen(one, sink, fate)
        before = await one.row()
        assert before.state == "in-doubt"
        await one.parts.sender.ask_back()
        assert sink.asked == 0, "what is on its way is not there yet"
        assert await one.later() == "sent"
        assert len(sink.posts) == 1
        assert sink.asked == 1
        assert (await one.row()).remote_id == f"{sink.url}/1"


@HAPPENS
@FATES
async def test_what_the_platform_cannot_say_waits_for_a_person(
    tmp_path: Path, happen: Happen, fate: str
) -> None:
    async with partner(tmp_path, "verify") as (one, sink):
        sink.readable = False
        await happen(one, sink, fate)
        tried = len(sink.keys)
        for _ in range(3):
            assert await one.later() == "in-doubt"
        assert (sink.asked, len(sink.keys)) == (1, tried)


async def test_a_platform_that_is_away_is_asked_again(tmp_path: Path) -> None:
    async with partner(tmp_path, "verify") as (one, sink):
        await _unanswered(one, sink, "swallow")
        row = await one.row()
        away = replace(row, address="http://127.0.0.1:1/in")
        async with one.parts.store.work() as work:
            away = await work.deliveries.save(away)
            await work.commit()
        assert await one.later() == "in-doubt"
        async with one.parts.store.work() as work:
            await work.deliveries.save(replace(away, address=row.address))
            await work.commit()
        assert await one.later() == "sent"


@HAPPENS
@FATES
async def test_hold_waits_for_a_person(tmp_path: Path, happen: Happen, fate: str) -> None:
    async with partner(tmp_path, "hold") as (one, sink):
        await happen(one, sink, fate)
        tried = len(sink.keys)
        for _ in range(3):
            assert await one.later() == "in-doubt"
        assert (sink.asked, len(sink.keys)) == (0, tried)


def _telegram(api: BotApi, folder: Path) -> AbstractAsyncContextManager[Line]:
    return line(
        folder, PIYAO_TELEGRAM_TOKEN=api.token, PIYAO_TELEGRAM_BASE_URL=api.url,
        PIYAO_SECRET_KEY="k" * 40,
    )  # fmt: skip


@pytest.mark.parametrize("arrives", [True, False])
async def test_telegram_cannot_be_asked_and_takes_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with BotApi() as api, _telegram(api, tmp_path) as one:
        api.fail("sendMessage", drop=True, after=arrives)
        await one.put("telegram", "42")
        await one.pump()
        assert (await one.row()).state == "in-doubt"
        for _ in range(3):
            assert await one.later() == "in-doubt"
        assert len(api.messages) == int(arrives)


async def test_a_card_with_single_use_buttons_stays_harmless(tmp_path: Path) -> None:
    async with partner(tmp_path, "hold") as (one, sink):
        card = replace(await one.row(), harmless=True, dedup=None)
        async with one.parts.store.work() as work:
            await work.deliveries.save(card)
            await work.commit()
        await one.crashed()
        assert await one.later() == "sent"
        assert timedelta() < one.clock.now() - card.created_at
        assert len(sink.posts) == 1
