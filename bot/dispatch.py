"""Stored messages in, transactions out: each is processed exactly once, whatever crashes."""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.library import Library
from handlers import messages
from handlers.context import Context
from handlers.replies import Reply
from handlers.replies.shared import Busy, Faster, Refused
from handlers.services import Services
from matrix.core.conversation import Inbound, InboxState
from matrix.core.errors import Refusal, StaleVersion
from matrix.ports import Work

LOG = logging.getLogger("piyao.dispatch")
_IDLE = 2.0
ATTEMPTS = 5
_BACKOFF = (
    timedelta(seconds=2),
    timedelta(seconds=15),
    timedelta(minutes=2),
    timedelta(minutes=15),
)
_FIELDS = frozenset(field.name for field in dataclasses.fields(Refused))


class Dispatcher:
    """Takes messages from the inbox in the order in which they came."""

    def __init__(self, services: Services, library: Library) -> None:
        """``library`` follows the database before every message."""
        self._services = services
        self._library = library
        self._wake = asyncio.Event()

    async def store(self, message: Inbound) -> bool:
        """Keep a message before it is acknowledged; False when it is known already."""
        async with self._services.store.work() as work:
            try:
                await work.inbox.add(storable(message))
            except StaleVersion:
                return False
            await work.commit()
        self._wake.set()
        return True

    async def run(self) -> None:
        """Process until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.step():
                    pass
            except Exception:
                LOG.exception("dispatch")
                await asyncio.sleep(_IDLE)
            try:
                await asyncio.wait_for(self._wake.wait(), _IDLE)
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Process the next message; False when none is ready."""
        now = self._services.clock.now()
        async with self._services.store.read() as work:
            waiting = await work.inbox.find(state=InboxState.STORED, order="id", limit=20)
        ready = next((m for m in waiting if m.retry_at is None or m.retry_at <= now), None)
        if ready is None:
            return False
        await self.process(ready)
        return True

    async def process(self, message: Inbound) -> None:
        """One message in one transaction; refusals and failures in one of their own."""
        try:
            await self._in_transaction(message, lambda ctx: messages.receive(ctx, message))
        except Refusal as refusal:
            await self._refuse(message, refusal)
        except StaleVersion:
            LOG.info("message %s: somebody was faster", message.id[-6:], exc_info=True)
            await self._again(message)
        except Exception as error:
            reference = message.id[-6:]
            LOG.exception("message %s", reference)
            await self._later(message, type(error).__name__, reference)
        self._services.outbox.wake()

    async def _in_transaction(
        self, message: Inbound, act: Callable[[Context], Awaitable[None]]
    ) -> None:
        async with self._services.store.work() as work:
            await self._library.refresh(work)
            current = await work.inbox.get(message.id)
            if current.state is not InboxState.STORED:
                return
            ctx = await messages.context_of(self._services, work, message)
            await act(ctx)
            await _done(work, current)
            await work.commit()

    async def _refuse(self, message: Inbound, refusal: Refusal) -> None:
        if message.in_group:
            # In groups nothing is ever said about what went wrong.
            await self._in_transaction(message, _nothing)
            return
        fields = {k: str(v) for k, v in refusal.fields.items() if k in _FIELDS}
        await self._say(message, Refused(key=refusal.key, **fields))

    async def _say(self, message: Inbound, reply: Reply) -> None:
        async def act(ctx: Context) -> None:
            await ctx.reply(reply)

        await self._in_transaction(message, act)

    async def _again(self, message: Inbound) -> None:
        """Somebody was faster: look once more at how things stand now."""
        try:
            await self._in_transaction(message, lambda ctx: messages.receive(ctx, message))
        except Refusal as refusal:
            await self._refuse(message, refusal)
        except StaleVersion:
            await self._say(message, Faster())

    async def _later(self, message: Inbound, error: str, reference: str) -> None:
        """Keep it, say so once, try again; after the last try it waits for a person."""
        async with self._services.store.work() as work:
            current = await work.inbox.get(message.id)
            attempts = current.attempts + 1
            over = attempts >= ATTEMPTS
            pause = _BACKOFF[min(attempts, len(_BACKOFF)) - 1]
            await work.inbox.save(
                dataclasses.replace(
                    current,
                    attempts=attempts,
                    error=error,
                    retry_at=self._services.clock.now() + pause,
                    state=InboxState.FAILED if over else InboxState.STORED,
                )
            )
            if attempts == 1 and not message.in_group:
                ctx = await messages.context_of(self._services, work, message)
                await ctx.reply(Busy(reference=reference))
            await work.commit()


def storable(message: Inbound) -> Inbound:
    """The message without what no database keeps: NUL and halves of surrogate pairs."""
    return dataclasses.replace(
        message,
        **{
            name: getattr(message, name).replace("\x00", "").encode("utf-8", "ignore").decode()
            for name in ("text", "quoted", "message_id", "sender_name", "token")
        },
    )


async def _nothing(ctx: Context) -> None:
    del ctx


async def _done(work: Work, message: Inbound) -> None:
    await work.inbox.save(dataclasses.replace(message, state=InboxState.DONE))
