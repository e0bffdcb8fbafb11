"""The only wiring: settings → a running set of parts, taken down in reverse."""

import asyncio
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

import handlers
from bot.answers import Answers
from bot.aside import Aside, Inline
from bot.attachments import Attachments
from bot.beginning import check_roles, clock_of, make_key, one_process, prepare_data
from bot.broadcaster import ALONE_AT_HAND, AT_HAND, Broadcaster
from bot.channel import Channel, Waited
from bot.dispatch import ALONE, SHARED, Dispatcher
from bot.following import indexes
from bot.gate import Gate, OwnBudget, pace_of
from bot.holdings import CLOCK, Holdings
from bot.journal import Journal
from bot.library import Library
from bot.link_checker import HttpLinkChecker
from bot.means import KeySealer, RandomIds
from bot.page_links import PageLinks
from bot.parts import Parts, abandoned, alone, finished, today
from bot.platforms.webchat.channel import WebChat
from bot.presenter import Presenter
from bot.registry import Means, make_channels, named, owned, owners_of, posting
from bot.sender import Sender
from bot.tokens import Tokens
from config.clock_table import read_clocks
from config.holidays import load_holidays
from config.matching import load_model
from config.retention import read_retention
from config.settings import ProcessRole, Settings
from config.texts import Catalogue, load_texts, words
from handlers import calendars
from handlers.housekeeping import ledger
from handlers.importing.directory import load_directory
from handlers.router import ACTIONS
from handlers.services import Directories, Keep, Policy, Services
from matrix.core.conversation import Inbound
from matrix.ports import Clock, LinkChecker
from storage import executors
from storage.engine import open_engine
from storage.memory_queue import MemoryQueue
from storage.migrate import upgrade
from storage.pace import SharedBudget, lately_sent
from storage.queue import JobQueue
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
    """Open what the roles of this process need. ``durable`` False: queue and index in memory."""
    register_handlers()
    check_roles(settings)
    async with AsyncExitStack() as stack:
        clock = clock or clock_of(settings)
        ids = RandomIds()
        store = await _database(settings, clock, ids, stack)
        directories, change = await _directory(store, clock)
        library = await _library(settings, store, directories, stack, durable=durable)
        texts = load_texts()
        outbox = Wake()
        pages = PageLinks(make_key(settings), settings.public_url.rstrip("/"))
        services = Services(
            store=store,
            clock=clock,
            ids=ids,
            policy=_policy(settings, directories, clock, texts),
            directories=directories,
            matching=library,
            sealer=KeySealer(make_key(settings)),
            links=links or HttpLinkChecker(),
            outbox=outbox,
            pages=pages,
            words=words(texts, ACTIONS),
            direct_platforms=posting(settings) | frozenset(channels or {}),
            owner_platforms=owned(settings) | owners_of(channels or {}),
        )
        presenter = Presenter(texts=texts)
        executor = ids.new()
        attachments = Attachments(settings.data / "files", store, clock, ids)
        holdings = _holdings(settings, store.engine, executor, channels or {})
        dispatcher = Dispatcher(
            services, library, SHARED if settings.split else ALONE, holdings.lines
        )
        means = _means(services, store, dispatcher, attachments, presenter, executor)
        made = _channels(settings, means, channels or {}, stack)
        dispatcher.lingering = frozenset(n for n, one in made.items() if one.limits.bundles)
        dispatcher.unanswered = _unanswered(made)
        gates = await _gates(made, store.engine, executor, clock, stack)
        sender = Sender(services, presenter, made, executor, gates, holdings.held)
        if ProcessRole.CHAT in settings.roles:
            outbox.sender = sender
        queue, writes = _queue(settings, store, executor, stack, durable=durable)
        broadcaster = Broadcaster(
            services, sender, writes, frozenset(made), executor,
            ALONE_AT_HAND if alone(settings) else AT_HAND,
        )  # fmt: skip
        webchat = made.get(WebChat.platform)
        parts = Parts(
            settings=settings, services=services, store=store, library=library,
            presenter=presenter, dispatcher=dispatcher, sender=sender,
            broadcaster=broadcaster, channels=made,
            attachments=attachments, queue=queue, executor=executor,
            webchat=webchat if isinstance(webchat, WebChat) else None,
            pages=pages, holdings=holdings, tally=sender.tally, directory_change=[change],
        )  # fmt: skip
        await _take_over(parts, writes, stack)
        yield parts


async def _database(
    settings: Settings, clock: Clock, ids: RandomIds, stack: AsyncExitStack
) -> SqlStore:
    """Open and migrated, with what must be in it before anything else."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if alone(settings):
        stack.enter_context(one_process(settings.data))
    await asyncio.to_thread(upgrade, settings.url)
    store = SqlStore(open_engine(settings.url))
    stack.push_async_callback(store.engine.dispose)
    async with store.alone("begin"):
        await prepare_data(settings, store, clock, ids)
    return store


async def _library(
    settings: Settings,
    store: SqlStore,
    directories: Directories,
    stack: AsyncExitStack,
    *,
    durable: bool,
) -> Library:
    """The indexes, up with the database where this process answers."""
    listens = ProcessRole.CHAT in settings.roles
    folder = settings.data / "index" if durable and listens else None
    library = Library(
        *stack.enter_context(indexes(folder)), directories, load_model(), settings.match_level
    )
    if listens:
        async with store.read() as work:
            await library.refresh(work)
    return library


def _queue(
    settings: Settings, store: SqlStore, executor: str, stack: AsyncExitStack, *, durable: bool
) -> tuple[JobQueue | MemoryQueue, Aside | Inline]:
    """The broadcast lane's jobs, and the hand that writes its outcomes."""
    queue = JobQueue(executor, engine=store.engine) if durable else MemoryQueue()
    store.jobs = queue
    works = ProcessRole.WORKER in settings.roles
    writes = Aside(settings.url, queue) if durable and works else Inline(store)
    stack.push_async_callback(writes.close)
    return queue, writes


