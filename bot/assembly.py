"""The only wiring: settings → a running set of parts, taken down in reverse."""

import asyncio
import fcntl
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import handlers
from bot.aside import Aside, Inline
from bot.attachments import Attachments
from bot.broadcaster import Broadcaster
from bot.channel import Channel, Doubt
from bot.dispatch import Dispatcher
from bot.draft_links import DraftLinks
from bot.library import Library
from bot.link_checker import HttpLinkChecker
from bot.means import FileClock, KeySealer, RandomIds, SystemClock, demonstration_key
from bot.platforms.webchat.channel import WebChat
from bot.platforms.webhook.channel import Webhook
from bot.presenter import Presenter
from bot.sender import Sender, doubts_of
from bot.tables.sample import load_sample
from config.clock_table import read_clocks
from config.matching import load_model
from config.settings import Settings
from config.texts import load_texts, words
from handlers.housekeeping import chunks, ledger, retention, ticking
from handlers.importing.directory import load_directory
from handlers.reposting import receipts
from handlers.router import ACTIONS
from handlers.services import Directories, Policy, Services
from matrix.core.directory import ChannelIdentity
from matrix.core.errors import PiyaoError
from matrix.matching.text import normalise
from matrix.ports import Clock, LinkChecker
from matrix.triage.deadline import LOCAL
from storage import executors
from storage.engine import open_engine
from storage.index.memory import MemoryIndex
from storage.index.tantivy_index import TantivyIndex
from storage.migrate import upgrade
from storage.queue import DbosQueue, MemoryQueue
from storage.unit_of_work import SqlStore

LOG = logging.getLogger("piyao")
SAMPLE = Path(__file__).parent.parent / "config" / "district" / "sample"
DEMO_MARK = "【演示】"
TICK_SECONDS = 15.0
BEAT_SECONDS = 5.0


class StartRefusedError(PiyaoError):
    """Starting would be wrong; ``key`` is under ``start`` in the catalogue."""

    def __init__(self, key: str, detail: str = "") -> None:
        """``detail`` fills the sentence."""
        super().__init__(key)
        self.key = key
        self.detail = detail


class Wake:
    """The outbox port before the sender exists."""

    def __init__(self) -> None:
        """Connected by the assembly."""
        self.sender: Sender | None = None
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """Send what waits. Outcomes are written in another thread."""
        if self.sender is not None:
            self._loop.call_soon_threadsafe(self.sender.wake)


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
    queue: DbosQueue | MemoryQueue
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
            if isinstance(self.queue, DbosQueue):
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


def register_handlers() -> None:
    """Import every handler, so that each has registered itself."""
    for module in pkgutil.walk_packages(handlers.__path__, "handlers."):
        importlib.import_module(module.name)


def clock_of(settings: Settings) -> Clock:
    """The computer's clock, or a test's."""
    return FileClock(Path(settings.test_clock)) if settings.test_clock else SystemClock()


