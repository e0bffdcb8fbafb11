"""Asks the platforms what has become of the tasks that owners of groups must confirm."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.channel import Channel, GroupTasks
from handlers.housekeeping.ticking import clock_context
from handlers.reposting import owners
from handlers.services import Services
from matrix.core.errors import DeliveryError

LOG = logging.getLogger("piyao.owners")

PAUSE = timedelta(minutes=1)
"""Between two looks at one task: people confirm in minutes, quotas are for a whole corporation."""


class OwnerWatch:
    """Looks outside of any transaction, then writes what was seen."""

    def __init__(self, services: Services, channels: Mapping[str, Channel]) -> None:
        """Only channels that are ``GroupTasks`` are asked."""
        self._services = services
        self._channels = channels
        self._asked: dict[str, datetime] = {}

    async def look(self) -> None:
        """Ask after everything that is open, each at most once a minute."""
        now = self._services.clock.now()
        async with self._services.store.read() as work:
            waiting = await owners.waiting(clock_context(self._services, work))
        self._asked = {one.id: self._asked[one.id] for one in waiting if one.id in self._asked}
        for delivery in waiting:
            channel = self._channels.get(delivery.platform)
            asked = self._asked.get(delivery.id)
            if not isinstance(channel, GroupTasks) or (asked and asked + PAUSE > now):
                continue
            self._asked[delivery.id] = now
            try:
                said = await channel.seen(delivery.remote_id, delivery.address)
            except DeliveryError as error:
                LOG.info("%s cannot be asked now: %s", delivery.platform, error.code)
                continue
            async with self._services.store.work() as work:
                await owners.seen(clock_context(self._services, work), delivery, said)
                await work.commit()
