"""``piyao demo``: a whole story told in the terminal, as each role sees it, by the real code."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from bot.assembly import assemble
from bot.channel import Markup
from bot.conversation import rest, say
from bot.parts import Parts
from config.settings import load
from config.texts import load_texts

PLATFORM = "webchat"
Scene = tuple[str, str, str]


class StoryClock:
    """Monday 9 November 2026, 15:05 in Beijing; a minute passes with every scene."""

    def __init__(self) -> None:
        """The story's first instant."""
        self.at = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)

    def now(self) -> datetime:
        """The story's present."""
        return self.at


class StoryLinks:
    """Links of the story are not on the network; each shows what it should."""

    async def check(self, url: str, hosts: Sequence[str], expected: str) -> str:
        """Fine."""
        del url, hosts, expected
        return "ok"


def scenes() -> list[Scene]:
    """The story: (who, ``say``, ``press`` or ``wait``, what), from the catalogue."""
    told = load_texts()["demo"]["scenes"]
    return [tuple(one) for one in told] if isinstance(told, list) else []


async def tell(out: Console) -> None:
    """Tell it on a temporary database."""
    clock = StoryClock()
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"PIYAO_DATA": str(Path(folder))})
        async with assemble(settings, clock=clock, links=StoryLinks(), durable=False) as parts:
            teller = Teller(parts, out)
            for who, kind, what in scenes():
                clock.at += timedelta(minutes=int(what) if kind == "wait" else 1)
                if kind != "wait":
                    await teller.scene(who, kind, what)
                if kind != "press":
                    await parts.tick()
                    await rest(parts)
                if kind == "wait":
                    await teller.later(what)


class Teller:
    """Plays a scene and prints what was said to whom."""

    def __init__(self, parts: Parts, out: Console) -> None:
        """Nothing was said yet."""
        self._parts = parts
        self._out = out
        self._people = {p.name: p.id for p in parts.services.directory.people.values()}
        self._last = ""

    async def scene(self, who: str, kind: str, what: str) -> None:
        """Somebody says something or presses a button."""
        person = self._people[who]
        label = self._parts.presenter.text("button", what) if kind == "press" else what
        shown = f"〔{label}〕" if kind == "press" else label
        self._out.print(f"\n[bold]{who}[/bold] ▸ {shown}", markup=True)
        token = await self._token(person, what) if kind == "press" else ""
        await say(self._parts, PLATFORM, person, "" if token else what, token)
        await self._hear({person})

    async def later(self, minutes: str) -> None:
        """Nobody does anything; what fell due meanwhile is heard."""
        template = self._parts.presenter.text("demo", "later")
        self._out.print("\n" + template.replace("{minutes}", minutes), style="bold")
        await self._hear(set())

    async def _token(self, person: str, label: str) -> str:
        async with self._parts.store.read() as work:
            for button in await work.buttons.find(
                person=person, used_at=None, void="", order="-id"
            ):
                delivery = await work.deliveries.get(button.delivery)
                for choice in delivery.content.get("choices", []):  # type: ignore[attr-defined]
                    named = label in {choice["label"], choice["text"]}
                    if choice["token"] == button.id and named:
                        return button.id
            newest = await work.buttons.find(person=person, used_at=None, order="-created_at")
        return newest[0].id

    async def _hear(self, loud: set[str]) -> None:
        """Print the new messages: to who acted in full, to others who and how many."""
        now = self._parts.services.clock.now()
        names = {v: k for k, v in self._people.items()}
        others: dict[str, int] = {}
        async with self._parts.store.read() as work:
            fresh = await work.deliveries.find(id__gt=self._last, edits="", order="id")
        for one in fresh:
            self._last = one.id
            reply = str(one.content.get("reply", ""))
            if reply == "welcome":
                continue
            told = one.person in loud or reply.startswith("feedback")
            if told:
                text = self._parts.presenter.render(one.content, now, Markup.PLAIN)
                self._out.print(Panel(text, title=names.get(one.person, ""), title_align="left"))
            elif one.person in names:
                others[names[one.person]] = others.get(names[one.person], 0) + 1
        if others:
            listed = "、".join(list(others)[:6])
            template = self._parts.presenter.text("demo", "also_told")
            self._out.print(
                template.replace("{names}", listed).replace("{count}", str(len(others))),
                style="dim",
            )
