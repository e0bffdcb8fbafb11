"""Messages are kept before they are acknowledged; what arrives together is kept together."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable

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
        """What arrives until the transaction is open goes into it, the rest into the next."""
        while self._arriving:
            some: list[_Arrival] = []
            try:
                await self._keep(some, self._arrived)
            except Exception as error:
                some = some or self._arrived()
                reference = reference_of(some[0][0])
                LOG.exception("message %s was not kept", reference)
                if len(some) == 1:
                    _refuse(some[0], error)
                    continue
                # One that cannot be kept must not keep the others from being kept.
                for one in some:
                    await self._keep_alone(one)
        self._writer = None

    def _arrived(self) -> list[_Arrival]:
        some, self._arriving = self._arriving, []
        return some

    async def _keep_alone(self, one: _Arrival) -> None:
        try:
            await self._keep([], lambda: [one])
        except Exception as error:
            LOG.exception("message %s was not kept", reference_of(one[0]))
            _refuse(one, error)

    async def _keep(self, some: list[_Arrival], who: Callable[[], list[_Arrival]]) -> None:
        """Write and tell those who wait. ``some`` gets ``who`` is there when it is our turn."""
        async with self._store.work() as work:
            some += who()
            fresh = []
            for message, _ in some:
                try:
                    await work.inbox.add(storable(message))
                    fresh.append(True)
                except StaleVersion:
                    fresh.append(False)
            await work.commit()
        for (_, kept), new in zip(some, fresh, strict=True):
            if not kept.done():
                kept.set_result(new)
        self._tell()


def _refuse(one: _Arrival, error: Exception) -> None:
    """Who waits is told that it is not kept."""
    message, kept = one
    if not kept.done():
        refused = NotKeptError(reference_of(message))
        refused.__cause__ = error
        kept.set_exception(refused)


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
