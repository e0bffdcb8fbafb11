"""A stage on WeCom: the real client, server doubles, callbacks through the product's own route."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from bot.assembly import assemble
from bot.parts import Parts
from bot.web.app import public_app
from config.settings import Settings, load
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks
from tests.doubles.town import ROLES
from tests.doubles.wecom_bot import WeComBot
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import Member, Sent
from tests.journeys.chat import Chat
from tests.journeys.telegram_play import invitations

USERS = {name: f"u{number}" for number, name in enumerate(ROLES, 1)}
ROBOT, OWNER, WECHAT_GROUP = "网格群", "qunzhu", "wr-lamps"
GROUP = "wr-inside"


class WecomChat(Chat):
    """People at their telephones. ``press`` and ``say`` come to rest before they return."""

    patient = True

    def __init__(self, api: WeCom, bot: WeComBot, parts: Parts, clock: FakeClock) -> None:
        super().__init__(parts, clock)
        self.api, self.bot = api, bot
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=public_app(parts)), base_url="http://127.0.0.1"
        )
        self._photos = itertools.count(1)
        api.deliver = self._deliver

    async def _deliver(self, query: dict[str, str], body: bytes) -> int:
        answer = await self._http.post("/hooks/wecom", params=query, content=body)
        return answer.status_code

    async def close(self) -> None:
        await self._http.aclose()

    async def say(self, who: str, text: str, **more: Any) -> str:
        """Somebody writes; returns what they were told, all messages together."""
        del more
        seen = len(self.to(who))
        await self.api.say(USERS[who], text)
        await self.rest()
        return "\n".join(one.text for one in self.to(who)[seen:])

    async def photo(self, who: str, shade: int = 1) -> None:
        del shade
        from io import BytesIO

        from PIL import Image

        picture = BytesIO()
        Image.new("RGB", (9, 9), (next(self._photos), 0, 0)).save(picture, "PNG")
        await self.api.picture(USERS[who], picture.getvalue())
        await self.rest()

    async def press(self, who: str, key: str) -> str:
        """Press the newest button with this label of the catalogue, or shown as it is."""
        label = self.parts.presenter.text("button", key)
        seen = len(self.to(who))
        await self.api.press(self.card(who, label), label)
        await self.rest()
        return "\n".join(one.text for one in self.to(who)[seen:])

    def card(self, who: str, label: str) -> Sent:
        for one in reversed(self.to(who)):
            if label in one.labels:
                return one
        raise AssertionError(f"{who} has no button {label}: {self.last(who)}")

    def to(self, who: str) -> list[Sent]:
        return self.api.to(USERS[who])

    def last(self, who: str) -> str:
        """The newest message, with the text that goes before a card."""
        texts = [one.text for one in self.to(who)[-2:]]
        return "\n".join(texts)

    def told(self, who: str, words: str) -> int:
        """How often; a text and the card that belongs to it are one message."""
        count, before = 0, ""
        for one in self.to(who):
            belongs = one.kind == "template_card" and before.startswith(one.text[:30].rstrip("…"))
            count += words in one.text and not belongs
            before = one.text if one.kind == "text" else ""
        return count


def environment(api: WeCom, bot: WeComBot) -> dict[str, str]:
    return {
        "PIYAO_WECOM_CORP_ID": api.corp, "PIYAO_WECOM_AGENT_ID": api.agent,
        "PIYAO_WECOM_SECRET": api.secret, "PIYAO_WECOM_TOKEN": api.token,
        "PIYAO_WECOM_AES_KEY": api.aes_key, "PIYAO_WECOM_BASE_URL": api.url,
        "PIYAO_WECOM_BOT_ID": bot.bot, "PIYAO_WECOM_BOT_SECRET": bot.secret,
        "PIYAO_WECOM_BOT_URL": bot.url, "PIYAO_WECOM_ROBOTS": f"{ROBOT}=robot-key",
    }  # fmt: skip


def settings_for(api: WeCom, bot: WeComBot, folder: Path) -> Settings:
    own = {"PIYAO_DATA": str(folder), "PIYAO_WEBCHAT": "off", "PIYAO_SECRET_KEY": "k" * 40}
    return load({**own, **environment(api, bot)})


def inhabited(api: WeCom) -> None:
    """The people of the town, the owner of a WeChat group, a robot's group."""
    api.add(*(Member(userid=user, name=name) for name, user in USERS.items()))
    api.add(Member(userid=OWNER, name="群主"))
    api.add_group(WECHAT_GROUP, OWNER)
    api.robots["robot-key"] = []
    # A story told in seconds is more than one member may get in a minute.
    api.hurried = True


@asynccontextmanager
async def wecom_stage(folder: Path) -> AsyncIterator[WecomChat]:
    """The small town, everybody bound by invitation, a robot's group and a WeChat group."""
    clock = FakeClock()
    clock_file = folder / "clock"
    clock_file.write_text(clock.now().isoformat())
    async with WeCom(clock=lambda: clock.now().timestamp()) as api, WeComBot() as bot:
        inhabited(api)
        settings = settings_for(api, bot, folder)
        codes = await invitations(settings.model_copy(update={"test_clock": str(clock_file)}))
        made = assemble(settings, clock=clock, links=ToldLinks(), durable=False)
        async with made as parts:
            await _accounts(parts)
            parts.sender._gates = {}
            line = asyncio.create_task(parts.channels["wecom"].run())
            chat = WecomChat(api, bot, parts, clock)
            try:
                for name, code in codes.items():
                    assert name in await chat.say(name, code)
                yield chat
            finally:
                line.cancel()
                await asyncio.gather(line, return_exceptions=True)
                await chat.close()


async def _accounts(parts: Parts) -> None:
    async with parts.store.work() as work:
        for one in await work.accounts.find():
            if one.id == "a3":
                await work.accounts.save(replace(one, platform="wecom_robot", address=ROBOT))
            if one.id == "a4":
                await work.accounts.save(
                    replace(
                        one, platform="wecom_group", capability="direct", address=WECHAT_GROUP,
                        owner=OWNER, group_size=300,
                    )
                )  # fmt: skip
        await work.commit()
    await parts.reload_directory()
