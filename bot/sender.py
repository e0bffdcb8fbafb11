"""Both lanes send through here: claim, commit, send, settle."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.channel import Channel, Limits
from bot.presenter import Presenter
from handlers.housekeeping import ledger
from handlers.housekeeping.ledger import Result
from handlers.housekeeping.ticking import clock_context
from handlers.services import Services
from matrix.broadcast.pacing import Pacer
from matrix.core.delivery import Delivery, Lane
from matrix.core.errors import DeliveryError

LOG = logging.getLogger("piyao.sender")
_IDLE = 1.0
"""Seconds after which the conversation lane looks by itself: retries, other processes' rows."""


def pacer_of(limits: Limits) -> Pacer:
    """The windows of a platform."""
    overall = []
    if limits.per_second:
        overall.append((max(1, int(limits.per_second)), 1.0))
    if limits.per_minute:
        overall.append((limits.per_minute, 60.0))
    chat = []
    if limits.chat_per_second:
        chat.append((max(1, int(limits.chat_per_second)), 1.0))
    if limits.chat_per_minute:
        chat.append((limits.chat_per_minute, 60.0))
    return Pacer(tuple(overall), tuple(chat))


class Sender:
    """Sends what the ledger holds through the channels of this process."""

    def __init__(
        self,
        services: Services,
        presenter: Presenter,
        channels: Mapping[str, Channel],
        executor: str,
    ) -> None:
        """``executor`` is unique to this process."""
        self._services = services
        self._presenter = presenter
        self._channels = channels
        self._executor = executor
        self._wake = asyncio.Event()
        self._pacers = {name: pacer_of(one.limits) for name, one in channels.items()}

    def wake(self) -> None:
        """Something waits."""
        self._wake.set()

    async def run(self) -> None:
        """The conversation lane, until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.pump(Lane.CONVERSATION):
                    pass
            except Exception:
                LOG.exception("conversation lane")
                await asyncio.sleep(_IDLE)
            try:
                await asyncio.wait_for(self._wake.wait(), _IDLE)
            except TimeoutError:
                continue

    async def pump(self, lane: Lane, *, subject: str = "") -> int:
        """Send one chunk; returns how many rows it took."""
        async with self._services.store.work() as work:
            ctx = clock_context(self._services, work)
            claimed = await ledger.claim(
                ctx, lane, list(self._channels), self._executor, subject=subject
            )
            await work.commit()
        if not claimed:
            return 0
        results = await self._send_all(claimed)
        async with self._services.store.work() as work:
            ctx = clock_context(self._services, work)
            await ledger.settle(ctx, results)
            await work.commit()
        return len(claimed)

    async def _send_all(self, claimed: Sequence[Delivery]) -> list[Result]:
        """Chats in parallel, messages of one chat in order."""
        chats: dict[tuple[str, str], list[Delivery]] = {}
        for one in claimed:
            chats.setdefault((one.platform, one.address), []).append(one)
        done = await asyncio.gather(*(self._send_in_order(some) for some in chats.values()))
        return [result for some in done for result in some]

    async def _send_in_order(self, deliveries: Sequence[Delivery]) -> list[Result]:
        return [await self._send(one) for one in deliveries]

    async def _send(self, delivery: Delivery) -> Result:
        try:
            remote = await self._parts_out(delivery)
        except DeliveryError as error:
            return Result(delivery=delivery, error=error)
        except Exception:
            LOG.exception("delivery %s", delivery.id)
            return Result(delivery=delivery, error=DeliveryError("internal", unknown=True))
        return Result(delivery=delivery, remote_id=remote)

    async def _parts_out(self, delivery: Delivery) -> str:
        """Send the parts of one delivery; the id of the first. Raises DeliveryError."""
        channel = self._channels[delivery.platform]
        edited = await self._remote(delivery)
        if delivery.edits and not (edited and channel.limits.edits):
            return ""
        messages = self._presenter.outgoing(delivery, self._services.clock.now(), channel.limits)
        if edited:
            # A changed card is one message: what does not fit is left out.
            messages = [replace(messages[0], edits=edited)]
        first = ""
        for message in messages:
            await self._pace(delivery.platform, delivery.address)
            try:
                answer = await channel.send(message)
            except DeliveryError as error:
                if not first:
                    raise
                # A part has arrived: repeating would say it twice.
                raise DeliveryError(error.code, unknown=True) from error
            first = first or answer
        return first

    async def _remote(self, delivery: Delivery) -> str:
        if not delivery.edits:
            return ""
        async with self._services.store.read() as work:
            card = await work.deliveries.get(delivery.edits)
        return card.remote_id

    async def _pace(self, platform: str, chat: str) -> None:
        pacer = self._pacers[platform]
        while (wait := pacer.wait(chat, time.monotonic())) > 0:  # noqa: ASYNC110
            await asyncio.sleep(wait)
        pacer.take(chat, time.monotonic())
