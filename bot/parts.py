"""Everything that runs in one process, and what it does at every tick and heartbeat."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.attachments import Attachments
from bot.broadcaster import Broadcaster
from bot.channel import Channel
from bot.dispatch import Dispatcher
from bot.doubts import doubts_of
from bot.holdings import Holdings
from bot.library import Library
from bot.page_links import PageLinks
from bot.platforms.webchat.channel import WebChat
from bot.presenter import Presenter
from bot.sender import Sender
from bot.tally import Tally
from config.settings import ProcessRole, Settings
from handlers.housekeeping import ledger, pruning, retention, ticking
from handlers.importing.directory import load_directory
from handlers.reposting import receipts
from handlers.services import Services
from matrix.ports import Clock
from matrix.triage.calendar import LOCAL
from storage import executors
from storage.memory_queue import MemoryQueue
from storage.queue import JobQueue
from storage.unit_of_work import SqlStore

LOG = logging.getLogger("piyao")
TICK_SECONDS = 15.0
RELEASE_SECONDS = 1.0
"""How late a synchronized release may start."""
BEAT_SECONDS = 5.0
FOLLOW_SECONDS = 2.0
"""How often it is asked whether another process has changed the directory."""


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
    pages: PageLinks
    holdings: Holdings
    tally: Tally
    directory_change: list[int]
    """The change that the directory in memory has reached: one number, replaced in place."""

    @property
    def roles(self) -> str:
        """The roles of this process, as they are written on the command line."""
        return ",".join(role for role in ProcessRole if role in self.settings.roles)

    @property
    def listens(self) -> bool:
        """Whether this process holds the channels and the conversation."""
        return ProcessRole.CHAT in self.settings.roles

    @property
    def works(self) -> bool:
        """Whether this process runs jobs of the broadcast lane."""
        return ProcessRole.WORKER in self.settings.roles

    @property
    def sends(self) -> bool:
        """Whether anything goes out from here: then it knows what a platform's doubt is."""
        return self.listens or self.works

    async def beat(self) -> None:
        """This process is alive; what silent ones left behind is taken over."""
        now = datetime.now(UTC)
        engine = self.store.engine
        if not await executors.beat(engine, self.executor, now):
            # Others took us for dead while we were suspended: our rows are fenced, we go on.
            await executors.register(engine, self.executor, self.roles, now)
        await self.holdings.renew()
        if alone(self.settings) or not self.sends:
            return
        if dead := await executors.silent(engine, now - ledger.GRACE, self.executor):
            LOG.warning("taking over from %d silent processes", len(dead))
            await abandoned(self, list(dead))
            if self.works and isinstance(self.queue, JobQueue):
                await self.queue.take_over(list(dead))
            await executors.forget(engine, finished(self, dead))

    async def tick(self) -> None:
        """One sweep of the clock, then what it made."""
        swept = False
        while not swept:
            async with self.store.work() as work:
                if self.listens:
                    await self.library.refresh(work)
                swept = await ticking.tick(ticking.clock_context(self.services, work))
                await work.commit()
        await self.check_receipts()
        if self.listens:
            await self.ask_back()
        self.services.outbox.wake()
        self.tally.swept()

    async def release(self) -> None:
        """Armed broadcasts start at T, to the second: the sweep alone would be up to 15 s late."""
        async with self.store.read() as work:
            if not await ticking.to_release(ticking.clock_context(self.services, work)):
                return
        async with self.store.work() as work:
            await ticking.release_campaigns(ticking.clock_context(self.services, work))
            await work.commit()
        self.services.outbox.wake()

    async def ask_back(self) -> None:
        """Platforms that can be asked say what has arrived."""
        await self.sender.ask_back()

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
        """What the first greeting promises to delete, and what is done with."""
        async with self.store.work() as work:
            ctx = ticking.clock_context(self.services, work)
            await retention.forget_originals(ctx)
            digests = await retention.old_files(ctx)
            await pruning.prune(ctx)
            await work.commit()
        await self.attachments.remove(digests)
        if days := self.services.policy.keep.jobs:
            await self.queue.prune(self.services.clock.now() - timedelta(days=days))

    async def reload_directory(self) -> None:
        """After an import, and when a day begins."""
        async with self.store.read() as work:
            change = await work.directory_change()
            self.services.directories.current = await load_directory(
                work, today(self.services.clock)
            )
        self.directory_change[:] = [change]
        self.library.follow_directory()

    async def follow_directory(self) -> None:
        """Somebody has changed people, posts, units, places or accounts: read them again."""
        async with self.store.read() as work:
            change = await work.directory_change()
        if [change] != self.directory_change:
            await self.reload_directory()


def today(clock: Clock) -> str:
    """The Beijing date, ISO."""
    return clock.now().astimezone(LOCAL).date().isoformat()


def alone(settings: Settings) -> bool:
    """One process per SQLite file (see ``_Lock``): every other executor is dead."""
    return settings.url.startswith("sqlite")


def finished(parts: Parts, dead: Mapping[str, str]) -> list[str]:
    """The dead of whom nothing is left to do: jobs of a worker are for another worker."""
    return [one for one, roles in dead.items() if parts.works or ProcessRole.WORKER not in roles]


async def abandoned(parts: Parts, dead: list[str] | None) -> None:
    """What dead executors left *sending* becomes in doubt."""
    async with parts.store.work() as work:
        ctx = ticking.clock_context(parts.services, work)
        ctx.clock = False
        await ledger.abandon(ctx, dead, parts.executor, doubts_of(parts.channels))
        await work.commit()
