"""A stage on an official account: signed callbacks in, replies and customer-service messages out."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bot.assembly import assemble
from bot.parts import Parts
from bot.platforms.wechat_official.channel import OfficialChannel
from config.settings import Settings, load
from storage.engine import open_engine
from storage.unit_of_work import SqlStore
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks
from tests.doubles.official_account import (
    AES_KEY,
    APP_ID,
    SECRET,
    TOKEN,
    OfficialAccountServer,
    Said,
    directly_to,
)
from tests.doubles.town import CHANNEL, ROLES
from tests.journeys import chat

NAME = "jiangbei"
USERS = {name: f"o{number:027d}" for number, name in enumerate(ROLES, 1)}
_CHOICE = re.compile(r"^(\d{1,2})\. (.+)$", re.MULTILINE)


class Chat(chat.Chat):
    """People at their telephones. ``press`` and ``say`` come to rest before they return."""

    def __init__(self, api: OfficialAccountServer, parts: Parts, clock: FakeClock) -> None:
        super().__init__(parts, clock)
        self.api = api
        channel = parts.channels[f"wechat_official@{NAME}"]
        assert isinstance(channel, OfficialChannel)
        self.channel = channel
        api.hook = directly_to(channel)
        api.wall = lambda: clock.now().timestamp()

    async def push(self, fields: dict[str, Any]) -> str:
        """One try of a message; the product's loops are stepped while its request waits."""
        waiting = asyncio.create_task(self.api.deliver(fields))
        while not waiting.done():
            await self.stepped()
            await asyncio.wait([waiting], timeout=0.01)
        await self.rest()
        return waiting.result()

    async def _pushed(self, who: str, fields: dict[str, Any]) -> str:
        seen = len(self.to(who))
        await self.push(fields)
        return "\n".join(one.text for one in self.to(who)[seen:])

    async def say(self, who: str, text: str, *, forwarded_from: str = "") -> str:
        """Somebody writes; what the account said to them, all messages together."""
        del forwarded_from
        return await self._pushed(who, self.api.message(USERS[who], "text", Content=text))

    async def photo(self, who: str, shade: int) -> str:
        picture = BytesIO()
        Image.new("RGB", (9, 9), (shade, 0, 0)).save(picture, "PNG")
        media = self.api.picture(picture.getvalue(), "image/png")
        shown = {"PicUrl": "http://mmbiz.qpic.cn/x", "MediaId": media}
        return await self._pushed(who, self.api.message(USERS[who], "image", **shown))

    async def event(self, who: str, event: str, **fields: Any) -> str:
        return await self._pushed(who, self.api.event(USERS[who], event, **fields))

    async def press(self, who: str, key: str) -> str:
        """Type the number of the newest choice with this label, or shown as it is."""
        return await self.say(who, self.number(who, key))

    def number(self, who: str, key: str) -> str:
        label = re.sub(r" ?\{text\}", "", self.parts.presenter.text("button", key))
        for one in reversed(self.to(who)):
            for number, shown in reversed(_CHOICE.findall(one.text)):
                if shown == label:
                    return str(number)
        raise AssertionError(f"{who} has no choice {label}: {self.last(who)}")

    def to(self, who: str) -> list[Said]:
        return self.api.to(USERS[who])

    def last(self, who: str) -> str:
        return self.to(who)[-1].text if self.to(who) else ""

    def told(self, who: str, words: str) -> int:
        return sum(one.text.count(words) for one in self.to(who))

    async def tick(self, **span: float) -> None:
        self.api.forward(sum(_SECONDS[unit] * count for unit, count in span.items()))
        await super().tick(**span)


_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


def account(**more: Any) -> dict[str, Any]:
    return {
        "name": NAME, "app_id": APP_ID, "secret": SECRET, "token": TOKEN, "aes_key": AES_KEY,
        "verified": True, "post": "publish", "cover": "cover-1", **more,
    }  # fmt: skip


def environment(api: OfficialAccountServer, **more: Any) -> dict[str, str]:
    return {
        "PIYAO_WECHAT_ACCOUNTS": json.dumps([account(**more)]),
        "PIYAO_WECHAT_BASE_URL": api.url,
    }  # fmt: skip


def settings_for(api: OfficialAccountServer, folder: Path, **more: Any) -> Settings:
    own = {"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off", "PIYAO_SECRET_KEY": "k" * 40}
    return load({**own, **environment(api, **more)})


async def post_through_it(settings: Settings) -> None:
    """The town's direct account is this official account."""
    store = SqlStore(open_engine(settings.url))
    async with store.work() as work:
        (one,) = await work.accounts.find(address=str(CHANNEL))
        await work.accounts.save(replace(one, platform="wechat_official", address=NAME))
        await work.commit()
    await store.engine.dispose()


@asynccontextmanager
async def receiving(
    api: OfficialAccountServer, settings: Settings, clock: FakeClock
) -> AsyncIterator[Chat]:
    async with assemble(settings, clock=clock, links=ToldLinks(), durable=False) as parts:
        # Pacing waits in real seconds, which no story waits for: its own tests hold it.
        parts.sender._gates.clear()
        yield Chat(api, parts, clock)