def make_key(settings: Settings) -> str:
    """The district's key; a demonstration makes its own.

    Raises:
        StartRefusedError: a real platform without a key.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        return given
    if settings.real_platform:
        raise StartRefusedError("no_secret_key")
    return demonstration_key(settings.data)


@asynccontextmanager
async def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    links: LinkChecker | None = None,
    durable: bool = True,
    channels: Mapping[str, Channel] | None = None,
) -> AsyncIterator[Parts]:
    """Open everything. ``durable`` False puts queue and index in memory (journeys)."""
    register_handlers()
    settings.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        if settings.url.startswith("sqlite"):
            stack.enter_context(_one_process(settings.data))
        await asyncio.to_thread(upgrade, settings.url)
        engine = open_engine(settings.url)
        stack.push_async_callback(engine.dispose)
        store = SqlStore(engine)
        clock = clock or clock_of(settings)
        ids = RandomIds()
        await _prepare_data(settings, store, clock, ids)
        async with store.read() as work:
            directories = Directories(await load_directory(work, today(clock)))
        folder = settings.data / "index"
        index = TantivyIndex(folder) if durable else MemoryIndex()
        if isinstance(index, TantivyIndex):
            stack.callback(index.close)
        mark = folder / "reached" if durable else None
        library = Library(index, directories, load_model(), settings.match_level, mark)
        async with store.read() as work:
            await library.refresh(work)
        texts = load_texts()
        outbox = Wake()
        key = make_key(settings)
        pages = DraftLinks(key, settings.public_url.rstrip("/"))
        services = Services(
            store=store,
            clock=clock,
            ids=ids,
            policy=_policy(settings, directories),
            directories=directories,
            matching=library,
            sealer=KeySealer(key),
            links=links or HttpLinkChecker(),
            outbox=outbox,
            pages=pages,
            words=words(texts, ACTIONS),
            direct_platforms=_platforms(settings) | frozenset(channels or {}),
        )
        presenter = Presenter(texts=texts)
        executor = ids.new()
        attachments = Attachments(settings.data / "files", store, clock, ids)
        dispatcher = Dispatcher(services, library)
        webchat = WebChat() if settings.demonstration else None
        made: dict[str, Channel] = {
            **_channels(settings, services, dispatcher, attachments),
            **(channels or {}),
        }
        if webchat is not None:
            made[webchat.platform] = webchat
        for channel in made.values():
            if hasattr(channel, "aclose"):
                stack.push_async_callback(channel.aclose)
        sender = Sender(services, presenter, made, executor)
        outbox.sender = sender
        queue: DbosQueue | MemoryQueue = (
            DbosQueue(settings.url, executor) if durable else MemoryQueue()
        )
        store.jobs = queue
        writes = Aside(settings.url, queue) if durable else Inline(store)
        stack.push_async_callback(writes.close)
        patience = chunks.LATER if durable else timedelta()
        broadcaster = Broadcaster(services, sender, writes, frozenset(made), executor, patience)
        parts = Parts(
            settings=settings, services=services, store=store, library=library,
            presenter=presenter, dispatcher=dispatcher, sender=sender,
            broadcaster=broadcaster, channels=made,
            attachments=attachments, queue=queue, executor=executor, webchat=webchat,
            pages=pages,
        )  # fmt: skip
        await _take_over(parts, stack)
        yield parts


def _platforms(settings: Settings) -> frozenset[str]:
    """Platforms that post by themselves with these settings."""
    secrets = {"telegram": settings.telegram_token, "webhook": settings.webhook_secret}
    return frozenset(name for name, secret in secrets.items() if secret.get_secret_value())


def _channels(
    settings: Settings, services: Services, dispatcher: Dispatcher, attachments: Attachments
) -> dict[str, Channel]:
    """The configured channels, in and out together."""
    made: dict[str, Channel] = {}
    if settings.webhook_secret.get_secret_value():
        hosts = tuple(filter(None, settings.webhook_hosts.split(",")))
        made["webhook"] = Webhook(
            settings.webhook_secret.get_secret_value(), hosts, Doubt(settings.webhook_doubt)
        )
    if settings.telegram_token.get_secret_value():
        from bot.platforms.telegram.channel import TelegramChannel
        from bot.platforms.telegram.client import TelegramSettings

        made["telegram"] = TelegramChannel(
            TelegramSettings(
                token=settings.telegram_token.get_secret_value(),
                base_url=settings.telegram_base_url,
                webhook_url=settings.telegram_webhook_url,
                webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
            ),
            dispatcher.store,
            attachments.keep,
            clock=services.clock,
            ids=services.ids,
        )
    return made


async def _take_over(parts: Parts, stack: AsyncExitStack) -> None:
    """Register this executor; what dead ones left *sending* becomes in doubt."""
    now = datetime.now(UTC)
    lonely = alone(parts.settings)
    engine = parts.store.engine
    # With the lock on the folder every other process is dead, whatever its last heartbeat says.
    since = now + ledger.GRACE if lonely else now - ledger.GRACE
    dead = await executors.silent(engine, since, parts.executor)
    await executors.register(engine, parts.executor, "all", now)
    stack.push_async_callback(executors.forget, engine, [parts.executor])
    await abandoned(parts, None if lonely else dead)
    if isinstance(parts.queue, DbosQueue):
        await parts.queue.start(parts.broadcaster.run, dead)
        stack.push_async_callback(parts.queue.stop)
        stack.push_async_callback(parts.broadcaster.stop)
    if dead:
        await executors.forget(engine, dead)


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


def _one_process(folder: Path) -> "_Lock":
    return _Lock(folder / "piyao.lock")


class _Lock:
    """One process per SQLite file: then every other executor is known to be dead."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise StartRefusedError("already_running", str(self._path.parent)) from None

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _policy(settings: Settings, directories: Directories) -> Policy:
    district = next((a for a in directories.current.areas.values() if a.kind == "district"), None)
    short = settings.district or (district.aliases[0] if district and district.aliases else "")
    return Policy(
        short_name=short or (district.name[:2] if district else "本区"),
        clocks=read_clocks(),
        public_reports=settings.public_reports == "on",
    )


async def _prepare_data(settings: Settings, store: SqlStore, clock: Clock, ids: RandomIds) -> None:
    """Load the sample into an empty demonstration; refuse it beside a real platform."""
    async with store.read() as work:
        empty = not await work.people.count()
        sample = any(one.title.startswith(DEMO_MARK) for one in await work.bulletins.find(limit=50))
    if settings.real_platform and sample:
        raise StartRefusedError("sample_with_real_platform", settings.url.rpartition("@")[2])
    if empty and settings.demonstration and not settings.real_platform:
        await load_sample(store, SAMPLE, lambda text: normalise(text).key)
        await _bind_everybody(store, clock, ids)


async def _bind_everybody(store: SqlStore, clock: Clock, ids: RandomIds) -> None:
    async with store.work() as work:
        for person in await work.people.find():
            await work.identities.add(
                ChannelIdentity(
                    id=ids.new(), platform=WebChat.platform, external=person.id, chat=person.id,
                    person=person.id, bound_at=clock.now() - timedelta(days=1),
                )
            )  # fmt: skip
        await work.commit()
