"""``piyao terminal --as 人名``: one person's chat at the keyboard."""

import asyncio

from rich.console import Console

from bot.assembly import assemble
from bot.beginning import StartRefusedError
from bot.conversation import bind, rest, say
from bot.platforms.terminal.channel import Terminal
from config.settings import Settings


async def talk(settings: Settings, name: str, out: Console) -> None:
    """Chat until the end of input.

    Raises:
        StartRefusedError: nobody, or several people, of that name.
    """
    channel = Terminal(lambda text: out.print(f"\n{text}\n", markup=False))
    async with assemble(settings, channels={channel.platform: channel}) as parts:
        people = [p for p in parts.services.directory.people.values() if name in {p.name, p.handle}]
        if len(people) != 1:
            raise StartRefusedError("no_such_person", name)
        person = people[0].id
        await bind(parts, channel.platform, person)
        await rest(parts)
        while True:
            try:
                line = await asyncio.to_thread(input, "> ")
            except (EOFError, KeyboardInterrupt):
                return
            await say(parts, channel.platform, person, line)
            await parts.tick()
            await rest(parts)
