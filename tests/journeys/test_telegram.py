"""The complete story through Telegram: the real client against a Bot API double."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.administration import invite_person
from bot.assembly import assemble
from bot.beginning import StartRefusedError
from config.settings import load
from matrix.core.conversation import InboxState
from matrix.core.delivery import DeliveryState, Lane
from tests.doubles.clock import FakeClock
from tests.doubles.telegram_rig import directly
from tests.doubles.town import CHANNEL
from tests.journeys.play import FIRED
from tests.journeys.telegram_play import (
    FACT,
    GROUP,
    LINK,
    RUMOR,
    TITLE,
    USERS,
    Chat,
    broadcast,
    concluded,
    corrected,
    filed,
    invitations,
    published,
    receiving,
    settings_for,
)


@pytest.fixture
async def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    clock_file = tmp_path / "clock"
    clock = FakeClock()
    clock_file.write_text(clock.now().isoformat())
    async with directly(monkeypatch) as api:
        settings = settings_for(api, tmp_path)
        codes = await invitations(settings.model_copy(update={"test_clock": str(clock_file)}))
        async with receiving(api, settings, clock) as chat:
            for name, code in codes.items():
                assert name in await chat.say(name, f"/start {code}")
            yield chat
            async with chat.parts.store.read() as work:
                events = await work.events()
            FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)


_QUIET = 5
"""Looks in a row that must find nothing to do."""


class LiveChat(Chat):
    """The product's own loops move everything; nothing is stepped by hand."""

    async def rest(self) -> None:
        last = self.api.updates[-1]["update_id"] if self.api.updates else 0
        await self.api.until(lambda: self.api.confirmed >= last)
        queue: Any = self.parts.queue
        quiet = 0
        async with asyncio.timeout(30):
            # What one loop has finished the next may not have taken up yet: quiet must last.
            while quiet < _QUIET:
                busy = queue.waiting or await self._under_way()
                quiet = 0 if busy else quiet + 1
                await queue.drain(self.parts.broadcaster.run)
                await asyncio.sleep(0.01)
        assert not await self.all("inbox", attempts__gt=0)

    async def _under_way(self) -> bool:
        """What is stored and not processed, due and not sent, sent and not written down."""
        now = self.clock.now()
        async with self.parts.store.read() as work:
            waiting = await work.deliveries.find(
                state=DeliveryState.PENDING, lane=Lane.CONVERSATION
            )
            due = [one for one in waiting if one.not_before is None or one.not_before <= now]
            sending = await work.deliveries.count(state=DeliveryState.SENDING)
            return bool(due or sending or await work.inbox.count(state=InboxState.STORED))


@asynccontextmanager
async def live(chat: Chat) -> AsyncIterator[LiveChat]:
    loops = [asyncio.create_task(one.run()) for one in (chat.parts.dispatcher, chat.parts.sender)]
    try:
        yield LiveChat(chat.api, chat.parts, chat.clock)
        assert not any(one.done() for one in loops)
    finally:
        for one in loops:
            one.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def test_the_whole_story_through_telegram(chat: Chat) -> None:
    await _whole_story(chat)


async def test_the_whole_story_by_the_loops_that_serve_runs(chat: Chat) -> None:
    async with live(chat) as p:
        await _whole_story(p)


async def _whole_story(p: Chat) -> None:
    number = await published(p)
    assert p.told("王芳", FACT) == 1
    assert p.told("李敏", FACT) == 1
    assert "第一个报告" in p.last("王芳")
    assert p.told(CHANNEL, FACT) == 0

    await broadcast(p)
    assert p.told(CHANNEL, FACT) == 1
    assert p.told("韩雪", f"转发任务 · {number}") == 1
    await p.say("韩雪", "https://weibo.com/1/2")
    await p.photo("邬沐阳", 1)
    await p.tick(minutes=1)
    await p.press("冯涛", "task_verify")
    assert set(await p.states("tasks")) == {"verified"}
    assert await p.states("campaigns") == ["converged"]
    assert await p.states("cases") == ["closed"]
    direct = next(one for one in await p.all("tasks") if one.account == "a3")
    assert direct.url == p.to(CHANNEL)[0].remote

    await corrected(p, number)


async def test_an_invitation_binds_one_account_once(chat: Chat) -> None:
    async with chat.parts.store.read() as work:
        bound = await work.identities.find(platform="telegram", revoked_at=None)
    assert {one.external for one in bound} == {str(user) for user in USERS.values()}
    code = await invite_person(
        chat.parts.settings.model_copy(
            update={"test_clock": str(chat.parts.settings.data / "clock")}
        ),
        "王芳",
    )
    chat.api.push_text(9001, f"/start {code}")
    await chat.rest()
    assert "王芳" in chat.last(9001)
    chat.api.push_text(9002, f"/start {code}")
    await chat.rest()
    assert "用过" in chat.last(9002)


async def test_a_group_hears_one_sentence_when_it_is_certain_and_else_nothing(chat: Chat) -> None:
    p = chat
    await published(p)
    stranger = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": GROUP, "type": "supergroup", "title": "g"},
    }
    stranger |= {"from": {"id": 777, "is_bot": False, "first_name": "邻居"}, "text": RUMOR}
    p.api.push_text(USERS["王芳"], "@piyao_bot 真的吗", chat_id=GROUP, reply_to=stranger)
    await p.rest()
    assert [one.plain for one in p.to(GROUP)] == [f"这条已有官方说明：{TITLE}\n{LINK}"]
    assert "邻居" not in " ".join(one.plain for one in p.api.messages)
    for text, mention in (("明天起北塘街道停水七天", "@piyao_bot"), (RUMOR, "大家看看")):
        p.api.push_text(USERS["王芳"], mention, chat_id=GROUP, reply_to=stranger | {"text": text})
        await p.rest()
    assert len(p.to(GROUP)) == 1


