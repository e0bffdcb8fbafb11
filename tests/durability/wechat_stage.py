"""The real process between two WeChat doubles that hold back answers, killed and started again."""

import asyncio
import itertools
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp

from bot.parts import Parts
from bot.platforms.wechat_official.limits import LIMITS as OFFICIAL
from bot.platforms.wecom.limits import LIMITS as WECOM
from bot.platforms.wecom_robot.limits import LIMITS as ROBOT
from bot.presenter import Presenter
from config.texts import load_texts
from matrix.core.conversation import InboxState
from storage.engine import open_engine
from storage.unit_of_work import SqlStore
from tests.doubles.processes import PATIENCE, Process, running
from tests.doubles.wechat_wire import WechatWire
from tests.doubles.wecom_world import card_text
from tests.journeys import chat, official_play, wecom_play
from tests.journeys.far import FileClock
from tests.journeys.mixed_play import (
    ON_OFFICIAL,
    MixedChat,
    Servers,
    environment,
    servers,
    talking,
)

SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
CUSTOM, WORK = "message/custom/send", "message/send"
_LOOK = 0.05


class Product:
    """``python -m bot run``, again after each kill, and the line on which platforms call it."""

    def __init__(self, folder: Path, told: dict[str, str], http: aiohttp.ClientSession) -> None:
        self.folder, self.told, self.http = folder, told, http
        self.kills = 0
        self.doomed = False
        """What it answers from now on is lost with the line."""
        self.heard: set[bytes] = set()
        self.repeats = 0
        self._life = AsyncExitStack()
        self._next_life = asyncio.Event()
        self.process: Process

    async def start(self) -> None:
        (self.process,) = await self._life.enter_async_context(
            running(self.folder, [""], self.told)
        )
        self.doomed = False
        self._next_life.set()
        self._next_life = asyncio.Event()

    async def kill(self) -> None:
        self.kills += 1
        assert await self.process.stop(signal.SIGKILL) == -signal.SIGKILL
        await self._life.aclose()

    async def end(self) -> None:
        await self._life.aclose()

    def line(self, channel: str) -> Callable[[dict[str, str], bytes], Awaitable[tuple[int, str]]]:
        """A platform's: what is not answered it sends once more to whoever comes after."""

        async def called(query: dict[str, str], body: bytes) -> tuple[int, str]:
            self.heard.add(body)
            while True:
                next_life = self._next_life
                try:
                    async with self.http.post(
                        f"{self.process.address}/hooks/{channel}", params=query, data=body
                    ) as answer:
                        said = answer.status, await answer.text()
                    if not self.doomed:
                        return said
                except aiohttp.ClientError:
                    assert self.doomed, self.process.log.read_text(errors="replace")[-2000:]
                await next_life.wait()
                self.repeats += 1

        return called


