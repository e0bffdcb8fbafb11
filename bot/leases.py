"""At most one process holds a name, as the bot's line; a dead process's lease runs out."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from storage import tokens as rows


class Leases:
    """Leases in the database, by the computer's clock."""

    def __init__(self, engine: AsyncEngine, holder: str) -> None:
        """``holder`` is unique to this process."""
        self._engine = engine
        self._holder = holder

    async def hold(self, name: str, span: timedelta) -> bool:
        """Take it, or keep it longer; False when another process has it."""
        now = datetime.now(UTC)
        if await rows.extend(self._engine, name, self._holder, now, now + span):
            return True
        return await rows.lease(self._engine, name, self._holder, now, now + span)

    async def drop(self, name: str) -> None:
        """Give it back."""
        await rows.release(self._engine, name, self._holder)
