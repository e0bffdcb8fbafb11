"""Alembic from inside: bring a database to the newest schema, from the first table on."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from storage.engine import ALONE, sync_url
from storage.tables import METADATA

_FOLDER = Path(__file__).parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    config.attributes["target_metadata"] = METADATA
    return config


def upgrade(url: str) -> None:
    """Create or migrate. Runs in one transaction; a second process waits for the first."""
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            connection.execute(text(ALONE), {"what": "migrate"})
        command.upgrade(configuration(connection), "head")
    engine.dispose()
