"""Stored messages in, transactions out: each is processed exactly once, whatever crashes."""

import asyncio
import dataclasses
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Any

from bot.library import Library
from handlers import messages
from handlers.context import Context, context_of
from handlers.housekeeping import ledger
from handlers.replies import Reply
from handlers.replies.shared import Busy, Faster, Refused
from handlers.services import Services
from matrix.core.conversation import Inbound, InboxState
from matrix.core.errors import PiyaoError, Refusal, StaleVersion
from matrix.ports import Work

LOG = logging.getLogger("piyao.dispatch")
ALONE = 2.0
SHARED = 0.25
"""Seconds after which the inbox is looked at unasked: alone, and where other processes fill it."""
_FEW = 20
"""Messages looked up at a time: less than a second's work, so that who came first stays first."""
ATTEMPTS = 5
_BACKOFF = (
    timedelta(seconds=2),
    timedelta(seconds=15),
    timedelta(minutes=2),
    timedelta(minutes=15),
)
_FIELDS = frozenset(field.name for field in dataclasses.fields(Refused))
_NOTE = re.compile(r"(?:\A|\n)\[file:(?P<key>[a-z_]{1,40})\]\Z")


class NotKeptError(PiyaoError):
    """The database did not take a message: its platform keeps it and repeats it."""

    def __init__(self, reference: str) -> None:
        """``reference`` stands in the log beside the reason."""
        super().__init__(reference)
        self.reference = reference


_Arrival = tuple[Inbound, "asyncio.Future[bool]"]


class Dispatcher:
    """Takes messages from the inbox in the order in which they came."""

    def __init__(
        self,
        services: Services,
        library: Library,
        idle: float = ALONE,
        lines: Callable[[], Collection[str] | None] = lambda: None,
    ) -> None:
        """``library`` follows the database before every message.

        ``lines`` tells whose messages are this process's now; None means everybody's.
        """
        self._idle = idle
        self._lines = lines
        self._services = services
        self._library = library
        self._wake = asyncio.Event()
        self._arriving: list[_Arrival] = []
        self._keeper: asyncio.Task[None] | None = None
        self.lingering: frozenset[str] = frozenset()
        """Channels where what cannot go now goes with the person's next message."""
        self.unanswered: Callable[[Inbound], None] = _unheard
        """Told of a message that is done and to which nothing is said."""

    async def store(self, message: Inbound) -> bool:
        """Keep a message before it is acknowledged; False when it is known already.

        Raises:
            NotKeptError: the database is full or locked; nothing may be acknowledged.
        """
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._arriving.append((message, kept))
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_all())
        return await kept

    async def _keep_all(self) -> None:
        """What arrives while one transaction commits goes together into the next."""
        while self._arriving:
            some, self._arriving = self._arriving, []
            # One that cannot be kept must not keep the others from being kept.
            if len(some) == 1 or not await self._kept(some):
                for one in some:
                    await self._kept([one], last=True)
        self._keeper = None

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
        self._wake.set()
        return True

    async def _keep(self, messages: Sequence[Inbound]) -> list[bool]:
        fresh = []
        async with self._services.store.work() as work:
            for one in messages:
                try:
                    await work.inbox.add(storable(one))
                    fresh.append(True)
                except StaleVersion:
                    fresh.append(False)
            await work.commit()
        return fresh

    async def run(self) -> None:
        """Process until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.step():
                    pass
            except Exception:
                LOG.exception("dispatch")
                await asyncio.sleep(ALONE)
            try:
                async with asyncio.timeout(self._idle):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Process the next few messages; False when none is ready."""
        now, lines = self._services.clock.now(), self._lines()
        of: dict[str, Any] = {"state": InboxState.STORED, "limit": _FEW}
        if lines is not None:
            of["platform__in"] = lines
        async with self._services.store.read() as work:
            # Asked apart: messages that wait for their next try hold up nobody else's.
            fresh = await work.inbox.find(retry_at=None, **of)
            again = await work.inbox.find(retry_at__lte=now, **of)
        ready = sorted([*fresh, *again], key=lambda one: one.id)
        for one in ready[:_FEW]:
            await self.process(one)
        return bool(ready)

    async def process(self, message: Inbound) -> None:
        """One message in one transaction; refusals and failures in one of their own."""
        try:
            await self._take(message)
        except Exception as error:
            reference = reference_of(message)
            LOG.exception("message %s", reference)
            await self._later(message, type(error).__name__, reference)
        self._services.outbox.wake()

    async def _take(self, message: Inbound) -> None:
        try:
            await self._in_transaction(message, lambda ctx: receive(ctx, message))
        except Refusal as refusal:
            await self._refuse(message, refusal)
        except StaleVersion:
            LOG.info("message %s: somebody was faster", reference_of(message), exc_info=True)
            await self._again(message)

    async def _in_transaction(
        self, message: Inbound, act: Callable[[Context], Awaitable[None]]
    ) -> None:
        directories = self._services.directories
        before = directories.current
        try:
            async with self._services.store.work() as work:
                await self._library.refresh(work)
                current = await work.inbox.get(message.id)
                if current.state is not InboxState.STORED:
                    return
                ctx = await context_of(self._services, work, message)
                await act(ctx)
                if message.platform in self.lingering:
                    await ledger.release(ctx)
                await _done(work, current)
                await work.commit()
        except BaseException:
            # A person who was just added is not there when the commit is not.
            directories.current = before
            raise
        if not any(one.answers for one in ctx.said):
            self.unanswered(message)

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
            await self._in_transaction(message, lambda ctx: receive(ctx, message))
        except Refusal as refusal:
            await self._refuse(message, refusal)
        except StaleVersion:
            await self._say(message, Faster())

    async def _later(self, message: Inbound, error: str, reference: str) -> None:
        """Keep it, say so once, try again; after the last try it waits for a person."""
        async with self._services.store.work() as work:
            current = await work.inbox.get(message.id)
            if current.state is not InboxState.STORED:
                # It is done, and only the answer to the commit was lost.
                return
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
                ctx = await context_of(self._services, work, message)
                await ctx.reply(Busy(reference=reference))
            await work.commit()


def reference_of(message: Inbound) -> str:
    """What a person can name on the telephone, and the log shows."""
    return message.id[-6:]


async def receive(ctx: Context, message: Inbound) -> None:
    """Do what the message asks, and say which attachment could not be taken.

    A channel leaves ``[file:<refusal key>]`` as the last line of a text whose file did not come.
    """
    found = None if message.files else _NOTE.search(message.text)
    if found is None:
        await messages.receive(ctx, message)
        return
    message = dataclasses.replace(message, text=message.text[: found.start()])
    if message.text.strip() or message.in_group:
        await messages.receive(ctx, message)
    if not message.in_group:
        await ctx.reply(Refused(key=found["key"]))


def storable(message: Inbound) -> Inbound:
    """The message without what no database keeps: NUL and halves of surrogate pairs."""
    return dataclasses.replace(
        message,
        **{
            name: getattr(message, name).replace("\x00", "").encode("utf-8", "ignore").decode()
            for name in ("text", "quoted", "message_id", "sender_name", "token")
        },
    )


def _unheard(message: Inbound) -> None:
    del message


async def _nothing(ctx: Context) -> None:
    del ctx


async def _done(work: Work, message: Inbound) -> None:
    await work.inbox.save(dataclasses.replace(message, state=InboxState.DONE))
