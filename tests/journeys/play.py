"""A stage: people of the sample district play their roles through the web chat's API.

Everything between the API and the database is the product; clock and link checker are doubles.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.assembly import Parts, assemble
from bot.web.app import demo_app
from config.settings import load
from matrix.core.delivery import Lane
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks

FIRED = Path(os.environ.get("PIYAO_FIRED", "/nonexistent"))


class Play:
    """Say, press, look. Names are those of the sample district."""

    def __init__(
        self, parts: Parts, clock: FakeClock, links: ToldLinks, http: httpx.AsyncClient
    ) -> None:
        self.parts = parts
        self.clock = clock
        self.links = links
        self.http = http
        self.ids = {p.name: p.id for p in parts.services.directory.people.values()}

    async def settle(self) -> None:
        """Everything that is under way comes to rest."""
        for _ in range(60):
            moved = await self.parts.dispatcher.step()
            moved = bool(await self.parts.sender.pump(Lane.CONVERSATION)) or moved
            queue: Any = self.parts.queue
            if queue.waiting:
                await queue.drain(self.parts.broadcast)
                moved = True
            if not moved:
                return
        raise AssertionError("the stage does not come to rest")

    async def say(self, who: str, text: str, **more: Any) -> str:
        """Send a message; returns what the bot answered, all bubbles together."""
        seen = await self._last(who)
        answer = await self.http.post(
            f"/api/webchat/chats/{self.ids[who]}/messages", json={"text": text, **more}
        )
        assert answer.status_code == 202, answer.text
        await self.settle()
        return "\n".join(m["text"] for m in await self.heard(who, after=seen))

    async def press(self, who: str, label: str, *, inside: str = "") -> str:
        """Press the newest open button: a key of [button], or a name shown as it is.

        ``inside`` is a part of the message's text that the button must stand under.
        """
        label = self.parts.presenter.text("button", label)
        for message in reversed(await self.heard(who)):
            for button in message["buttons"]:
                if button["label"] == label and inside in message["text"] and button["open"]:
                    return await self.token(who, button["token"])
        shown = [
            (m["text"][:50], [b["label"] for b in m["buttons"] if b["open"]])
            for m in (await self.heard(who))[-6:]
        ]
        raise AssertionError(f"{who} has no open button {label!r}; the last messages: {shown}")

    async def token(self, who: str, token: str) -> str:
        """Press a button by its token, open or not."""
        seen = await self._last(who)
        answer = await self.http.post(
            f"/api/webchat/chats/{self.ids[who]}/presses", json={"token": token}
        )
        assert answer.status_code == 202, answer.text
        await self.settle()
        return "\n".join(m["text"] for m in await self.heard(who, after=seen))

    async def heard(self, who: str, after: str = "") -> list[dict[str, Any]]:
        """Bubbles of the bot to a person, oldest first."""
        answer = await self.http.get(
            f"/api/webchat/chats/{self.ids[who]}/messages", params={"limit": 500, "after": after}
        )
        return [m for m in answer.json() if not m["mine"]]

    async def last(self, who: str) -> str:
        """The newest bubble of the bot to a person."""
        return (await self.heard(who))[-1]["text"]

    async def _last(self, who: str) -> str:
        answer = await self.http.get(
            f"/api/webchat/chats/{self.ids[who]}/messages", params={"limit": 1}
        )
        found = answer.json()
        return found[-1]["id"] if found else ""

    async def tick(self, **span: float) -> None:
        """Time passes, the clock sweeps."""
        self.clock.forward(**span)
        await self.parts.tick()
        await self.settle()

    async def states(self, kind: str, **criteria: Any) -> list[str]:
        """States of stored entities, for what only the ledger shows."""
        async with self.parts.store.read() as work:
            return [str(one.state) for one in await getattr(work, kind).find(**criteria)]

    async def number(self, kind: str = "cases") -> str:
        """The number of the newest case or lead."""
        async with self.parts.store.read() as work:
            found = await getattr(work, kind).find(order="-id", limit=1)
        return str(found[0].number)

    async def fired(self) -> set[str]:
        """Rows that have fired, as ``entity source action``."""
        async with self.parts.store.read() as work:
            return {f"{e.entity} {e.source} {e.action}" for e in await work.events() if e.source}


@asynccontextmanager
async def stage(folder: Path, **environment: str) -> AsyncIterator[Play]:
    """A fresh sample district in a folder."""
    clock, links = FakeClock(), ToldLinks()
    settings = load({"PIYAO_DATA": str(folder), **environment})
    async with assemble(settings, clock=clock, links=links, durable=False) as parts:
        transport = httpx.ASGITransport(app=demo_app(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            play = Play(parts, clock, links, http)
            yield play
            if FIRED.parent.is_dir():
                keep_fired(sorted(await play.fired()))


def keep_fired(rows: list[str]) -> None:
    """For the test that every row is played."""
    with FIRED.open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)
