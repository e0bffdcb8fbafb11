"""A conversation driven from inside the process: the terminal and the told story."""

from bot.parts import Parts
from matrix.core.conversation import Inbound
from matrix.core.directory import ChannelIdentity
from storage.memory_queue import MemoryQueue


async def bind(parts: Parts, platform: str, person: str) -> None:
    """Bind a person to a chat of their own on a platform, unless it is bound."""
    async with parts.store.work() as work:
        known = await work.identities.count(platform=platform, external=person, revoked_at=None)
        if not known:
            await work.identities.add(
                ChannelIdentity(
                    id=parts.services.ids.new(),
                    platform=platform,
                    external=person,
                    chat=person,
                    person=person,
                    bound_at=parts.services.clock.now(),
                )
            )
            await work.commit()


async def say(parts: Parts, platform: str, person: str, text: str, token: str = "") -> None:
    """Send a text, or press a button, as a person; returns when everything has come to rest."""
    ids = parts.services.ids
    message = Inbound(
        id=ids.new(),
        platform=platform,
        message_id=ids.new(),
        external=person,
        chat=person,
        kind="button" if token else "text",
        text=text,
        token=token,
        received_at=parts.services.clock.now(),
    )
    await parts.dispatcher.store(message)
    await rest(parts)


async def rest(parts: Parts) -> None:
    """Process and send until nothing moves."""
    moving = True
    while moving:
        moving = await parts.dispatcher.step()
        moving = bool(await parts.sender.pump()) or moving
        if isinstance(parts.queue, MemoryQueue):
            moving = await parts.queue.drain(parts.broadcaster.run) or moving
