"""Messages are kept before they are acknowledged; what arrives together is kept together."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Sequence

from matrix.core.conversation import Inbound
from matrix.core.errors import PiyaoError, StaleVersion
from matrix.ports import Store

LOG = logging.getLogger("piyao.dispatch")


class NotKeptError(PiyaoError):
    """The database did not take a message: its platform keeps it and repeats it."""

    def __init__(self, reference: str) -> None:
        """``reference`` stands in the log beside the reason."""
        super().__init__(reference)
        self.reference = reference


_Arrival = tuple[Inbound, "asyncio.Future[bool]"]


class Keeper:
    """Writes arriving messages into the inbox."""

    def __init__(self, store: Store, kept: Callable[[], None]) -> None:
        """``kept`` is called whenever some more are there."""
        self._store = store
        self._tell = kept
        self._arriving: list[_Arrival] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, message: Inbound) -> bool:
        """Keep a message before it is acknowledged; False when it is known already.

        Raises:
            NotKeptError: the database is full or locked; nothing may be acknowledged.
        """
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._arriving.append((message, kept))
        if self._writer is None:
            self._writer = asyncio.create_task(self._keep_all())
        return await kept

    async def _keep_all(self) -> None:
        """What arrives while one transaction commits goes together into the next."""
        while self._arriving:
            some, self._arriving = self._arriving, []
            # One that cannot be kept must not keep the others from being kept.
            if len(some) == 1 or not await self._kept(some):
                for one in some:
                    await self._kept([one], last=True)
        self._writer = None

    async def _kept(self, some: Sequence[_Arrival], *, last: bool = False) -> bool:
        try:
            fresh = await self._keep([message for message, _ in some])
        except Exception as error:
            reference = reference_of(some[0][0])
            LOG.exception("message %s was not kept", reference)
            if last and not some[0][1].done():
                refused = NotKeptError(reference)
                refused.__cause__ = error
                some[0][1].set_exception(refused)
            return False
        for (_, kept), new in zip(some, fresh, strict=True):
            if not kept.done():
                kept.set_result(new)
        self._tell()
        return True

    async def _keep(self, messages: Sequence[Inbound]) -> list[bool]:
        fresh = []
        async with self._store.work() as work:
            for one in messages:
                try:
                    await work.inbox.add(storable(one))
                    fresh.append(True)
                except StaleVersion:
                    fresh.append(False)
            await work.commit()
        return fresh


def reference_of(message: Inbound) -> str:
    """What a person can name on the telephone, and the log shows."""
    return message.id[-6:]


def storable(message: Inbound) -> Inbound:
    """The message without what no database keeps: NUL and halves of surrogate pairs."""
    return dataclasses.replace(
        message,
        **{
            name: getattr(message, name).replace("\x00", "").encode("utf-8", "ignore").decode()
            for name in ("text", "quoted", "message_id", "sender_name", "token")
        },
    )
