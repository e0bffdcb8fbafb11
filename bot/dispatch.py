"""Stored messages in, transactions out: each is processed exactly once, whatever crashes."""

import asyncio
import dataclasses
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any

from bot.keeping import Keeper, reference_of
from bot.library import Library
from handlers import messages
from handlers.context import Context, context_of
from handlers.housekeeping import ledger
from handlers.replies import Reply
from handlers.replies.shared import Busy, Faster, Refused
from handlers.services import Services
from matrix.core.conversation import Inbound, InboxState
from matrix.core.errors import Refusal, StaleVersion
from matrix.ports import Work

LOG = logging.getLogger("piyao.dispatch")
ALONE = 2.0
SHARED = 0.25
"""Seconds after which the inbox is looked at unasked: alone, and where other processes fill it."""
_FEW = 20
"""Messages of one look and at most one transaction: who came first stays first."""
_SPAN = 0.1
"""Seconds after which a transaction takes no more: arriving messages wait for it, and what is to be
sent does too: with 250 ms a quarter of a flood's answers were still there behind its leads."""
ATTEMPTS = 5
_BACKOFF = (
    timedelta(seconds=2),
    timedelta(seconds=15),
    timedelta(minutes=2),
    timedelta(minutes=15),
)
_FIELDS = frozenset(field.name for field in dataclasses.fields(Refused))
_NOTE = re.compile(r"(?:\A|\n)\[file:(?P<key>[a-z_]{1,40})\]\Z")


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
        self._more = False
        self.store = Keeper(services.store, self._wake.set).store
        """Keeps a message before it is acknowledged; see there."""
        self.lingering: frozenset[str] = frozenset()
        """Channels where what cannot go now goes with the person's next message."""
        self.unanswered: Callable[[Inbound], None] = _unheard
        """Told of a message that is done and to which nothing is said."""

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
        if not self._more:
            async with self._services.store.read() as work:
                if not await self._ready(work, 1):
                    return False
        taken: list[Inbound] = []
        try:
            await self._together(_FEW, taken)
            # As many as were asked for: there are more, and nobody need look first.
            self._more = len(taken) == _FEW
        except Exception:
            self._more = False
            # Whose fault it is cannot be told: each once more, in a transaction of its own.
            LOG.exception("several messages together")
            for _ in range(_FEW):
                if not await self._alone():
                    break
        return True

    async def _ready(self, work: Work, limit: int) -> list[Inbound]:
        """The oldest that are ready, in the order in which they came."""
        now, lines = self._services.clock.now(), self._lines()
        of: dict[str, Any] = {"state": InboxState.STORED, "limit": limit}
        if lines is not None:
            of["platform__in"] = lines
        # Asked apart: messages that wait for their next try hold up nobody else's.
        fresh = await work.inbox.find(retry_at=None, **of)
        again = await work.inbox.find(retry_at__lte=now, **of)
        return sorted([*fresh, *again], key=lambda one: one.id)[:limit]

    async def _alone(self) -> bool:
        """The next message in a transaction of its own; what fails even so is put off."""
        taken: list[Inbound] = []
        try:
            return await self._together(1, taken)
        except Exception as error:
            if not taken:
                raise
            LOG.exception("message %s", reference_of(taken[0]))
            async with self._services.store.work() as work:
                await self._later(work, taken[0], type(error).__name__)
                await work.commit()
            return True

    async def _together(self, limit: int, taken: list[Inbound]) -> bool:
        """The next few messages in one transaction; False when none is ready.

        They are looked up inside: two processes that both hold themselves for the holder of a line
        take turns, and whoever has the turn has the oldest message there is. ``taken`` gets them.
        """
        directories = self._services.directories
        before = directories.current
        silent: list[Inbound] = []
        try:
            async with self._services.store.work() as work:
                taken += await self._ready(work, limit)
                await self._each(work, taken, silent)
                await work.commit()
        except BaseException:
            # Who was just added is not there, and what was just filed is not a case.
            directories.current = before
            self._library.forget_waiting()
            raise
        for message in silent:
            self.unanswered(message)
        self._services.outbox.wake()
        return bool(taken)

    async def _each(self, work: Work, ready: list[Inbound], silent: list[Inbound]) -> None:
        """One by one, until the time is up or the rest must see what one has changed."""
        loop = asyncio.get_running_loop()
        directory, change = self._services.directories.current, await work.last_change()
        until = loop.time() + _SPAN
        for message in ready:
            await self._library.refresh(work)
            await self._process(work, message, silent)
            # What is not committed may not get into the indexes of what is issued.
            changed = await work.last_change() != change
            if changed or self._services.directories.current is not directory:
                return
            if loop.time() > until:
                return
            # Nothing above need have waited: whoever calls meanwhile is heard here.
            await asyncio.sleep(0)

    async def _process(self, work: Work, message: Inbound, silent: list[Inbound]) -> None:
        """One message in a part of its own; refusals and failures in one of their own."""
        try:
            answered = await self._take(work, message)
        except Exception as error:
            LOG.exception("message %s", reference_of(message))
            async with work.part():
                await self._later(work, message, type(error).__name__)
            return
        if not answered:
            silent.append(message)

    async def _take(self, work: Work, message: Inbound) -> bool:
        try:
            return await self._in_part(work, message, lambda ctx: receive(ctx, message))
        except Refusal as refusal:
            return await self._refuse(work, message, refusal)
        except StaleVersion:
            LOG.info("message %s: somebody was faster", reference_of(message), exc_info=True)
            return await self._again(work, message)

    async def _in_part(
        self, work: Work, message: Inbound, act: Callable[[Context], Awaitable[None]]
    ) -> bool:
        """Do it, or leave nothing of it; whether something was said in answer."""
        directories = self._services.directories
        before = directories.current
        try:
            async with work.part():
                current = await work.inbox.get(message.id)
                ctx = await context_of(self._services, work, message)
                await act(ctx)
                if message.platform in self.lingering:
                    await ledger.release(ctx)
                await work.inbox.save(dataclasses.replace(current, state=InboxState.DONE))
        except BaseException:
            # A person who was just added is not there when the part is not.
            directories.current = before
            raise
        return any(one.answers for one in ctx.said)

    async def _refuse(self, work: Work, message: Inbound, refusal: Refusal) -> bool:
        if message.in_group:
            # In groups nothing is ever said about what went wrong.
            return await self._in_part(work, message, _nothing)
        fields = {k: str(v) for k, v in refusal.fields.items() if k in _FIELDS}
        return await self._say(work, message, Refused(key=refusal.key, **fields))

    async def _say(self, work: Work, message: Inbound, reply: Reply) -> bool:
        async def act(ctx: Context) -> None:
            await ctx.reply(reply)

        return await self._in_part(work, message, act)

    async def _again(self, work: Work, message: Inbound) -> bool:
        """Somebody was faster: look once more at how things stand now."""
        try:
            return await self._in_part(work, message, lambda ctx: receive(ctx, message))
        except Refusal as refusal:
            return await self._refuse(work, message, refusal)
        except StaleVersion:
            return await self._say(work, message, Faster())

    async def _later(self, work: Work, message: Inbound, error: str) -> None:
        """Keep it, say so once, try again; after the last try it waits for a person."""
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
            await ctx.reply(Busy(reference=reference_of(message)))


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


def _unheard(message: Inbound) -> None:
    del message


async def _nothing(ctx: Context) -> None:
    del ctx