class Far(chat.Chat):
    """Comes to rest when the process has nothing left to do; what it put off falls due."""

    async def rest(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while (moving := await self._moving()) or await self._put_off():
                if not moving:
                    self.clock.forward(seconds=20)
                await asyncio.sleep(_LOOK if moving else 0.2)
        assert not await self.all("inbox", attempts__gt=0)

    async def _moving(self) -> bool:
        async with self.parts.store.read() as work:
            return bool(
                await work.inbox.count(state=InboxState.STORED)
                or await work.deliveries.count(state="sending")
                or await work.deliveries.count(state="pending", not_before=None)
                or await work.deliveries.count(state="pending", not_before__lte=self.clock.now())
            )


class Official(Far, official_play.Chat):
    """Followers whose messages go over the line."""

    def __init__(self, doubles: Servers, parts: Parts, clock: FileClock, product: Product) -> None:
        Far.__init__(self, parts, clock)
        self.api = doubles.official
        self.api.hook = product.line(f"wechat_official@{official_play.NAME}")

    async def push(self, fields: dict[str, Any]) -> str:
        said = await self.api.deliver(fields)
        await self.rest()
        return said


class Wecom(Far, wecom_play.WecomChat):
    """Members whose messages and presses go over the line."""

    def __init__(self, doubles: Servers, parts: Parts, clock: FileClock, product: Product) -> None:
        Far.__init__(self, parts, clock)
        self.api, self.bot = doubles.api, doubles.bot
        self._photos = itertools.count(1)
        call = product.line("wecom")

        async def deliver(query: dict[str, str], body: bytes) -> int:
            status, _ = await call(query, body)
            assert status == 200
            return status

        self.api.deliver = deliver


class Stage(Far, MixedChat):
    """Everybody; the process dies at drawn steps and where it is aimed at."""

    def __init__(
        self, official: Official, wecom: Wecom, product: Product, steps: int, drawn: int
    ) -> None:
        """``drawn`` of so many steps are hit."""
        MixedChat.__init__(self, official, wecom)
        self.product = product
        self.draw = random.Random(SEED)
        self.steps = 0
        self.kill_at = set(self.draw.sample(range(1, steps + 1), drawn))
        self.settling = False
        self.in_doubt = 0
        self.words: dict[str, str] = {}
        """By which the desk knows whether somebody has it, for the ``nth`` time."""
        self.nth = 1

    async def say(self, who: str, text: str, **more: Any) -> str:
        return str(await self._step(super().say(who, text, **more)))

    async def press(self, who: str, key: str) -> str:
        return str(await self._step(super().press(who, key)))

    async def photo(self, who: str, shade: int) -> None:
        await self._step(super().photo(who, shade))

    async def settle(self) -> int:
        self.settling = True
        settled = await super().settle()
        self.settling = False
        return settled

    async def _step(self, doing: Coroutine[Any, Any, Any]) -> Any:
        if self.settling:
            return await doing
        self.steps += 1
        return await (self.hit(doing) if self.steps in self.kill_at else doing)

    async def hit(
        self, doing: Coroutine[Any, Any, Any], *held: tuple[WechatWire, str, dict[str, Any]]
    ) -> Any:
        """Kill in the midst of something, or when every held call is at the double; start again."""
        seen = {id(api): len(api.calls) for api, _, _ in held}
        self.product.doomed = True
        task = asyncio.create_task(doing)
        if not held:
            await asyncio.sleep(self.draw.uniform(0, 0.3))
        async with asyncio.timeout(PATIENCE):
            for api, endpoint, body in held:
                while not any(
                    one.endpoint == endpoint and body.items() <= one.body.items()
                    for one in api.calls[seen[id(api)] :]
                ):
                    assert not task.done(), task
                    await asyncio.sleep(_LOOK)
        await self.product.kill()
        await self.product.start()
        return await task

    def hold(self, who: str, *, arrives: bool) -> tuple[WechatWire, str, dict[str, Any]]:
        """The next message to somebody gets no answer; it has arrived, or it never does."""
        api: WechatWire = self.of(who).api
        endpoint, body = CUSTOM, {"touser": official_play.USERS[who]}
        if who not in ON_OFFICIAL:
            endpoint, body = WORK, {"touser": wecom_play.USERS[who], "msgtype": "template_card"}
        fate = {"after": True} if arrives else {"drop": True}
        api.fail(endpoint, body=body, delay=600, **fate)
        return api, endpoint, body

    def cards(self, who: str, words: str) -> int:
        """How many cards somebody ever got that said so."""
        first = [one.edits[0] if one.edits else one.card for one in self.wecom.to(who)]
        return sum(words in card_text(one) for one in first)

    def _name(self, person: str) -> str:
        return self.parts.services.directory.people[person].name if person else ""

    def _arrived(self, one: Any) -> bool:
        who = self._name(one.person)
        if who in self.words:
            return self.count(who, self.words[who]) == self.nth
        return super()._arrived(one)

    async def once(self, told: dict[str, str], fates: dict[str, bool], nth: int = 1) -> None:
        """Nobody was told once too often, what is missing is in doubt; the desk settles the rest.

        ``told`` are the words, which somebody was told before where this is the ``nth`` time.
        """
        self.words, self.nth = told, nth
        doubts = {self._name(one.person) for one in await self._doubts()}
        for who, words in told.items():
            count = self.count(who, words)
            assert count <= nth, f"seed {SEED}: {who} was told {count} times"
            assert count == nth or who in doubts, f"seed {SEED}: {who} misses it, and nobody knows"
        official = {who for who in fates if who in ON_OFFICIAL}
        assert doubts >= official, f"seed {SEED}: {doubts}"
        for who in official:
            assert self.count(who, told[who]) == nth - 1 + fates[who], f"seed {SEED}: {who}"
        self.in_doubt += await self.settle()
        for who, words in told.items():
            assert self.count(who, words) == nth, f"seed {SEED}: {who}"

    def count(self, who: str, words: str) -> int:
        """How often somebody was told; on WeCom a text goes before a card that cannot hold it."""
        if who in ON_OFFICIAL:
            return self.told(who, words)
        texts = sum(words in one.text for one in self.wecom.to(who) if one.kind == "text")
        return max(texts, self.cards(who, words))


@asynccontextmanager
async def stage(
    folder: Path, begin: Callable[[MixedChat], Awaitable[None]], *, steps: int, drawn: int
) -> AsyncIterator[Stage]:
    """A story has begun in this process; the product goes on with it in one of its own."""
    clock = FileClock(file=folder / "clock")
    async with servers(folder, clock) as doubles, aiohttp.ClientSession() as http:
        async with talking(doubles, clock) as near:
            await begin(near)
            people = dict(near.parts.services.directory.people)
        store = SqlStore(open_engine(doubles.settings.url))
        seen = SimpleNamespace(
            store=store, presenter=Presenter(texts=load_texts()),
            services=SimpleNamespace(directory=SimpleNamespace(people=people)),
            channels={
                f"wechat_official@{official_play.NAME}": SimpleNamespace(limits=OFFICIAL),
                "wecom": SimpleNamespace(limits=WECOM),
                "wecom_robot": SimpleNamespace(limits=ROBOT),
            },
        )  # fmt: skip
        told = {
            **environment(doubles.official, doubles.api, doubles.bot), "PIYAO_FAST": "on",
            "PIYAO_FEEDBACK_MINUTES": "0", "PIYAO_TEST_CLOCK": str(clock.file),
        }  # fmt: skip
        product = Product(folder, told, http)
        parts = cast("Parts", seen)
        await product.start()
        try:
            yield Stage(
                Official(doubles, parts, clock, product),
                Wecom(doubles, parts, clock, product),
                product,
                steps,
                drawn,
            )
        finally:
            await product.end()
            await store.engine.dispose()
