"""Access tokens of the platforms' accounts: one sealed row each, fetched by who holds its lease."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.statements import insert_or_skip
from storage.tables import TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A token as it lies in the database: sealed, until when it may be used, and any lease."""

    sealed: str = ""
    good_until: datetime | None = None
    leased_until: datetime | None = None


async def read(engine: AsyncEngine, account: str) -> Kept:
    """What is kept for an account."""
    async with engine.connect() as connection:
        columns = (TOKEN.c.sealed, TOKEN.c.good_until, TOKEN.c.leased_until)
        row = (
            await connection.execute(select(*columns).where(TOKEN.c.account == account))
        ).one_or_none()
    return Kept(**row._mapping) if row else Kept()  # noqa: SLF001


async def lease(
    engine: AsyncEngine, account: str, holder: str, now: datetime, until: datetime
) -> bool:
    """Whether ``holder`` alone may fetch this account's token until then."""
    async with engine.begin() as connection:
        await connection.execute(
            insert_or_skip(connection, TOKEN).values(account=account, sealed="", leased_by="")
        )
        free = or_(TOKEN.c.leased_by == "", TOKEN.c.leased_until < now)
        taken = await connection.execute(
            update(TOKEN)
            .where(TOKEN.c.account == account, free)
            .values(leased_by=holder, leased_until=until)
        )
    return taken.rowcount == 1


async def keep(
    engine: AsyncEngine, account: str, holder: str, sealed: str, good_until: datetime
) -> bool:
    """Store what was fetched; False when the lease has gone to somebody else meanwhile."""
    async with engine.begin() as connection:
        written = await connection.execute(
            update(TOKEN)
            .where(TOKEN.c.account == account, TOKEN.c.leased_by == holder)
            .values(sealed=sealed, good_until=good_until)
        )
    return written.rowcount == 1


async def release(engine: AsyncEngine, account: str, holder: str) -> None:
    """Give the lease back."""
    async with engine.begin() as connection:
        await connection.execute(
            update(TOKEN)
            .where(TOKEN.c.account == account, TOKEN.c.leased_by == holder)
            .values(leased_by="", leased_until=None)
        )
