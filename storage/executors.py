"""Who is alive: one row per process, with a heartbeat."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.pace import end_turns
from storage.tables import EXECUTOR

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def register(engine: AsyncEngine, executor: str, roles: str, now: datetime) -> None:
    """This process is alive."""
    async with engine.begin() as connection:
        await connection.execute(
            EXECUTOR.insert().values(id=executor, roles=roles, started_at=now, seen_at=now)
        )


async def beat(engine: AsyncEngine, executor: str, now: datetime) -> bool:
    """Still alive; False when others have taken this process for dead."""
    async with engine.begin() as connection:
        written = await connection.execute(
            update(EXECUTOR).where(EXECUTOR.c.id == executor).values(seen_at=now)
        )
    return written.rowcount == 1


async def retire(engine: AsyncEngine, executor: str) -> None:
    """An orderly stop of one that ran jobs: the next to look takes over those it had in hand."""
    async with engine.begin() as connection:
        await end_turns(connection, [executor])
        await connection.execute(
            update(EXECUTOR).where(EXECUTOR.c.id == executor).values(seen_at=_LONG_AGO)
        )


async def silent(engine: AsyncEngine, since: datetime, mine: str) -> dict[str, str]:
    """Executors not heard of since then, except this one, with their roles."""
    async with engine.connect() as connection:
        query = select(EXECUTOR.c.id, EXECUTOR.c.roles).where(
            EXECUTOR.c.seen_at < since, EXECUTOR.c.id != mine
        )
        return {row.id: row.roles for row in await connection.execute(query)}


async def forget(engine: AsyncEngine, executors: Collection[str]) -> None:
    """Their work has been taken over, or they stopped in order."""
    async with engine.begin() as connection:
        await end_turns(connection, executors)
        await connection.execute(delete(EXECUTOR).where(EXECUTOR.c.id.in_(executors)))
