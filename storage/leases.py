"""What only one process may do at a time: a row with its holder, until when by the server's clock.

On SQLite there is one process, and nothing here is asked.
"""

from collections.abc import Collection

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.tables import LEASE

_TAKE = """
INSERT INTO lease (name, holder, until)
SELECT given.name, :holder, extract(epoch FROM clock_timestamp()) * 1000000 + :length
FROM unnest(CAST(:names AS text[])) AS given(name)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder
   OR lease.until < extract(epoch FROM clock_timestamp()) * 1000000
RETURNING name
"""


async def take(
    engine: AsyncEngine, names: Collection[str], holder: str, seconds: float
) -> frozenset[str]:
    """Take or prolong what is free or ours; returns what is held for so many seconds from now."""
    values = {"names": sorted(names), "holder": holder, "length": round(seconds * 1_000_000)}
    async with engine.begin() as connection:
        return frozenset((await connection.execute(text(_TAKE), values)).scalars())


async def release(engine: AsyncEngine, holder: str) -> None:
    """An orderly stop: somebody else may begin at once."""
    async with engine.begin() as connection:
        await connection.execute(delete(LEASE).where(LEASE.c.holder == holder))
