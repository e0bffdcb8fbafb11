"""Two processes send the last posts of a broadcast at the same moment: its end is not missed."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.aside import Aside
from bot.assembly import assemble
from bot.broadcaster import Broadcaster
from bot.parts import Parts
from config.settings import load
from handlers.housekeeping.ticking import clock_context
from matrix.broadcast.plan import jobs
from matrix.core.campaign import Campaign, CampaignState, RepostTask
from matrix.core.case import Case, CaseState, Grade
from matrix.core.delivery import Delivery, Lane
from tests.doubles.channels import ToldChannel, told
from tests.doubles.clock import FakeClock

SUBJECT = "campaign:c1"


class Abreast(Aside):
    """Writes in a thread of its own; its ``nth`` transaction commits when the other's is ready."""

    def __init__(self, parts: Parts, nth: int, both_ready: threading.Barrier) -> None:
        super().__init__(parts.settings.url, parts.queue)
        self.left, self.both_ready = nth, both_ready

    async def write(self, body: Any) -> Any:
        self.left -= 1
        now = self.left == 0

        async def abreast(work: Any) -> Any:
            result = await body(work)
            if now:
                # In the ledger's own thread: nobody else waits for it.
                self.both_ready.wait(60)
            return result

        return await super().write(abreast)


async def begun(parts: Parts, line: ToldChannel) -> list[str]:
    """A broadcast of two direct posts runs; a job for each."""
    async with parts.store.work() as work:
        ctx = clock_context(parts.services, work)
        await work.cases.add(
            Case(
                id="k1", number="云江-0001", claim="", wording="明日停水", grade=Grade.YELLOW,
                received_at=ctx.at, filed_at=ctx.at, stage_since=ctx.at,
                state=CaseState.REPOSTING,
            )
        )  # fmt: skip
        await work.campaigns.add(
            Campaign(
                id="c1", case="k1", bulletin="", accounts=("a0", "a1"), created_at=ctx.at,
                started_at=ctx.at, due_at=ctx.at + timedelta(hours=1), state=CampaignState.RUNNING,
            )
        )  # fmt: skip
        tasks = [
            RepostTask(
                id=f"t{n}", campaign="c1", case="k1", account=f"a{n}", tier="", serial=n,
                due_at=ctx.at + timedelta(hours=1),
            )
            for n in range(2)
        ]  # fmt: skip
        await work.tasks.add_all(tasks)
        template = Delivery(
            id="d", lane=Lane.BROADCAST, platform=line.platform, address="", subject=SUBJECT,
            content={"plain": "供水正常。"}, created_at=ctx.at,
        )  # fmt: skip
        ids = await work.ledger.post(
            template, [(f"in/{n}", task.account, f"post:{task.id}") for n, task in enumerate(tasks)]
        )
        await work.commit()
    return [job.name for job in jobs(SUBJECT, ids, line.platform, size=1)]


async def states(parts: Parts) -> tuple[str, str, list[str]]:
    async with parts.store.read() as work:
        campaign, case = await work.campaigns.get("c1"), await work.cases.get("k1")
        return campaign.state, case.state, [one.state for one in await work.tasks.find()]


@pytest.mark.postgres
async def test_neither_sees_the_others_end_and_the_clock_does(
    postgres_url: str, tmp_path: Path
) -> None:
    line = ToldChannel()
    settings = load({"PIYAO_DATA": str(tmp_path), "DATABASE_URL": postgres_url})
    async with assemble(settings, clock=FakeClock(), durable=False, channels=told(line)) as parts:
        names = await begun(parts, line)
        # The first transaction of each marks its post, the second writes that it has arrived.
        both_ready = threading.Barrier(2)
        hands = [Abreast(parts, 2, both_ready) for _ in names]
        lanes = [
            Broadcaster(parts.services, parts.sender, hand, {line.platform}, f"e{n}")
            for n, hand in enumerate(hands)
        ]
        try:
            await asyncio.gather(*(lane.run(job) for lane, job in zip(lanes, names, strict=True)))
        finally:
            for hand in hands:
                await hand.close()
        assert not both_ready.broken
        assert len(line.sent) == len(names)
        assert await states(parts) == ("running", "reposting", ["verified", "verified"])
        await parts.tick()
        campaign, case, _ = await states(parts)
        assert (campaign, case) == ("converged", "closed")
        await parts.tick()
        async with parts.store.read() as work:
            assert len(await work.events(entity="campaign", action="converge")) == 1
