"""What the stages have in common, whatever people write on: stepped loops, time, the ledger."""

from typing import Any

from bot.parts import Parts
from matrix.core.conversation import InboxState
from matrix.core.delivery import WAITS, DeliveryState
from tests.doubles.clock import FakeClock


class Chat:
    """``patient`` stages let time pass until what a platform has put off is done."""

    patient = False

    def __init__(self, parts: Parts, clock: FakeClock) -> None:
        self.parts, self.clock = parts, clock

    async def arrived(self) -> None:
        """Everything that people have sent is with the product."""

    async def rest(self) -> None:
        """Everything stored is processed, everything due has been sent."""
        await self.arrived()
        await self.stepped()
        assert not await self.all("inbox", attempts__gt=0)
        assert not await self.all("inbox", state=InboxState.STORED)

    async def stepped(self) -> None:
        """The loops, as long as they find something to do."""
        for _ in range(60):
            while await self._moved():
                pass
            if not (self.patient and await self._put_off()):
                break
            # A platform failed: the product tries again after a while.
            self.clock.forward(seconds=20)
            await self.parts.sender.ask_back()
            waiting = await self.all("deliveries", state=DeliveryState.PENDING, lane="broadcast")
            for subject in {one.subject for one in waiting}:
                await self.parts.broadcaster.run(subject)

    async def _moved(self) -> bool:
        queue: Any = self.parts.queue
        moved = await self.parts.dispatcher.step()
        moved = bool(await self.parts.sender.pump()) or moved
        return await queue.drain(self.parts.broadcaster.run) or moved

    async def _put_off(self) -> list[Any]:
        open_ = (DeliveryState.PENDING, DeliveryState.IN_DOUBT)
        found = await self.all("deliveries", state__in=open_)
        return [one for one in found if one.not_before is not None and one.error != WAITS]

    async def tick(self, **span: float) -> None:
        self.clock.forward(**span)
        await self.parts.tick()
        await self.rest()

    async def all(self, kind: str, /, **criteria: Any) -> list[Any]:
        async with self.parts.store.read() as work:
            return list(await getattr(work, kind).find(**criteria))

    async def states(self, kind: str, /, **criteria: Any) -> list[str]:
        return [str(one.state) for one in await self.all(kind, **criteria)]
