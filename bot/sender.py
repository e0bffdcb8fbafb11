"""The conversation lane, and the hand that sends for both: claim, commit, send, settle."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from bot.bundles import Chat, Outcome, bundles, by_chat
from bot.channel import Channel, Outgoing
from bot.doubts import doubts_of, written
from bot.gate import PATIENCE, Gate
from bot.owner_watch import OwnerWatch
from bot.presenter import Presenter
from bot.scheduler import Gathered, to_its_end
from bot.tally import Tally
from handlers.housekeeping import ledger
from handlers.housekeeping.ledger import Result
from handlers.housekeeping.ticking import clock_context
from handlers.services import Services
from matrix.broadcast.pacing import Ask
from matrix.core.delivery import Delivery, DeliveryState, Lane, Parcel
from matrix.core.errors import DeliveryError

LOG = logging.getLogger("piyao.sender")
_IDLE = 1.0
"""Seconds after which the conversation lane looks by itself: retries, other processes' rows."""
_FAREWELL = 5.0
"""Seconds that messages under way have for coming to their end when the process stops."""
_CARD_WAITS = timedelta(seconds=2)
_TOGETHER = 0.03
"""Seconds: outcomes that come back within them are written together, and nobody notices."""


class Sender:
    """Sends what the ledger holds through the channels of this process."""

    def __init__(
        self,
        services: Services,
        presenter: Presenter,
        channels: Mapping[str, Channel],
        executor: str,
        gates: Mapping[str, Gate] = MappingProxyType({}),
        holds: Callable[[str], bool] = bool,
    ) -> None:
        """``executor`` is unique to this process.

        ``gates`` stand before the channels that have limits; ``holds`` tells whose conversations
        are this process's now.
        """
        self._gates = gates
        self._holds = holds
        self.bursts = {name: gate.pace.within(PATIENCE) for name, gate in gates.items()}
        """How many marked rows of a channel find their turn before they are sent back; 0: any."""
        self.tally = Tally()
        self._services = services
        self._presenter = presenter
        self._channels = channels
        self._executor = executor
        self.doubts = doubts_of(channels)
        self._owners = OwnerWatch(services, channels)
        self._wake = asyncio.Event()
        self._back = Gathered(self._wake.set, _TOGETHER)
        self._paced = [
            name
            for name, one in channels.items()
            if one.limits.chat_per_second or one.limits.chat_per_minute
        ]
        self._under_way: dict[Chat, asyncio.Task[None]] = {}
        self._resting: dict[Chat, float] = {}
        self._results: list[Result] = []

    def wake(self) -> None:
        """Something waits."""
        self._wake.set()

    async def run(self) -> None:
        """The conversation lane, until cancelled. One slow chat holds up no other."""
        try:
            while True:
                self._wake.clear()
                started = 0
                try:
                    started = await to_its_end(self._turn())
                except Exception:
                    LOG.exception("conversation lane")
                    await asyncio.sleep(_IDLE)
                if not started:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._nap()):
                            await self._wake.wait()
        finally:
            await self._farewell()

    async def _turn(self) -> int:
        """Write what has come back, then start what is ready; returns how many were started."""
        await self._settle()
        now = time.monotonic()
        self._resting = {chat: end for chat, end in self._resting.items() if end > now}
        apart = {address for _, address in (*self._under_way, *self._resting)}
        claimed = await self._claim(sorted(apart))
        for chat, some in by_chat(claimed).items():
            self._under_way[chat] = asyncio.create_task(self._one_chat(chat, some))
        return len(claimed)

    def _nap(self) -> float:
        """Until a chat has rested, at most ``_IDLE``."""
        ends = [end - time.monotonic() for end in self._resting.values()]
        return max(0.01, min([_IDLE, *ends]))

    async def _one_chat(self, chat: Chat, some: Sequence[Delivery]) -> None:
        try:
            # Not in one step with the waiting: another chat's result could be in the list by then.
            done = await self.send_in_order(some)
            self._results += done
        finally:
            self._rest(chat)
            del self._under_way[chat]
            self._back.ask()

    def _rest(self, chat: Chat, least: float = 0.0) -> None:
        """A chat that may not get its next message yet waits outside of the ledger's *sending*."""
        platform, address = chat
        now = time.monotonic()
        gate = self._gates.get(platform)
        wait = max(least, gate.rests(address) if gate else 0.0)
        if wait > 0:
            self._resting[chat] = max(now + wait, self._resting.get(chat, 0.0))

    def close(self) -> None:
        """No new calls to channels with limits: who waits for a turn goes back into the ledger."""
        for gate in self._gates.values():
            gate.close()

    async def _farewell(self) -> None:
        """What is on its way arrives and is written down: an orderly stop leaves no doubt."""
        self.close()
        if self._under_way:
            _, late = await asyncio.wait(list(self._under_way.values()), timeout=_FAREWELL)
            for task in late:
                task.cancel()
        await self._settle()

    async def pump(self) -> int:
        """Send one chunk to its end; returns how many rows it took."""
        claimed = await self._claim()
        if not claimed:
            return 0
        chats = by_chat(claimed).values()
        done = await asyncio.gather(*(self.send_in_order(some) for some in chats))
        self._results += [result for some in done for result in some]
        await self._settle()
        return len(claimed)

    async def _claim(self, apart: Sequence[str] = ()) -> list[Delivery]:
        async with self._services.store.work() as work:
            ctx = clock_context(self._services, work)
            claimed = await ledger.claim(
                ctx, list(filter(self._holds, self._channels)), self._executor,
                doubts=self.doubts, apart=apart, one_each=self._paced,
            )  # fmt: skip
            await work.commit()
        return claimed

    async def _settle(self) -> None:
        """Write the outcomes. What the database does not take now is kept and written later."""
        if not self._results:
            return
        results, self._results = self._results, []
        try:
            await self._write(results)
        except Exception:
            LOG.exception("outcomes of %d deliveries", len(results))
            await self._write_apart(results)

    async def _write_apart(self, results: Sequence[Result]) -> None:
        """One that cannot be written must not keep the others from being written."""
        for one in results:
            try:
                await self._write([one])
            except Exception:
                LOG.exception("outcome of delivery %s", one.delivery.id)
                self._results.append(one)

    async def _write(self, results: Sequence[Result]) -> None:
        async with self._services.store.work() as work:
            await ledger.settle(clock_context(self._services, work), results, self.doubts)
            await work.commit()

    async def ask_back(self) -> None:
        """Ask the platforms that can be asked: what is in doubt, and what owners have confirmed."""
        await self._owners.look()
        if not self.doubts.readable:
            return
        async with self._services.store.read() as work:
            waiting = await ledger.to_ask(clock_context(self._services, work), self.doubts)
        for one in waiting:
            answer: str | None = None
            refusal = ""
            try:
                answer = await self._posted(one)
            except DeliveryError as error:
                if not error.permanent:
                    LOG.info("%s cannot be asked now", one.platform)
                    continue
                refusal = error.code
            async with self._services.store.work() as work:
                ctx = clock_context(self._services, work)
                if refusal:
                    await ledger.refused(ctx, one, refusal)
                else:
                    await ledger.answered(ctx, one, answer)
                await work.commit()

    async def _posted(self, delivery: Delivery) -> str | None:
        """The first part's remote id when all are there, empty when none is, else None."""
        channel = self._channels[delivery.platform]
        messages = self._presenter.outgoing(delivery, self._services.clock.now(), channel.limits)
        found = [await channel.posted(one) for one in messages]
        if all(one == "" for one in found):
            return ""
        return found[0] if all(found) else None

    async def send_in_order(self, messages: Sequence[Delivery | Parcel]) -> list[Result]:
        """Messages of one chat; after "slow down" the others are not even tried."""
        talk = [one for one in messages if isinstance(one, Delivery)]
        speaks = talk and talk[0].lane is Lane.CONVERSATION
        if speaks and self._channels[talk[0].platform].limits.bundles:
            return await self._together(talk)
        results: list[Result] = []
        slow: DeliveryError | None = None
        for one in messages:
            result = Result(delivery=one, error=slow) if slow else await self._send(one)
            if result.error is not None and result.error.retry_after is not None:
                slow = result.error
                self._rest((one.platform, one.address), result.error.retry_after.total_seconds())
            results.append(result)
        return results

    async def _together(self, deliveries: Sequence[Delivery]) -> list[Result]:
        """What is due to one chat, in as few messages as it fits into."""
        channel = self._channels[deliveries[0].platform]
        now = self._services.clock.now()
        outcome = Outcome({}, {})
        rendered = [
            (one, self._presenter.outgoing(one, now, channel.limits))
            for one in deliveries
            if not one.edits or channel.limits.edits
        ]
        for bundle in bundles(rendered, channel.limits):
            if outcome.error is None:
                try:
                    outcome.arrived(bundle, await self._out(channel, bundle.outgoing))
                except DeliveryError as error:
                    outcome.error = error
            if outcome.error is not None:
                outcome.failed(bundle)
        return [outcome.of(one) for one in deliveries]

    async def _out(self, channel: Channel, message: Outgoing) -> str:
        """Send one message when its time has come. Raises DeliveryError only."""
        try:
            return await self._call(channel.platform, message, patient=False)
        except DeliveryError:
            raise
        except Exception as error:
            LOG.exception("message %s", message.key)
            raise DeliveryError("internal", unknown=True) from error

    async def _send(self, one: Delivery | Parcel) -> Result:
        try:
            if isinstance(one, Parcel):
                limits = self._channels[one.platform].limits
                messages = self._presenter.posts(one, self._services.clock.now, limits)
                remote = await self._parts_out(one.platform, messages)
            else:
                remote = await self._delivery_out(one)
        except DeliveryError as error:
            return Result(delivery=one, error=error)
        except Exception:
            LOG.exception("delivery %s", one.id)
            return Result(delivery=one, error=DeliveryError("internal", unknown=True))
        return Result(delivery=one, remote_id=remote)

    async def _delivery_out(self, delivery: Delivery) -> str:
        """Send or change one message of a conversation; its id. Raises DeliveryError."""
        limits = self._channels[delivery.platform].limits
        edited = await self._remote(delivery)
        if delivery.edits and not (edited and limits.edits):
            return ""
        at = written(delivery.created_at, self._services.clock.now(), limits)
        messages = self._presenter.outgoing(delivery, at, limits)
        if edited:
            # A changed card is one message: what does not fit is left out.
            messages = [messages[0]._replace(edits=edited)]
        return await self._parts_out(delivery.platform, messages)

    async def _parts_out(self, platform: str, messages: Sequence[Outgoing]) -> str:
        """Send the parts of one message; the id of the first. Raises DeliveryError."""
        first = ""
        for message in messages:
            try:
                answer = await self._call(platform, message, patient=bool(first))
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
        if card.state is DeliveryState.PENDING:
            # Put off itself: changed before it is there, it would come later as it was.
            raise DeliveryError("card-waits", retry_after=_CARD_WAITS)
        return card.remote_id

    async def _call(self, platform: str, message: Outgoing, *, patient: bool) -> str:
        """Send when the account's limits allow; told to slow down, all processes do."""
        gate = self._gates.get(platform)
        if gate is None:
            return await self._counted(platform, message)
        ask = Ask(chat=message.address, broadcast=not message.conversation)
        async with gate.turn(ask, patient=patient):
            try:
                return await self._counted(platform, message)
            except DeliveryError as error:
                if error.retry_after is not None:
                    whole = self._channels[platform].limits.one_slows_all
                    seconds = error.retry_after.total_seconds()
                    await gate.rest("" if whole else message.address, seconds)
                raise

    async def _counted(self, platform: str, message: Outgoing) -> str:
        try:
            answer = await self._channels[platform].send(message)
        except DeliveryError as error:
            self.tally.sent(platform, error)
            raise
        self.tally.sent(platform, None)
        return answer
