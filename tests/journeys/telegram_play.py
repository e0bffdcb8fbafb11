"""A stage on Telegram: the real client, a Bot API double, people of a town, a clock that stands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bot.administration import invite_person
from bot.assembly import assemble
from bot.parts import Parts
from config.settings import Settings, load
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore
from tests.doubles.bot_api import BotApi
from tests.doubles.bot_api_wire import Sent
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks
from tests.doubles.town import CHANNEL, ROLES, bring_town
from tests.journeys import chat

RUMOR = "听说金穗家园装路灯每户收费两百元，不交就停电"
FACT = "金穗家园路灯由区财政出资安装，不向住户收费。"
TITLE = "金穗家园路灯改造不收费"
LINK = "https://mp.weixin.qq.com/s/lamps"
GROUP = -2001
REVIEWERS = ("孙丽", "吴刚", "郑敏")
USERS = {name: 7001 + number for number, name in enumerate(ROLES)}


class Chat(chat.Chat):
    """People at their telephones. ``press`` and ``say`` come to rest before they return."""

    def __init__(self, api: BotApi, parts: Parts, clock: FakeClock) -> None:
        super().__init__(parts, clock)
        self.api = api

    async def arrived(self) -> None:
        await self.api.until(
            lambda: not self.api.updates or self.api.confirmed >= self.api.updates[-1]["update_id"]
        )

    async def say(self, who: str, text: str, **more: Any) -> str:
        """Somebody writes; returns what the bot said to them, all messages together."""
        seen = len(self.to(who))
        self.api.push_text(USERS[who], text, name=who, **more)
        await self.rest()
        return "\n".join(one.plain for one in self.to(who)[seen:])

    async def photo(self, who: str, shade: int, **more: Any) -> dict[str, Any]:
        picture = BytesIO()
        Image.new("RGB", (9, 9), (shade, 0, 0)).save(picture, "PNG")
        pushed = self.api.push_photo(USERS[who], picture.getvalue(), **more)
        await self.rest()
        return pushed

    async def press(self, who: str, key: str) -> str:
        """Press the newest button with this label of the catalogue, or shown as it is."""
        label = self.parts.presenter.text("button", key)
        seen = len(self.to(who))
        self.api.press(USERS[who], self.card(who, label), label)
        await self.rest()
        return "\n".join(one.plain for one in self.to(who)[seen:])

    def card(self, who: str, label: str) -> Sent:
        for one in reversed(self.to(who)):
            if label in sum(one.labels, []):
                return one
        raise AssertionError(f"{who} has no button {label}: {self.last(who)}")

    def to(self, who: str | int) -> list[Sent]:
        chat = USERS[who] if isinstance(who, str) else who
        return [one for one in self.api.messages if one.chat_id == chat]

    def last(self, who: str | int) -> str:
        return self.to(who)[-1].plain if self.to(who) else ""

    def told(self, who: str | int, words: str) -> int:
        return sum(words in one.plain for one in self.to(who))


def settings_for(api: BotApi, folder: Path) -> Settings:
    return load(
        {
            "PIYAO_DATA": str(folder), "PIYAO_TELEGRAM_TOKEN": api.token, "PIYAO_WEBCHAT": "off",
            "PIYAO_TELEGRAM_BASE_URL": api.url, "PIYAO_SECRET_KEY": "k" * 40,
        }
    )  # fmt: skip


async def invitations(settings: Settings) -> dict[str, str]:
    """The town, and a one-time code for each of its people from the command line."""
    await asyncio.to_thread(upgrade, settings.url)
    store = SqlStore(open_engine(settings.url))
    await bring_town(store)
    await store.engine.dispose()
    return {name: str(await invite_person(settings, name)) for name in ROLES}


@asynccontextmanager
async def receiving(api: BotApi, settings: Settings, clock: FakeClock) -> AsyncIterator[Chat]:
    made = assemble(settings, clock=clock, links=ToldLinks(), durable=False)
    async with made as parts:
        # Twenty messages a minute to one chat are too few for a story told in seconds.
        parts.sender._gates = {}
        task = asyncio.create_task(parts.channels["telegram"].run())
        try:
            yield Chat(api, parts, clock)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def filed(p: Chat) -> str:
    """Two reports of one rumor, the second after the desk has filed; the case's number."""
    said = await p.say("王芳", RUMOR, forwarded_from="陌生人")
    assert "收到，线索 1109-01" in said
    assert "王芳" not in p.last("陈静")
    await p.press("陈静", "lead_file")
    case = (await p.all("cases"))[0]
    assert case.owner == "cgj"
    assert case.number in await p.say("李敏", RUMOR, forwarded_from="另一个人")
    return str(case.number)


async def published(p: Chat) -> str:
    number = await filed(p)
    await concluded(p)
    return number


async def signed(p: Chat) -> None:
    """From the owner's acknowledgement to the third signature."""
    await p.press("范北辰", "assignment_acknowledge")
    await p.press("范北辰", "evidence_add")
    await p.say("范北辰", "路灯改造合同第三条")
    await p.press("范北辰", "public_yes")
    await p.press("范北辰", "case_conclude")
    await p.press("范北辰", "verdict_false")
    await p.say("范北辰", FACT)
    await p.press("范北辰", "draft_start")
    await p.press("范北辰", "edit_title")
    await p.say("范北辰", TITLE)
    await p.press("范北辰", "edit_why")
    await p.say("范北辰", "区城管局路灯改造合同写明费用由区财政承担。")
    await p.press("范北辰", "draft_submit")
    for reviewer in REVIEWERS:
        await p.press(reviewer, "review_pass")


async def concluded(p: Chat) -> None:
    """Until the rebuttal is published and the reporters are told."""
    await signed(p)
    await p.press("冯涛", "publish_link")
    await p.say("冯涛", LINK)
    await p.tick(minutes=15)


async def broadcast(p: Chat) -> str:
    await p.press("冯涛", "campaign_start")
    return await p.press("冯涛", "confirm")


async def correction_signed(p: Chat, number: str) -> None:
    """A correction, written and signed, for which the publisher is about to fill in the link."""
    await p.say("冯涛", "待发布")
    await p.press("冯涛", number)
    await p.press("冯涛", "bulletin_correct")
    await p.say("冯涛", "由区财政和物业共同出资。")
    await p.press("范北辰", "draft_take")
    await p.press("范北辰", "edit_fact")
    await p.say("范北辰", "金穗家园路灯由区财政和物业共同出资，不向住户收费。")
    await p.press("范北辰", "draft_submit")
    for reviewer in REVIEWERS:
        await p.press(reviewer, "review_pass")
    await p.press("冯涛", "publish_link")


async def corrected(p: Chat, number: str) -> None:
    """The correction reaches everyone whom the original reached, once."""
    await correction_signed(p, number)
    await p.say("冯涛", f"{LINK}2")
    await p.tick(minutes=15)
    for reporter in ("王芳", "李敏"):
        assert p.told(reporter, "更正：之前就线索") == 1
        assert "共同出资" in p.last(reporter)
    await broadcast(p)
    original, successor = await p.all("campaigns")
    assert set(successor.accounts) >= set(original.accounts)
    assert "共同出资" in p.last(CHANNEL)
    assert len(p.to(CHANNEL)) == 2
    assert p.told("韩雪", f"转发任务 · {number}") == 2
    assert await p.states("bulletins", kind="first") == ["corrected"]
