"""What the administrator does from the command line."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import official
from bot.assembly import register_handlers
from bot.beginning import DEMO_MARK, clock_of, make_key
from bot.checkup import examine_channels
from bot.means import KeySealer, RandomIds
from bot.parts import today
from bot.presenter import Presenter
from bot.tokens import Tokens
from config.holidays import load_holidays
from config.settings import Settings
from config.texts import load_texts
from handlers import calendars
from handlers.context import Context
from handlers.importing.directory import load_directory
from handlers.intake import identity
from handlers.services import Directories, Directory, Policy, Services
from matrix.core.directory import Area, AreaKind, Person, Post
from matrix.core.roles import Role
from matrix.matching.text import normalise
from matrix.ports import Work
from matrix.triage.routing import alarms
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore


async def _open(settings: Settings) -> SqlStore:
    import asyncio

    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(upgrade, settings.url)
    return SqlStore(open_engine(settings.url))


async def initialise(settings: Settings, district: str, admin: str) -> str:
    """An empty district with one administrator; returns the invitation."""
    store = await _open(settings)
    async with store.work() as work:
        if not await work.people.count():
            await work.areas.add(
                Area(id="000001", name=district, kind=AreaKind.DISTRICT, aliases=(district,))
            )
            await work.people.add(Person(id="admin", handle="admin", name=admin))
            await work.posts.add(Post(id="admin", person="admin", role=Role.ADMIN))
        await work.commit()
    code = await _invite(store, settings, "admin")
    await store.engine.dispose()
    return code


async def invite_person(settings: Settings, name: str) -> str | None:
    """An invitation for a person by name or handle; None when nobody or several fit."""
    store = await _open(settings)
    async with store.read() as work:
        found = [p for p in await work.people.find() if name in {p.name, p.handle}]
    code = await _invite(store, settings, found[0].id) if len(found) == 1 else None
    await store.engine.dispose()
    return code


async def _invite(store: SqlStore, settings: Settings, person: str) -> str:
    clock = clock_of(settings)
    async with store.work() as work:
        directory = await load_directory(work, today(clock))
        services = Services(
            store=store, clock=clock, ids=RandomIds(),
            policy=Policy(short_name="", clocks=_clocks()),
            directories=Directories(directory),
            matching=None, sealer=None, links=None, outbox=None, pages=None,  # type: ignore[arg-type]
        )  # fmt: skip
        code = await identity.invite(Context(services=services, work=work, at=clock.now()), person)
        await work.commit()
    return code


def _clocks() -> Any:
    from config.clock_table import read_clocks

    return read_clocks()


async def examine(settings: Settings) -> list[tuple[str, str]]:
    """(key, detail) of what deserves attention; keys with ``bad_`` stop real use."""
    register_handlers()
    found: list[tuple[str, str]] = []
    if not settings.secret_key.get_secret_value():
        key = "bad_no_key" if settings.real_platform else "demo_key"
        found.append((key, str(settings.data / "secret.key")))
    try:
        store = await _open(settings)
    except Exception as error:  # noqa: BLE001
        return [*found, ("bad_database", type(error).__name__)]
    async with store.read() as work:
        directory = await load_directory(work, today(clock_of(settings)))
        found += _holidays(directory, clock_of(settings).now())
        bulletins = await work.bulletins.find(limit=50)
    if not any(post.role is Role.ADMIN for post in directory.posts):
        found.append(("bad_no_admin", ""))
    if settings.real_platform and any(b.title.startswith(DEMO_MARK) for b in bulletins):
        found.append(("bad_sample", ""))
    for why, topic, unit in alarms(directory.tables):
        name = directory.unit_name(unit) if unit else topic
        found.append((f"route_{why.replace('-', '_')}", name))
    found += await examine_channels(settings, tokens_of(settings, store))
    await store.engine.dispose()
    return [*found, *await official.examine(settings), *await _platforms(settings)]


def tokens_of(settings: Settings, store: SqlStore) -> Tokens:
    """The holder of tokens for one command: what it fetches serves the running process too."""
    return Tokens(store.engine, KeySealer(make_key(settings)), RandomIds().new())


def _holidays(directory: Directory, now: datetime) -> list[tuple[str, str]]:
    """Years that clocks will soon reach and of which the holidays are not known."""
    policy = Policy(short_name="", clocks=_clocks(), holidays=load_holidays())
    return [("no_holidays", str(year)) for year in calendars.missing(directory, policy, now)]


@asynccontextmanager
async def read_district(settings: Settings) -> AsyncIterator[tuple[Work, Directory]]:
    """The database for reading, and the directory in force today."""
    store = await _open(settings)
    try:
        async with store.read() as work:
            yield work, await load_directory(work, today(clock_of(settings)))
    finally:
        await store.engine.dispose()


async def _platforms(settings: Settings) -> list[tuple[str, str]]:
    if not settings.telegram_token.get_secret_value():
        return [] if settings.real_platform else [("no_telegram", "")]
    from bot.platforms.telegram.channel import TelegramChannel
    from bot.platforms.telegram.client import TelegramSettings

    async def nothing(*_: Any) -> Any:
        return ""

    channel = TelegramChannel(
        TelegramSettings(
            token=settings.telegram_token.get_secret_value(), base_url=settings.telegram_base_url
        ),
        nothing,
        nothing,
        clock=clock_of(settings),
        ids=RandomIds(),
    )
    fault = await channel.ping()
    await channel.aclose()
    return [("bad_telegram", fault)] if fault else [("telegram", "")]


def _texts(key: str, fields: Any) -> str:
    text = Presenter(texts=load_texts()).text("import", key.removeprefix("import."))
    for name, value in dict(fields).items():
        text = text.replace("{" + name + "}", str(value))
    return text


async def import_tables(
    settings: Settings,
    paths: Sequence[Path],
    table: str | None,
    confirm: Callable[[str], bool],
    show: Callable[[str], None],
) -> int:
    """Import; returns the exit code."""
    from bot.tables.commands import import_folder_or_file

    store = await _open(settings)
    try:
        return await import_folder_or_file(
            store, paths, table=table, confirm=confirm, show=show, texts=_texts,
            today=today(clock_of(settings)), key_of=lambda text: normalise(text).key,
        )  # fmt: skip
    finally:
        await store.engine.dispose()


async def import_corporation(
    settings: Settings, confirm: Callable[[str], bool], show: Callable[[str], None]
) -> int:
    """Import WeCom's departments and members; returns the exit code."""
    from bot.corporations import import_wecom

    if not (settings.wecom_app or settings.wecom_contact_secret.get_secret_value()):
        show(_texts("import.no_wecom", {}))
        return 2
    store = await _open(settings)
    labels = load_texts()["role"]
    roles = {str(labels[role.value]): role for role in Role if role.value in labels}
    try:
        return await import_wecom(
            store, settings, tokens_of(settings, store), roles, confirm=confirm, show=show,
            texts=_texts, today=today(clock_of(settings)),
        )  # fmt: skip
    finally:
        await store.engine.dispose()


async def export_one(settings: Settings, table: str, path: Path) -> int:
    """Export a table, or the links as labelled pairs; returns the number of rows."""
    from bot.tables.commands import export_table

    store = await _open(settings)
    try:
        return await export_table(store, table, path)
    finally:
        await store.engine.dispose()


async def explain(settings: Settings, lead: str) -> list[dict[str, str]]:
    """Everything stored on how the machine and people judged a lead, by its number."""
    from handlers.importing.links import link_rows

    store = await _open(settings)
    try:
        async with store.read() as work:
            return await link_rows(work, lead)
    finally:
        await store.engine.dispose()
