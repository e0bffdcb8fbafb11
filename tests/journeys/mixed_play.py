"""A stage on two platforms: supervisors on the official account, owners on WeCom, operators half and half."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.assembly import assemble
from bot.parts import Parts
from config.settings import Settings, load
from matrix.core.delivery import DeliveryState
from storage.engine import open_engine
from storage.unit_of_work import SqlStore
from tests.doubles.clock import FakeClock
from tests.doubles.links import ToldLinks
from tests.doubles.official_account import OfficialAccountServer
from tests.doubles.wecom_bot import WeComBot
from tests.doubles.wecom_server import WeCom
from tests.journeys import official_play, wecom_play
from tests.journeys.chat import Chat
from tests.journeys.telegram_play import invitations

ON_OFFICIAL = frozenset({"王芳", "李敏", "韩雪"})


class MixedChat(Chat):
    """Whoever is named writes where they are bound."""

    patient = True

    def __init__(self, official: official_play.Chat, wecom: wecom_play.WecomChat) -> None:
        super().__init__(official.parts, official.clock)
        self.official, self.wecom = official, wecom
        official.patient = True

    def of(self, who: str) -> Any:
        return self.official if who in ON_OFFICIAL else self.wecom

    async def say(self, who: str, text: str, **more: Any) -> str:
        return str(await self.of(who).say(who, text, **more))

    async def press(self, who: str, key: str) -> str:
        return str(await self.of(who).press(who, key))

    async def photo(self, who: str, shade: int) -> None:
        await self.of(who).photo(who, shade)

    def to(self, who: str) -> list[Any]:
        return list(self.of(who).to(who))

    def last(self, who: str) -> str:
        return str(self.of(who).last(who))

    def told(self, who: str, words: str) -> int:
        return int(self.of(who).told(who, words))

    async def settle(self) -> int:
        """待核投递: the desk looks whether each has arrived, and says so or sends it again."""
        count = 0
        while await self._doubts():
            await self.say("陈静", "待核投递")
            token = self.wecom.card("陈静", "已送到").keys["已送到"]
            (button,) = await self.all("buttons", id=token)
            (one,) = await self.all("deliveries", id=button.subject)
            there = self._arrived(one)
            await self.press("陈静", "doubt_arrived" if there else "doubt_resend")
            count += 1
        return count

    async def _doubts(self) -> list[Any]:
        found = await self.all("deliveries", state=DeliveryState.IN_DOUBT)
        return [one for one in found if one.purpose]

    def _arrived(self, one: Any) -> bool:
        limits = self.parts.channels[one.platform].limits
        text = self.parts.presenter.outgoing(one, self.clock.now(), limits)[0].text
        names = {person.id: person.name for person in self.parts.services.directory.people.values()}
        if one.person:
            return any(text in said.text for said in self.to(names[one.person]))
        assert one.platform == "wecom_robot"
        return any(text in posted for posted, _ in self.wecom.api.robots["robot-key"])


def environment(official: OfficialAccountServer, api: WeCom, bot: WeComBot) -> dict[str, str]:
    return {
        "PIYAO_WEBCHAT": "off", "PIYAO_SECRET_KEY": "k" * 40,
        **official_play.environment(official), **wecom_play.environment(api, bot),
    }  # fmt: skip


async def _accounts(url: str) -> None:
    """Posts of the account itself, a robot's group and a WeChat group beside the operators' two."""
    store = SqlStore(open_engine(url))
    async with store.work() as work:
        direct, group = await work.accounts.get("a3"), await work.accounts.get("a4")
        own = replace(direct, platform="wechat_official", address=official_play.NAME)
        await work.accounts.save(own)
        await work.accounts.add(
            replace(
                direct, id="a5", name="网格员企微群", platform="wecom_robot",
                address=wecom_play.ROBOT,
            )
        )  # fmt: skip
        await work.accounts.add(
            replace(
                group, id="a6", name="北塘业主群", platform="wecom_group", capability="direct",
                address=wecom_play.WECHAT_GROUP, owner=wecom_play.OWNER, group_size=300,
            )
        )  # fmt: skip
        await work.commit()
    await store.engine.dispose()


@dataclass(kw_only=True)
class Servers:
    """Both platforms' doubles, and what the product is told of them."""

    official: OfficialAccountServer
    api: WeCom
    bot: WeComBot
    settings: Settings
    codes: dict[str, str]
    """An invitation for everybody."""


@asynccontextmanager
async def servers(folder: Path, clock: FakeClock) -> AsyncIterator[Servers]:
    """The small town in a database, nobody bound yet."""
    clock_file = folder / "clock"
    clock_file.write_text(clock.now().isoformat())
    async with (
        OfficialAccountServer() as official,
        WeCom(clock=lambda: clock.now().timestamp()) as api,
        WeComBot() as bot,
    ):
        wecom_play.inhabited(api)
        settings = load({"PIYAO_DATA": str(folder), **environment(official, api, bot)})
        codes = await invitations(settings.model_copy(update={"test_clock": str(clock_file)}))
        await _accounts(settings.url)
        yield Servers(official=official, api=api, bot=bot, settings=settings, codes=codes)


@asynccontextmanager
async def talking(doubles: Servers, clock: FakeClock) -> AsyncIterator[MixedChat]:
    """The product in this process; everybody is bound by invitation where they are."""
    made = assemble(doubles.settings, clock=clock, links=ToldLinks(), durable=False)
    async with made as parts:
        parts.sender._gates = {}
        async with _talking(doubles.official, doubles.api, doubles.bot, parts, clock) as chat:
            for name, code in doubles.codes.items():
                assert name in await chat.say(name, code)
            yield chat


@asynccontextmanager
async def mixed_stage(folder: Path) -> AsyncIterator[MixedChat]:
    """The small town on both platforms, in one process."""
    clock = FakeClock()
    async with servers(folder, clock) as doubles, talking(doubles, clock) as chat:
        yield chat


@asynccontextmanager
async def _talking(
    official: OfficialAccountServer, api: WeCom, bot: WeComBot, parts: Parts, clock: FakeClock
) -> AsyncIterator[MixedChat]:
    line = asyncio.create_task(parts.channels["wecom"].run())
    wecom = wecom_play.WecomChat(api, bot, parts, clock)
    chat = MixedChat(official_play.Chat(official, parts, clock), wecom)
    chat.official.channel._patience = 60.0
    try:
        yield chat
    finally:
        line.cancel()
        await asyncio.gather(line, return_exceptions=True)
        await wecom.close()