async def test_a_button_pressed_twice_acts_once(chat: Chat) -> None:
    p = chat
    await p.say("王芳", RUMOR, forwarded_from="陌生人")
    label = p.parts.presenter.text("button", "lead_file")
    card, seen = p.card("陈静", label), len(p.to("陈静"))
    pressed = [p.api.press(USERS["陈静"], card, label) for _ in range(2)]
    await p.rest()
    assert len(await p.all("cases")) == 1
    said = [one.plain for one in p.to("陈静")[seen:]]
    assert sum("这一步已经办过" in one for one in said) == 1, said
    assert {one["callback_query"]["id"] for one in pressed} <= set(p.api.answered)


async def test_somebody_elses_button_is_refused(chat: Chat) -> None:
    p = chat
    await p.say("王芳", RUMOR, forwarded_from="陌生人")
    label = p.parts.presenter.text("button", "lead_file")
    theirs = p.card("陈静", label)
    token = next(b["callback_data"] for row in theirs.buttons for b in row if b["text"] == label)
    mine = next(one for one in reversed(p.to("王芳")) if one.buttons)
    unknown = p.parts.presenter.text("refusal", "button_unknown")
    for forged in (token, "no-such-button"):
        before = p.told("王芳", unknown)
        update = p.api.press(USERS["王芳"], mine, mine.labels[0][0])
        update["callback_query"]["data"] = forged
        await p.rest()
        assert p.told("王芳", unknown) == before + 1
    # The card itself, shown in the desk's chat, in another person's hand.
    p.api.press(USERS["王芳"], theirs, label)
    await p.rest()
    assert p.parts.presenter.text("refusal", "button_not_yours") in p.last("陈静")
    assert await p.all("cases") == []
    await p.press("陈静", "lead_file")
    assert len(await p.all("cases")) == 1, "the owner's button is still good"


async def test_an_album_is_one_lead(chat: Chat) -> None:
    p = chat
    album = {"media_group_id": "g1"}
    await p.photo("王芳", 1, caption=RUMOR, **album)
    await p.photo("王芳", 2, **album)
    (lead,) = await p.all("leads")
    assert len(lead.attachments) == 2
    assert lead.text == RUMOR


async def test_a_picture_that_is_too_large_is_said_and_the_text_is_kept(chat: Chat) -> None:
    p = chat
    await p.photo("王芳", 1, caption=RUMOR, size=11 * 1024 * 1024)
    (lead,) = await p.all("leads")
    assert (lead.text, lead.attachments) == (RUMOR, ())
    assert p.last("王芳") == "附件超过 10 MB，请压缩或分开发送。"


async def test_a_sticker_is_answered_and_makes_no_lead(chat: Chat) -> None:
    p = chat
    person = {"id": USERS["王芳"], "is_bot": False, "first_name": "王芳"}
    seen = len(p.to("王芳"))
    p.api.push(
        message={
            "message_id": 990_001, "date": 1, "from": person,
            "chat": {"id": USERS["王芳"], "type": "private"}, "dice": {"emoji": "x", "value": 3},
        }
    )  # fmt: skip
    await p.rest()
    (said,) = p.to("王芳")[seen:]
    assert p.parts.presenter.text("refusal", "empty")[:6] in said.plain
    assert await p.all("leads") == []


async def test_an_edited_message_changes_its_lead(chat: Chat) -> None:
    p = chat
    pushed = p.api.push_text(USERS["王芳"], RUMOR)
    await p.rest()
    p.api.push_edit(pushed, f"{RUMOR}，下周三开始")
    await p.rest()
    (lead,) = await p.all("leads")
    assert lead.edited
    assert "下周三开始" in lead.text


async def test_a_reporter_who_blocked_the_bot_is_seen_by_the_desk(chat: Chat) -> None:
    p = chat
    await filed(p)
    p.api.fail(
        "sendmessage", status=403, description="Forbidden: bot was blocked by the user",
        times=-1, chat_id=str(USERS["李敏"]),
    )  # fmt: skip
    await concluded(p)
    assert p.told("王芳", FACT) == 1
    states = {one.person: str(one.state) for one in await p.all("feedback")}
    assert sorted(states.values()) == ["sent", "undeliverable"]
    assert p.told("陈静", "送不到报告人") == 1
    assert "李敏" not in " ".join(one.plain for one in p.to("陈静"))


async def test_slow_down_is_obeyed_and_nothing_is_lost(chat: Chat) -> None:
    p = chat
    await filed(p)
    p.api.fail(
        "sendmessage", status=429, description="Too Many Requests: retry after 3", retry_after=3,
        chat_id=str(USERS["李敏"]),
    )  # fmt: skip
    await concluded(p)
    assert p.told("李敏", FACT) == 0
    assert sorted(await p.states("feedback")) == ["due", "sent"]
    await p.tick(seconds=2)
    assert p.told("李敏", FACT) == 0
    await p.tick(seconds=3)
    assert p.told("李敏", FACT) == 1
    assert set(await p.states("feedback")) == {"sent"}


async def test_sample_data_is_refused_beside_a_real_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with directly(monkeypatch) as api:
        async with assemble(load({"PIYAO_DATA": str(tmp_path)}), durable=False):
            pass
        with pytest.raises(StartRefusedError):
            async with assemble(settings_for(api, tmp_path), durable=False):
                pass
