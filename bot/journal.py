"""Steps of a post that takes several calls: a restart goes on where the last process was."""

from collections.abc import Mapping
from typing import Any

from matrix.ports import Store


class Journal:
    """Small notes by key, committed before the step that they announce is taken."""

    def __init__(self, store: Store, kind: str) -> None:
        """``kind`` keeps the notes of different writers apart."""
        self._store = store
        self._kind = kind

    async def read(self, key: str) -> dict[str, Any]:
        """The note; empty when there is none."""
        async with self._store.read() as work:
            found = await work.setting(f"{self._kind}:{key}")
        return dict(found) if isinstance(found, Mapping) else {}

    async def write(self, key: str, **note: Any) -> None:
        """Replace the note."""
        async with self._store.work() as work:
            await work.set_setting(f"{self._kind}:{key}", note)
            await work.commit()

    async def used(self, name: str) -> int:
        """How often ``use`` was told this name."""
        return int((await self.read(f"used:{name}")).get("count", 0))

    async def use(self, name: str) -> None:
        """One more."""
        await self.write(f"used:{name}", count=await self.used(name) + 1)
