"""Everything that runs in one process, and what it does at every tick and heartbeat."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.attachments import Attachments
from bot.broadcaster import Broadcaster
from bot.channel import Channel
from bot.dispatch import Dispatcher
from bot.draft_links import DraftLinks
from bot.library import Library
from bot.platforms.webchat.channel import WebChat
from bot.presenter import Presenter
from bot.sender import Sender, doubts_of
from config.settings import Settings
from handlers.housekeeping import ledger, retention, ticking
from handlers.importing.directory import load_directory
from handlers.reposting import receipts
from handlers.services import Services
from matrix.ports import Clock
from matrix.triage.deadline import LOCAL
from storage import executors
from storage.queue import JobQueue, MemoryQueue
from storage.unit_of_work import SqlStore

LOG = logging.getLogger("piyao")
TICK_SECONDS = 15.0


BEAT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that runs."""

    settings: Settings
    services: Services
    store: SqlStore
    library: Library
    presenter: Presenter
    dispatcher: Dispatcher
    sender: Sender
    broadcaster: Broadcaster
    channels: Mapping[str, Channel]
    attachments: Attachments
    queue: JobQueue | MemoryQueue
    executor: str
    webchat: WebChat | None
    pages: DraftLinks

    async def beat(self) -> None:
        """This process is alive; what silent ones left behind is taken over."""
        now = datetime.now(UTC)
        engine = self.store.engine
        if not await executors.beat(engine, self.executor, now):
            # Others took us for dead while we were suspended: our rows are fenced, we go on.
            await executors.register(engine, self.executor, "all", now)
        if alone(self.settings):
            return
        if dead := await executors.silent(engine, now - ledger.GRACE, self.executor):
            LOG.warning("taking over from %d silent processes", len(dead))
            await abandoned(self, dead)
            if isinstance(self.queue, JobQueue):
                await self.queue.take_over(dead)
            await executors.forget(engine, dead)

    async def tick(self) -> None:
        """One sweep of the clock, then what it made."""
        async with self.store.work() as work:
            await self.library.refresh(work)
            await ticking.tick(ticking.clock_context(self.services, work))
            await work.commit()
        await self.check_receipts()
        await self.sender.ask_back()
        self.sender.wake()

    async def check_receipts(self) -> None:
        """Look at receipt links outside of any transaction, then write what was seen."""
        async with self.store.read() as work:
            waiting = await work.receipts.find(kind="link", checked_at=None, undone=False, limit=20)
            targets = []
            for one in waiting:
                task = await work.tasks.get(one.task)
                campaign = await work.campaigns.get(task.campaign)
                bulletin = await work.bulletins.get(campaign.bulletin)
                account = await work.accounts.get(task.account)
                targets.append((one.id, one.url, account.hosts, bulletin.title))
        for receipt_id, url, hosts, title in targets:
            code = await self.services.links.check(url, hosts, title)
            async with self.store.work() as work:
                ctx = ticking.clock_context(self.services, work)
                ctx.clock = False
                await receipts.checked(ctx, receipt_id, code)
                await work.commit()

    async def forget_old(self) -> None:
        """What the first greeting promises to delete."""
        async with self.store.work() as work:
            ctx = ticking.clock_context(self.services, work)
            await retention.forget_originals(ctx)
            digests = await retention.old_files(ctx)
            await work.commit()
        await self.attachments.remove(digests)

    async def reload_directory(self) -> None:
        """After an import, and when a day begins."""
        async with self.store.read() as work:
            self.services.directories.current = await load_directory(
                work, today(self.services.clock)
            )
        self.library.follow_directory()


def today(clock: Clock) -> str:
    """The Beijing date, ISO."""
    return clock.now().astimezone(LOCAL).date().isoformat()


def alone(settings: Settings) -> bool:
    """One process per SQLite file (see ``_Lock``): every other executor is dead."""
    return settings.url.startswith("sqlite")


async def abandoned(parts: Parts, dead: list[str] | None) -> None:
    """What dead executors left *sending* becomes in doubt."""
    async with parts.store.work() as work:
        ctx = ticking.clock_context(parts.services, work)
        ctx.clock = False
        await ledger.abandon(ctx, dead, parts.executor, doubts_of(parts.channels))
        await work.commit()
