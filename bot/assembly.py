"""The only wiring: settings → a running set of parts, taken down in reverse."""

import asyncio
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import handlers
from bot.aside import Aside, Inline
from bot.attachments import Attachments
from bot.beginning import clock_of, make_key, one_process, prepare_data
from bot.broadcaster import Broadcaster
from bot.channel import Channel, Doubt
from bot.dispatch import Dispatcher
from bot.draft_links import DraftLinks
from bot.following import indexes
from bot.library import Library
from bot.link_checker import HttpLinkChecker
from bot.means import KeySealer, RandomIds
from bot.parts import Parts, abandoned, alone, today
from bot.platforms.webchat.channel import WebChat
from bot.platforms.webhook.channel import Webhook
from bot.presenter import Presenter
from bot.sender import Sender
from config.clock_table import read_clocks
from config.matching import load_model
from config.settings import Settings
from config.texts import load_texts, words
from handlers.housekeeping import chunks, ledger
from handlers.importing.directory import load_directory
from handlers.router import ACTIONS
from handlers.services import Directories, Policy, Services
from matrix.ports import Clock, LinkChecker
from storage import executors
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.queue import JobQueue, MemoryQueue
from storage.unit_of_work import SqlStore

LOG = logging.getLogger("piyao")


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


def register_handlers() -> None:
    """Import every handler, so that each has registered itself."""
    for module in pkgutil.walk_packages(handlers.__path__, "handlers."):
        importlib.import_module(module.name)


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
            stack.enter_context(one_process(settings.data))
        await asyncio.to_thread(upgrade, settings.url)
        engine = open_engine(settings.url)
        stack.push_async_callback(engine.dispose)
        store = SqlStore(engine)
        clock = clock or clock_of(settings)
        ids = RandomIds()
        await prepare_data(settings, store, clock, ids)
        async with store.read() as work:
            directories = Directories(await load_directory(work, today(clock)))
        folder = settings.data / "index" if durable else None
        issued, waiting = stack.enter_context(indexes(folder))
        library = Library(issued, waiting, directories, load_model(), settings.match_level)
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
        # Alone, a process hears of every job by itself.
        poll = 2.0 if alone(settings) else 0.25
        queue = JobQueue(executor, poll) if durable else MemoryQueue()
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
        await _take_over(parts, writes, stack)
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


async def _take_over(parts: Parts, writes: Aside | Inline, stack: AsyncExitStack) -> None:
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
    if isinstance(parts.queue, JobQueue):
        lane = parts.broadcaster
        lane.fed = parts.queue.wake
        await parts.queue.start(lane.run, writes, dead, lane.wants)
        stack.push_async_callback(parts.queue.stop)
        stack.push_async_callback(parts.broadcaster.stop)
    if dead:
        await executors.forget(engine, dead)


def _policy(settings: Settings, directories: Directories) -> Policy:
    district = next((a for a in directories.current.areas.values() if a.kind == "district"), None)
    short = settings.district or (district.aliases[0] if district and district.aliases else "")
    return Policy(
        short_name=short or (district.name[:2] if district else "本区"),
        clocks=read_clocks(),
        public_reports=settings.public_reports == "on",
    )