def _means(
    services: Services,
    store: SqlStore,
    dispatcher: Dispatcher,
    attachments: Attachments,
    presenter: Presenter,
    executor: str,
) -> Means:
    """What the channels are made from."""
    return Means(
        store=dispatcher.store, attach=attachments.keep, clock=services.clock, ids=services.ids,
        again=Answers(store, presenter, services.clock, executor).again,
        notes=Journal(store, "post"), tokens=Tokens(store.engine, services.sealer, executor),
        hello=next(word for word, name in services.words.items() if name == "help.show"),
    )  # fmt: skip


async def _directory(store: SqlStore, clock: Clock) -> tuple[Directories, int]:
    """The directory, and the number of its last change."""
    async with store.read() as work:
        change = await work.directory_change()
        return Directories(await load_directory(work, today(clock))), change


def _channels(
    settings: Settings, means: Means, given: Mapping[str, Channel], stack: AsyncExitStack
) -> Mapping[str, Channel]:
    """The channels of this process: all where something is sent, else the page's own."""
    made: dict[str, Channel] = {}
    if settings.roles & {ProcessRole.CHAT, ProcessRole.WORKER}:
        made = {**make_channels(settings, means), **given}
    elif ProcessRole.WEB in settings.roles and settings.demonstration:
        made = {WebChat.platform: WebChat()}
    for channel in made.values():
        if hasattr(channel, "aclose"):
            stack.push_async_callback(channel.aclose)
    return made


def _unanswered(channels: Mapping[str, Channel]) -> Callable[[Inbound], None]:
    """Tells the channel of a message that nothing is said to it."""
    waited = {name: one for name, one in channels.items() if isinstance(one, Waited)}

    def tell(message: Inbound) -> None:
        if message.platform in waited:
            waited[message.platform].unanswered(message.message_id)

    return tell


def _holdings(
    settings: Settings, engine: AsyncEngine, executor: str, given: Mapping[str, Channel]
) -> Holdings:
    """What this process would do alone: each channel of its own, the clock."""
    wanted: set[str] = {CLOCK} if ProcessRole.CLOCK in settings.roles else set()
    if ProcessRole.CHAT in settings.roles:
        wanted |= {*named(settings), *given}
    return Holdings(None if alone(settings) else engine, wanted, executor)


async def _gates(
    channels: Mapping[str, Channel],
    engine: AsyncEngine,
    executor: str,
    clock: Clock,
    stack: AsyncExitStack,
) -> Mapping[str, Gate]:
    """A gate before each account that has limits; on PostgreSQL its budget is everybody's."""
    gates = {}
    for name, channel in channels.items():
        pace = pace_of(channel.limits)
        if not pace.limited:
            continue
        if engine.dialect.name == "sqlite":
            reach = timedelta(seconds=max(pace.reach, pace.chat_reach))
            sent = await lately_sent(engine, name, clock.now(), reach)
            gates[name] = Gate(pace, OwnBudget(pace, sent))
        else:
            gates[name] = Gate(pace, SharedBudget(engine, name, executor, pace))
        stack.push_async_callback(gates[name].aclose)
    return gates


async def _take_over(parts: Parts, writes: Aside | Inline, stack: AsyncExitStack) -> None:
    """Register this executor; what dead ones left *sending* becomes in doubt."""
    now = datetime.now(UTC)
    lonely = alone(parts.settings)
    engine = parts.store.engine
    # With the lock on the folder every other process is dead, whatever its last heartbeat says.
    since = now + ledger.GRACE if lonely else now - ledger.GRACE
    dead = await executors.silent(engine, since, parts.executor)
    await executors.register(engine, parts.executor, parts.roles, now)
    if parts.works:
        stack.push_async_callback(executors.retire, engine, parts.executor)
    else:
        stack.push_async_callback(executors.forget, engine, [parts.executor])
    if parts.sends:
        await abandoned(parts, None if lonely else list(dead))
    if isinstance(parts.queue, JobQueue):
        stack.push_async_callback(parts.queue.stop)
        if parts.works:
            lane = parts.broadcaster
            lane.fed = parts.queue.wake
            await parts.queue.start(lane.run, writes, list(dead), lane.wants, lane.full)
            stack.push_async_callback(lane.stop)
    await executors.forget(engine, finished(parts, dead))
    await parts.holdings.renew()
    stack.push_async_callback(parts.holdings.release)


def _policy(settings: Settings, directories: Directories, clock: Clock, texts: Catalogue) -> Policy:
    district = next((a for a in directories.current.areas.values() if a.kind == "district"), None)
    short = settings.district or (district.aliases[0] if district and district.aliases else "")
    policy = Policy(
        short_name=short or (district.name[:2] if district else "本区"),
        clocks=read_clocks(),
        keep=Keep(**read_retention()),
        prefill={key: str(text) for key, text in texts["prefill"].items()},
        holidays=load_holidays(),
        public_reports=settings.public_reports == "on",
        feedback_minutes=settings.feedback_minutes,
    )
    for year in calendars.missing(directories.current, policy, clock.now()):
        LOG.warning("no holidays of %d are known: counting Monday to Friday", year)
    return policy
