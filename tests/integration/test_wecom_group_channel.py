"""Customer groups through the real client against a WeCom double."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channel import GroupTasks, Outgoing
from bot.platforms.wecom_group.channel import WecomGroups
from bot.wechat.client import wecom_api
from matrix.broadcast.owners import GroupsSeen
from matrix.core.errors import DeliveryError
from tests.doubles.clock import FakeClock
from tests.doubles.wecom_rig import token_store, without_proxy
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import Member

TEXT = "金穗家园路灯不收费\n区财政出资。\n区城管局 https://mp.weixin.qq.com/s/lamps"


class Desk:
    def __init__(self, api: WeCom, channel: WecomGroups, clock: FakeClock) -> None:
        self.api, self.channel, self.clock = api, channel, clock

    async def make(self, *groups: str, owner: str = "hanxue", text: str = TEXT) -> str:
        return await self.channel.send(Outgoing(key="k1", address=owner, text=text, groups=groups))

    async def act(self, task: str, act: str) -> str:
        return await self.channel.send(
            Outgoing(key="k2", address="hanxue", text="", edits=task, act=act)
        )

    async def seen(self, task: str) -> GroupsSeen:
        return await self.channel.seen(task, "hanxue")


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    without_proxy(monkeypatch)
    clock = FakeClock()
    async with (
        WeCom(clock=lambda: clock.now().timestamp()) as api,
        token_store(tmp_path) as tokens,
    ):
        api.add(Member(userid="hanxue", name="韩雪"), Member(userid="wumuyang", name="邬沐阳"))
        for n in range(1, 6):
            api.add_group(f"g{n}", "hanxue" if n < 5 else "wumuyang")
        made = wecom_api(
            account="wecom:test", corp_id=api.corp, secret=api.secret, root=api.url, tokens=tokens
        )
        channel = WecomGroups(made, clock=clock)
        yield Desk(api, channel, clock)
        await channel.aclose()


async def failure(desk: Desk, *groups: str, **more: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await desk.make(*groups, **more)
    return caught.value


async def test_nothing_goes_out_until_the_owner_confirms(desk: Desk) -> None:
    assert isinstance(desk.channel, GroupTasks)
    task = await desk.make("g1", "g2", "g3")
    assert not any(group.got for group in desk.api.groups.values())
    seen = await desk.seen(task)
    assert (seen.sent, seen.owner_there) == ({}, True)
    assert seen.pending(["g1", "g2", "g3"]) == {"g1", "g2", "g3"}


async def test_only_sent_groups_are_returned_and_all_pages_are_read(desk: Desk) -> None:
    task = await desk.make("g1", "g2", "g3", "g4")
    desk.clock.forward(minutes=5)
    desk.api.groups["g3"].month_full = True
    desk.api.confirm("hanxue", ["g1", "g2", "g3"])
    desk.api.page = 1
    seen = await desk.seen(task)
    assert seen.sent == dict.fromkeys(["g1", "g2"], datetime(2026, 11, 9, 7, 10, tzinfo=UTC))
    assert seen.refused == {"g3": "month-limit"}
    assert seen.pending(["g1", "g2", "g3", "g4"]) == {"g4"}


async def test_groups_that_are_not_the_owners_are_named(desk: Desk) -> None:
    task = await desk.make("g1", "g5")
    assert task.endswith("!g5")
    assert desk.api.mass[task.partition("!")[0]].chats == ("g1",)
    error = await failure(desk, "g5")
    assert (error.code, error.permanent) == ("41048", True)


async def test_an_owner_who_left_is_seen(desk: Desk) -> None:
    task = await desk.make("g1")
    desk.api.leave("hanxue")
    assert not (await desk.seen(task)).owner_there
    assert (await failure(desk, "g1")).permanent


async def test_reminding_and_taking_back(desk: Desk) -> None:
    task = await desk.make("g1", "g2")
    for _ in range(3):
        assert await desk.act(task, "remind") == task
    with pytest.raises(DeliveryError) as caught:
        await desk.act(task, "remind")
    assert caught.value.permanent
    desk.api.confirm("hanxue", ["g1"])
    await desk.act(task, "cancel")
    assert desk.api.confirm("hanxue") == 0
    assert set((await desk.seen(task)).sent) == {"g1"}
    with pytest.raises(DeliveryError):
        await desk.act(task, "edit")


async def test_a_lost_answer_is_found_by_text_and_owner(desk: Desk) -> None:
    message = Outgoing(key="k1", address="hanxue", text=TEXT, groups=("g1",))
    desk.api.fail("externalcontact/add_msg_template", drop=True, after=True)
    assert (await failure(desk, "g1")).unknown
    other = await desk.make("g5", owner="wumuyang")
    found = await desk.channel.posted(message)
    assert found in desk.api.mass
    assert found != other


async def test_what_is_not_there_after_some_minutes_was_never_made(desk: Desk) -> None:
    message = Outgoing(key="k1", address="hanxue", text=TEXT, groups=("g1",))
    with pytest.raises(DeliveryError) as caught:
        await desk.channel.posted(message)
    assert caught.value.code == "not-listed-yet"
    desk.clock.forward(minutes=4)
    assert await desk.channel.posted(message) == ""
    await desk.make("g1")
    await desk.make("g1")
    assert await desk.channel.posted(message) is None


async def test_without_owner_or_groups_nothing_is_asked(desk: Desk) -> None:
    assert (await failure(desk)).code == "no-owner-or-groups"
    assert (await failure(desk, "g1", owner="")).permanent
    assert not desk.api.mass
