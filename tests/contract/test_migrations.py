"""The schema after every migration is the tables', and rows from before live on."""

import asyncio

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from matrix.core.directory import Topic
from storage.engine import open_engine, sync_url
from storage.migrate import configuration, upgrade
from storage.tables import METADATA
from storage.unit_of_work import SqlStore


def _first(url: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO topic (id, version, name, lead_unit, co_units, keywords, floor, ended)"
                " VALUES ('water', 0, '供水', 'swj', '[]', '[[\"停水\", 5]]', '[]', :no)"
            ),
            {"no": False},
        )
    engine.dispose()


def _differences(url: str) -> list[object]:
    def ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or name in METADATA.tables

    def compared(connection: Connection) -> list[object]:
        options = {"include_object": ours}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))

    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        found = compared(connection)
    engine.dispose()
    return found


async def test_rows_from_the_first_version_are_read_by_this_one(database_url: str) -> None:
    await asyncio.to_thread(_first, database_url)
    await asyncio.to_thread(upgrade, database_url)
    engine = open_engine(database_url)
    async with SqlStore(engine).read() as work:
        assert await work.topics.get("water") == Topic(
            id="water", name="供水", lead_unit="swj", keywords=(("停水", 5),), national=False
        )
    await engine.dispose()


async def test_the_schema_is_the_tables(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)
    assert await asyncio.to_thread(_differences, database_url) == []
