"""The complete story on two platforms at once, and again with every API failing in turn."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from matrix.core.delivery import DeliveryState
from tests.doubles.wecom_rig import without_proxy
from tests.journeys.mixed_play import MixedChat, mixed_stage
from tests.journeys.play import FIRED
from tests.journeys.telegram_play import FACT, LINK, broadcast, correction_signed, published
from tests.journeys.wecom_play import OWNER, WECHAT_GROUP

REPORTERS, OPERATORS = ("王芳", "李敏"), ("韩雪", "邬沐阳")


@pytest.fixture
async def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MixedChat]:
    without_proxy(monkeypatch)
    async with mixed_stage(tmp_path) as chat:
        yield chat
        async with chat.parts.store.read() as work:
            events = await work.events()
        FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)


async def whole_story(p: MixedChat) -> int:
    """From two reports to a correction that reaches everyone, once; how much the desk settled."""
    official, wecom = p.official.api, p.wecom.api
    robot = wecom.robots["robot-key"]
    number = await published(p)
    settled = await p.settle()
    assert [p.told(one, FACT) for one in REPORTERS] == [1, 1]
    await broadcast(p)
    settled += await p.settle()
    (entry,) = official.published.values()
    assert FACT in entry["news_item"][0]["content"]
    assert [FACT in text for text, _ in robot] == [True]
    (task,) = wecom.mass.values()
    assert (task.owner, task.chats) == (OWNER, (WECHAT_GROUP,))
    assert [p.told(one, f"转发任务 · {number}") for one in OPERATORS] == [1, 1]
    await p.say("韩雪", "https://weibo.com/1/2")
    await p.photo("邬沐阳", 1)
    wecom.confirm(OWNER)
    await p.tick(minutes=2)
    await p.tick(minutes=2)
    await p.press("冯涛", "task_verify")
    assert set(await p.states("tasks")) == {"verified"}
    assert await p.states("campaigns") == ["converged"]
    assert await p.states("cases") == ["closed"]

    await correction_signed(p, number)
    await p.say("冯涛", f"{LINK}2")
    await p.tick(minutes=16)
    settled += await p.settle()
    assert [p.told(one, "更正：之前就线索") for one in REPORTERS] == [1, 1]
    await broadcast(p)
    settled += await p.settle()
    original, successor = await p.all("campaigns")
    assert set(successor.accounts) >= set(original.accounts)
    contents = [one["news_item"][0]["content"] for one in official.published.values()]
    assert ["共同出资" in one for one in contents] == [False, True]
    assert ["共同出资" in text for text, _ in robot] == [False, True]
    wecom.confirm(OWNER)
    assert len(wecom.groups[WECHAT_GROUP].got) == 2
    assert [p.told(one, f"转发任务 · {number}") for one in OPERATORS] == [2, 2]
    assert await p.states("bulletins", kind="first") == ["corrected"]
    return settled


async def test_the_whole_story_on_two_platforms(chat: MixedChat) -> None:
    assert await whole_story(chat) == 0, "nothing failed, nothing is in doubt"
    assert {one.platform for one in await chat.all("leads")} == {chat.official.channel.platform}
    assert not chat.wecom.api.dropped


EVERY = {
    "message/send": 7, "message/update_template_card": 3, "message/custom/send": 3,
}  # fmt: skip
"""Beside its first call each n-th of these fails, too."""
TOO_OFTEN = {"official": 45011, "wecom": 45009}


def faults(platform: str) -> tuple[dict[str, Any], ...]:
    return (
        {"drop": True, "after": True}, {"errcode": 42001}, {"status": 502, "after": True},
        {"errcode": -1}, {"garbage": "<html>", "after": True}, {"status": 503},
        {"errcode": TOO_OFTEN[platform]},
    )  # fmt: skip


CALLED = {
    "message/custom/send", "draft/add", "freepublish/submit", "freepublish/get", "stable_token",
    "message/send", "message/update_template_card", "gettoken", "media/get", "webhook/send",
    "externalcontact/add_msg_template", "externalcontact/get_groupmsg_send_result",
    "externalcontact/get_groupmsg_task",
}  # fmt: skip


async def test_the_whole_story_on_two_platforms_with_each_call_failing_in_turn(
    chat: MixedChat,
) -> None:
    """What nobody can know the desk settles; nobody is told anything twice, nobody is left out."""
    spoiled = Counter[str]()

    def spoiling(platform: str) -> Callable[[str], dict[str, Any] | None]:
        kinds, calls = cycle(faults(platform)), Counter[str]()

        def spoil(endpoint: str) -> dict[str, Any] | None:
            calls[endpoint] += 1
            if calls[endpoint] != 1 and calls[endpoint] % EVERY.get(endpoint, 10_000):
                return None
            spoiled[endpoint] += 1
            # A robot has neither token nor key: only a person can say what has become of it.
            return {"drop": True} if endpoint == "webhook/send" else next(kinds)

        return spoil

    for platform, api in (("official", chat.official.api), ("wecom", chat.wecom.api)):
        api.expire()
        api.spoil = spoiling(platform)
    settled = await whole_story(chat)
    assert set(spoiled) >= CALLED, CALLED - set(spoiled)
    assert settled, "some outcomes are for a person"
    left = await chat.all("deliveries", state=DeliveryState.IN_DOUBT)
    assert not [one for one in left if one.purpose]
