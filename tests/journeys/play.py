"""A stage: people of the sample district play their roles through the web chat's API.

Everything between the API and the database is the product; clock and link checker are doubles.
"""

import atexit
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from bot.assembly import assemble
from bot.channel import Channel
from bot.clock_report import compare
from bot.parts import Parts
from bot.web.app import demo_app
from config.settings import load
from handlers import clocks
from handlers.housekeeping import ticking
from matrix.core.events import Event
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks

FIRED: set[str] = set()
"""Rows that journeys of this process have fired, as ``entity source action``."""

STATEFUL = {
    "lead": "leads", "link": "links", "case": "cases", "assignment": "assignments",
    "verification": "verifications", "revision": "revisions", "bulletin": "bulletins",
    "campaign": "campaigns", "appeal": "appeals", "extension": "extensions", "task": "tasks", "feedback": "feedback",
}  # fmt: skip
"""Entity in the event log → repository; deliveries are folded by chunks."""

SMALL = ("a001", "a002", "a008", "a030", "a043", "a049")
"""A matrix of six: main account, two of the second force's kinds, a town's, two allies."""

_NOT_DONE = {"refused", "faster", "busy", "already_done"}


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
        """Everything that is under way comes to rest; a crash of a handler is a failure."""
        # What a process may send it holds for half a minute, by the database's own clock.
        await self.parts.holdings.renew()
        await self._move()
        async with self.parts.store.read() as work:
            failed = await work.inbox.find(attempts__gt=0)
        assert not failed, [one.error for one in failed]

    async def _move(self) -> None:
        for _ in range(60):
            moved = await self.parts.dispatcher.step()
            moved = bool(await self.parts.sender.pump()) or moved
            queue: Any = self.parts.queue
            moved = await queue.drain(self.parts.broadcaster.run) or moved
            if not moved:
                return
        raise AssertionError("the stage does not come to rest")

    async def say(self, who: str, text: str, *, ok: bool = True, **more: Any) -> str:
        """Send a message; returns what the bot answered, all bubbles together.

        ``ok`` False where a refusal is what the story is about.
        """
        body = {"text": text, **more}
        return await self._post(who, "messages", body, ok=ok)

    async def press(self, who: str, label: str, *, inside: str = "", ok: bool = True) -> str:
        """Press the newest open button: a key of [button], or a name shown as it is.

        ``inside`` is a part of the message's text that the button must stand under.
        """
        return await self.token(who, await self.button(who, label, inside=inside), ok=ok)

    async def button(self, who: str, label: str, *, inside: str = "", nth: int = 0) -> str:
        """The token of an open button, the newest message first; ``nth`` within a message."""
        wording = re.escape(self.parts.presenter.text("button", label))
        pattern = re.compile(re.sub(r"(\\ )?\\{text\\}", ".*", wording))
        heard = await self.heard(who, limit=60)
        for message in reversed(heard):
            if inside not in message["text"]:
                continue
            fitting = [b for b in message["buttons"] if b["open"] and pattern.fullmatch(b["label"])]
            if len(fitting) > nth:
                return str(fitting[nth]["token"])
        shown = [
            (m["text"][:80], [b["label"] for b in m["buttons"] if b["open"]]) for m in heard[-6:]
        ]
        raise AssertionError(f"{who} has no open button {label}; the last messages: {shown}")

    async def has(self, who: str, label: str, *, inside: str = "") -> bool:
        """Whether such a button is open."""
        try:
            await self.button(who, label, inside=inside)
        except AssertionError:
            return False
        return True

    async def token(self, who: str, token: str, *, ok: bool = True) -> str:
        """Press a button by its token, open or not."""
        return await self._post(who, "presses", {"token": token}, ok=ok)

    async def _post(self, who: str, what: str, body: dict[str, Any], *, ok: bool) -> str:
        seen = await self._last(who)
        answer = await self.http.post(f"/api/webchat/chats/{self.ids[who]}/{what}", json=body)
        assert answer.status_code == 202, answer.text
        await self.settle()
        heard = await self.heard(who, after=seen)
        said = "\n".join(m["text"] for m in heard)
        if ok:
            assert not {m["reply"] for m in heard} & _NOT_DONE, f"{who}: {body}: {said}"
        return said

    async def heard(self, who: str, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
        """Bubbles of the bot to a person, oldest first."""
        answer = await self.http.get(
            f"/api/webchat/chats/{self.ids[who]}/messages", params={"limit": limit, "after": after}
        )
        return [m for m in answer.json() if not m["mine"]]

    async def last(self, who: str) -> str:
        """The newest bubble of the bot to a person."""
        return str((await self.heard(who))[-1]["text"])

    async def file(self, shade: int = 0) -> str:
        """Upload a small picture; the id goes into ``files`` of a message."""
        picture = BytesIO()
        Image.new("RGB", (9, 9), (shade % 255, 0, 0)).save(picture, "PNG")
        answer = await self.http.post(
            "/api/webchat/files", files={"file": ("a.png", picture.getvalue(), "image/png")}
        )
        return str(answer.json()["id"])

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

    async def states(self, kind: str, /, **criteria: Any) -> list[str]:
        """States of stored entities, for what only the ledger shows."""
        async with self.parts.store.read() as work:
            return [str(one.state) for one in await getattr(work, kind).find(**criteria)]

    async def number(self, kind: str = "cases") -> str:
        """The number of the newest case or lead."""
        async with self.parts.store.read() as work:
            found = await getattr(work, kind).find(order="-id", limit=1)
        return str(found[0].number)

    async def all(self, kind: str, /, **criteria: Any) -> list[Any]:
        """Stored entities, for what only the ledger shows."""
        async with self.parts.store.read() as work:
            return list(await getattr(work, kind).find(**criteria))

    async def change(self, kind: str, *entities: Any) -> None:
        """Write rows of the directory, as an import does, and read it again."""
        async with self.parts.store.work() as work:
            for one in entities:
                await getattr(work, kind).save(one)
            await work.commit()
        await self.parts.reload_directory()

    async def replay(self) -> None:
        """Folding the event log gives every stored state (domain §7.7)."""
        async with self.parts.store.read() as work:
            events = await work.events()
            stored = {
                name: {one.id: str(one.state) for one in await getattr(work, repository).find()}
                for name, repository in STATEFUL.items()
            }
            deliveries = Counter(str(one.state) for one in await work.deliveries.find())
            imported = {one.id for one in await work.bulletins.find(kind="imported")}
        folded, chunks = fold(events)
        for name, states in stored.items():
            mine = folded.get(name, {})
            for one, state in states.items():
                if name == "bulletin" and one in imported and one not in mine:
                    continue
                assert mine.get(one) == state, f"{name} {one}: log {mine.get(one)}, row {state}"
            assert set(mine) <= set(states), f"{name}: in the log only {set(mine) - set(states)}"
        for state, count in chunks.items():
            if state != "pending":
                assert deliveries[state] == count, f"deliveries {state}: log {count}, {deliveries}"
        await self._clocks()
        FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)

    async def _clocks(self) -> None:
        """The log gives every clock as it is stored, and its facts give its times (domain §6)."""
        async with self.parts.store.read() as work:
            count, differing = await compare(work)
            stored = await work.deadlines.find()
            ctx = ticking.clock_context(self.parts.services, work)
        assert count == len(stored)
        assert not differing
        for one in stored:
            timed = clocks.timing(ctx, one)
            if timed is not None:
                assert (timed.due_at, timed.capped) == (one.due_at, one.capped), one
                assert tuple(at.isoformat() for at in timed.rungs) == one.rungs, one


