"""Chunks of the broadcast lane when the database does not say whether it has taken them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import broadcaster
from bot.aside import Inline
from bot.assembly import assemble
from bot.parts import Parts
from config.settings import load
from handlers.housekeeping.ticking import clock_context
from handlers.reposting import jobs
from matrix.core.delivery import Delivery, DeliveryState, Lane
from tests.doubles.channels import ToldChannel
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


@asynccontextmanager
async def posted(folder: Path) -> AsyncIterator[tuple[Parts, ToldChannel]]:
    """A district with one channel, and one delivery for each of many addresses waiting in it."""
    line, clock = ToldChannel(), FakeClock()
    settings = load({"PIYAO_DATA": str(folder)})
    async with assemble(
        settings, clock=clock, durable=False, channels={line.platform: line}
    ) as parts:
        async with parts.store.work() as work:
            template = Delivery(
                id="d", lane=Lane.BROADCAST, platform=line.platform, address="", subject=SUBJECT,
                content={"plain": "演练。"}, created_at=clock.now(),
            )  # fmt: skip
            targets = [(f"in/{n}", f"a{n}", "") for n in range(TARGETS)]
            ctx = clock_context(parts.services, work)
            await jobs.post(ctx, template, {line.platform: targets})
            await work.commit()
        yield parts, line


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
    async with posted(tmp_path) as (parts, line):
        writes = Faulty(parts.store, list(faults))
        lane = broadcaster.Broadcaster(
            parts.services, parts.sender, writes, {line.platform}, parts.executor, timedelta()
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
