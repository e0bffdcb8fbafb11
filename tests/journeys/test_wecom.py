"""The complete story through WeCom: application, bot, robot and a customer group together."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from matrix.core.delivery import DeliveryState
from tests.doubles.wecom_rig import without_proxy
from tests.journeys.play import FIRED
from tests.journeys.telegram_play import (
    FACT,
    LINK,
    RUMOR,
    broadcast,
    correction_signed,
    published,
)
from tests.journeys.wecom_play import GROUP, OWNER, USERS, WECHAT_GROUP, WecomChat, wecom_stage


@pytest.fixture
async def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WecomChat]:
    without_proxy(monkeypatch)
    async with wecom_stage(tmp_path) as chat:
        yield chat
        async with chat.parts.store.read() as work:
            events = await work.events()
        FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)


EVERY = {
    "message/send": 7, "message/update_template_card": 3, "externalcontact/add_msg_template": 2,
    "externalcontact/get_groupmsg_send_result": 2, "externalcontact/get_groupmsg_list_v2": 2,
}  # fmt: skip
"""Which call of an endpoint fails: every seventh message, every task for an owner."""
FAULTS: tuple[dict[str, Any], ...] = (
    {"drop": True, "after": True}, {"errcode": 42001}, {"status": 502, "after": True},
    {"errcode": -1}, {"garbage": "<html>", "after": True}, {"errcode": 45009}, {"status": 503},
)  # fmt: skip


async def whole_story(p: Any) -> None:
    """From two reports to a correction that reaches everyone, once."""
    number = await published(p)
    for reporter in ("王芳", "李敏"):
        assert p.told(reporter, FACT) == 1
    await broadcast(p)
    robot = p.api.robots["robot-key"]
    assert [FACT in text for text, _ in robot] == [True]
    (task,) = p.api.mass.values()
    assert (task.owner, task.chats) == (OWNER, (WECHAT_GROUP,))
    assert p.told("韩雪", f"转发任务 · {number}") == 1
    await p.say("韩雪", "https://weibo.com/1/2")
    p.api.confirm(OWNER)
    await p.tick(minutes=2)
    await p.tick(minutes=2)
    assert set(await p.states("tasks")) == {"verified"}
    assert await p.states("campaigns") == ["converged"]
    assert await p.states("cases") == ["closed"]
    assert "微信群 1/1 · 覆盖约 300 人" in await p.say("冯涛", "看板")

    await correction_signed(p, number)
    await p.say("冯涛", f"{LINK}2")
    await p.tick(minutes=16)
    for reporter in ("王芳", "李敏"):
        assert p.told(reporter, "更正：之前就线索") == 1
    await broadcast(p)
    original, successor = await p.all("campaigns")
    assert set(successor.accounts) >= set(original.accounts)
    assert ["共同出资" in text for text, _ in robot] == [False, True]
    assert len(p.api.mass) == 2
    p.api.confirm(OWNER)
    assert len(p.api.groups[WECHAT_GROUP].got) == 2


async def test_the_whole_story_through_wecom(chat: WecomChat) -> None:
    await whole_story(chat)
    assert not chat.api.dropped
    done = [one for one in chat.to("陈静") if one.edits]
    assert done, "the desk's card has changed after the press"
    assert all(not one.labels for one in done)


async def test_a_second_press_says_who_was_faster(chat: WecomChat) -> None:
    await chat.say("王芳", RUMOR)
    card = chat.card("陈静", "立案派单")
    await chat.api.press(card, "立案派单")
    await chat.rest()
    card.card.pop("replace_text", None)
    card.card = card.edits[0] if card.edits else card.card
    await chat.api.press(card, "立案派单")
    await chat.rest()
    assert len(await chat.all("cases")) == 1
    assert "陈静" in chat.last("陈静")


async def test_a_quoted_rumor_in_a_wecom_group(chat: WecomChat) -> None:
    channel: Any = chat.parts.channels["wecom"]
    async with asyncio.timeout(10):
        while channel.line.fault:
            await asyncio.sleep(0.01)
    number = await published(chat)
    before = len(await chat.all("inbox"))
    await chat.bot.say(USERS["王芳"], "@辟谣助手 又有人在传", GROUP, quote=RUMOR)
    await _stored(chat, before + 1)
    ((where, body),) = chat.bot.said
    assert where == GROUP
    lines = body["markdown"]["content"].strip().split("\n")
    assert len(lines) == 2, "one line and a link"
    assert lines[1].endswith(LINK)

    await chat.bot.say("stranger", "@辟谣助手", GROUP, quote="明天全区停水七天")
    await _stored(chat, before + 2)
    assert len(chat.bot.said) == 1, "silence about what is not certain"
    assert await chat.all("cases", number=number)


async def _stored(chat: WecomChat, count: int) -> None:
    async with asyncio.timeout(10):
        while len(await chat.all("inbox")) < count:
            await asyncio.sleep(0.01)
    await chat.rest()


async def test_the_whole_story_with_each_call_failing_in_turn(chat: WecomChat) -> None:
    """Each in another way, again and again; nobody is told anything twice."""
    kinds = cycle(FAULTS)
    calls = Counter[str]()

    def spoil(endpoint: str) -> dict[str, Any] | None:
        calls[endpoint] += 1
        return next(kinds) if calls[endpoint] % EVERY.get(endpoint, 10_000) == 0 else None

    chat.api.spoil = spoil
    await whole_story(chat)
    assert sum(not one.times for one in chat.api.faults) > 10, "what was scripted has happened"
    assert not await chat.all("deliveries", state=DeliveryState.IN_DOUBT)


TOO_LONG = "a" * 20_001
"""What is refused, in a text without buttons."""


@pytest.mark.parametrize("after", [True, False])
async def test_what_may_have_arrived_before_a_long_night_is_not_said_twice(
    chat: WecomChat, *, after: bool
) -> None:
    """WeCom forgets its keys in three hours: who comes back later leaves it to a person."""
    # The process stops before it tries again.
    chat.patient = False
    chat.api.fail("message/send", drop=True, after=after)
    await chat.say("王芳", TOO_LONG)
    (waiting,) = await chat.all("deliveries", state=DeliveryState.PENDING)
    assert waiting.unsure
    heard = len(chat.to("王芳"))

    await chat.tick(hours=4)
    assert len(chat.to("王芳")) == heard
    assert "待核投递 1 条" in await chat.say("陈静", "待核投递")
    assert [one.id for one in await chat.all("deliveries", state="in-doubt")] == [waiting.id]
    # The desk asks her, and does what fits.
    await chat.press("陈静", "doubt_arrived" if after else "doubt_resend")
    assert len(chat.to("王芳")) == heard + (not after)
    assert await chat.states("deliveries", id=waiting.id) == ["sent"]


async def test_what_surely_did_not_arrive_is_said_however_late(chat: WecomChat) -> None:
    chat.patient = False
    chat.api.fail("message/send", errcode=45009)
    await chat.say("王芳", TOO_LONG)
    heard = len(chat.to("王芳"))
    await chat.tick(hours=4)
    assert len(chat.to("王芳")) == heard + 1
    assert not await chat.all("deliveries", state="in-doubt")