def fold(events: Sequence[Event]) -> tuple[dict[str, dict[str, str]], Counter[str]]:
    """States by entity and id, and how many deliveries stand where."""
    folded: dict[str, dict[str, str]] = {}
    chunks: Counter[str] = Counter()
    for event in events:
        if event.entity == "feedback" and event.action == "forget":
            folded["feedback"].pop(event.entity_id)
        if event.entity == "delivery" and event.action == "forget":
            chunks[event.source] -= int(str(event.data["count"]))
        if not event.target:
            continue
        if event.entity == "delivery":
            count = int(str(event.data.get("count", 1)))
            chunks[event.source] -= count
            chunks[event.target] += count
            continue
        states = folded.setdefault(event.entity, {})
        before = states.get(event.entity_id, "")
        # An imported bulletin begins without an event.
        known = before == event.source or (event.entity == "bulletin" and not before)
        assert known, f"{event.entity} {event.action}: was {before}, event says {event.source}"
        states[event.entity_id] = event.target
    return folded, chunks


Story = Callable[[Play], Awaitable[object]]
_PREPARED: dict[str, Path] = {}


async def _prepared(after: Story | None, accounts: Sequence[str]) -> Path:
    """A folder with the sample, or with the beginning of a story; made once per process."""
    key = f"{after.__qualname__ if after else ''} {accounts}"
    if key not in _PREPARED:
        folder = Path(tempfile.mkdtemp(prefix="piyao-sample-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        if after is None:
            settings = load({"PIYAO_DATA": str(folder)})
            async with assemble(settings, clock=FakeClock(), durable=False) as parts:
                await _few_accounts(parts, accounts)
        else:
            shutil.copytree(await _prepared(None, accounts), folder, dirs_exist_ok=True)
            async with _opened(folder, None, {}) as play:
                await after(play)
        _PREPARED[key] = folder
    return _PREPARED[key]


async def _few_accounts(parts: Parts, accounts: Sequence[str]) -> None:
    async with parts.store.work() as work:
        for one in await work.accounts.find():
            if accounts and one.id not in accounts:
                await work.accounts.save(replace(one, ended=True))
        await work.commit()


@asynccontextmanager
async def _opened(
    folder: Path, channels: dict[str, Channel] | None, environment: dict[str, str]
) -> AsyncIterator[Play]:
    clock, links = FakeClock(), ToldLinks()
    settings = load({"PIYAO_DATA": str(folder), **environment})
    async with assemble(
        settings, clock=clock, links=links, durable=False, channels=channels
    ) as parts:
        transport = httpx.ASGITransport(app=demo_app(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            parts.pages.base = parts.pages.base or "http://127.0.0.1"
            yield Play(parts, clock, links, http)


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    after: Story | None = None,
    accounts: Sequence[str] = SMALL,
    channels: dict[str, Channel] | None = None,
    **environment: str,
) -> AsyncIterator[Play]:
    """A fresh sample district in a folder, with some of its accounts (() is all of them).

    ``after`` has been played already: a beginning that several stories share, in which no time
    passes.
    """
    if "DATABASE_URL" in environment:
        # A server of its own begins empty; the sample is loaded as on a first start.
        assert after is None
    else:
        shutil.copytree(await _prepared(after, accounts), folder, dirs_exist_ok=True)
    async with _opened(folder, channels, environment) as play:
        if "DATABASE_URL" in environment:
            await _few_accounts(play.parts, accounts)
            await play.parts.reload_directory()
        yield play
        await play.replay()
