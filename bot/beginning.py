"""Before anything runs: the lock on the folder, the key, the sample of a demonstration."""

import fcntl
from datetime import timedelta
from pathlib import Path

from bot.means import FileClock, RandomIds, SystemClock, demonstration_key
from bot.platforms.webchat.channel import WebChat
from bot.tables.sample import load_sample
from config.settings import Settings
from matrix.core.directory import ChannelIdentity
from matrix.core.errors import PiyaoError
from matrix.matching.text import normalise
from matrix.ports import Clock
from storage.unit_of_work import SqlStore

SAMPLE = Path(__file__).parent.parent / "config" / "district" / "sample"
DEMO_MARK = "【演示】"


class StartRefusedError(PiyaoError):
    """Starting would be wrong; ``key`` is under ``start`` in the catalogue."""

    def __init__(self, key: str, detail: str = "") -> None:
        """``detail`` fills the sentence."""
        super().__init__(key)
        self.key = key
        self.detail = detail


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


def check_roles(settings: Settings) -> None:
    """One SQLite file is for one process (decision 0008). Raises StartRefusedError."""
    if settings.split and settings.url.startswith("sqlite"):
        raise StartRefusedError("split_on_sqlite", ",".join(sorted(settings.roles)))


def one_process(folder: Path) -> "_Lock":
    """A lock on the folder; freed by the system when the process dies. Raises StartRefusedError."""
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


async def prepare_data(settings: Settings, store: SqlStore, clock: Clock, ids: RandomIds) -> None:
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
