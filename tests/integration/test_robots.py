"""Group robots, Weibo and their error tables: what stands in the body is what counts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.channel import Channel, Outgoing
from bot.platforms.dingtalk import channel as dingtalk
from bot.platforms.feishu import channel as feishu
from bot.platforms.wecom_robot import channel as wecom_robot
from bot.platforms.weibo.channel import Weibo, status_of
from bot.robots import Robots, read_robots
from matrix.core.errors import DeliveryError
from tests.doubles.clock import FakeClock
from tests.doubles.webhooks import (
    DING_SECRET,
    DING_TOKEN,
    FEISHU_KEY,
    FEISHU_SECRET,
    WEIBO_TOKEN,
    Webhooks,
)
from tests.doubles.wecom_rig import without_proxy
from tests.doubles.wecom_server import WeCom

LINK = "https://mp.weixin.qq.com/s/lamps"


class Bench:
    def __init__(self, api: Webhooks, clock: FakeClock) -> None:
        self.api, self.clock = api, clock
        self.open: list[Any] = []

    def robots(self, kind: Any, text: str) -> Robots:
        made = Robots(kind, read_robots(text), self.clock)
        self.open.append(made)
        return made

    def dingtalk(self, secret: str = DING_SECRET) -> Robots:
        return self.robots(dingtalk.kind(self.api.url), f"网格群={DING_TOKEN}:{secret}")

    def feishu(self, key: str = FEISHU_KEY) -> Robots:
        return self.robots(feishu.kind(self.api.url), f"网格群={key}:{FEISHU_SECRET}")

    def weibo(self, token: str = WEIBO_TOKEN) -> Weibo:
        made = Weibo(token, "203.0.113.7", self.api.url)
        self.open.append(made)
        return made


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    without_proxy(monkeypatch)
    clock = FakeClock()
    async with Webhooks(lambda: clock.now().timestamp()) as api:
        bench = Bench(api, clock)
        yield bench
        for one in bench.open:
            await one.aclose()


async def say(channel: Channel, text: str = f"路灯不收费 {LINK}", to: str = "网格群") -> str:
    return await channel.send(Outgoing(key="k1", address=to, text=text, conversation=False))


async def failure(channel: Channel, **more: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, **more)
    return caught.value


async def test_signed_texts_arrive(bench: Bench) -> None:
    assert await say(bench.dingtalk()) == "k1"
    assert await say(bench.feishu()) == "k1"
    text = f"路灯不收费 {LINK}"
    assert bench.api.got == [("dingtalk", text), ("feishu", text)]


async def test_a_wrong_signature_in_http_200_is_a_failure_for_good(bench: Bench) -> None:
    error = await failure(bench.dingtalk("another"))
    assert (error.code, error.permanent) == ("310000", True)
    other = bench.robots(feishu.kind(bench.api.url), f"网格群={FEISHU_KEY}:another")
    assert (await failure(other)).code == "19021"
    assert (await failure(bench.feishu("unknown"))).code == "19001"
    assert bench.api.got == []


async def test_a_muted_robot_rests_for_ten_minutes_and_is_not_called(bench: Bench) -> None:
    robot = bench.dingtalk()
    for _ in range(20):
        await say(robot)
    error = await failure(robot)
    assert (error.code, error.retry_after) == ("130101", timedelta(minutes=10))
    calls = len(bench.api._times)
    again = await failure(robot)
    assert (again.code, len(bench.api._times)) == ("muted", calls)
    assert await robot.ping() == "muted: 网格群"
    bench.clock.forward(minutes=10)
    await say(robot)
    assert await robot.ping() == ""


@pytest.mark.parametrize(
    ("status", "said", "permanent", "unknown", "waits"),
    [
        (200, {"errcode": 300001}, True, False, False),
        (200, {"errcode": 430101}, True, False, False),
        (200, {"errcode": 999}, True, False, False),
        (200, {"errcode": 410100}, False, False, True),
        (200, {"odd": 1}, False, True, False),
        (200, "<html>", False, True, False),
        (200, "[]", False, True, False),
        (502, "gateway", False, True, False),
        (404, "nothing", True, False, False),
        (429, "slow", False, False, True),
        (400, {"errcode": 300001}, True, False, False),
    ],
)
async def test_answers(
    bench: Bench, status: int, said: Any, permanent: bool, unknown: bool, waits: bool
) -> None:
    bench.api.script = [(status, said)]
    error = await failure(bench.dingtalk())
    assert (error.permanent, error.unknown) == (permanent, unknown)
    assert (error.retry_after is not None) is waits


async def test_feishu_too_often(bench: Bench) -> None:
    bench.api.script = [(200, {"code": 11232, "msg": "frequency limited"})]
    assert (await failure(bench.feishu())).retry_after == timedelta(minutes=1)


async def test_what_was_lost_after_it_arrived_waits_for_a_person(bench: Bench) -> None:
    bench.api.drop_after = True
    robot = bench.feishu()
    assert (await failure(robot)).unknown
    assert len(bench.api.got) == 1
    assert robot.limits.doubt == "hold"


async def test_wecom_robots_take_twenty_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxy(monkeypatch)
    async with WeCom() as api:
        api.robots["key-1"] = []
        robot = Robots(wecom_robot.kind(api.url), read_robots("网格群=key-1"), FakeClock())
        for _ in range(20):
            await say(robot)
        error = await failure(robot)
        assert (error.code, error.retry_after) == ("45009", timedelta(minutes=1))
        other = Robots(wecom_robot.kind(api.url), read_robots("网格群=wrong"), FakeClock())
        assert (await failure(other)).code == "93000"
        await robot.aclose()
        await other.aclose()


async def test_an_unknown_robot_and_one_that_is_down(bench: Bench) -> None:
    robot = bench.dingtalk()
    assert (await failure(robot, to="别的群")).code == "no-such-robot"
    down = bench.robots(dingtalk.kind("http://127.0.0.1:9"), f"网格群={DING_TOKEN}")
    error = await failure(down)
    assert (error.code, error.unknown, error.permanent) == ("not-sent", False, False)
    assert DING_TOKEN not in str(error)


@pytest.mark.parametrize("text", ["x", "=k", "a=", "a=1,a=2"])
def test_settings_of_robots_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="robots"):
        read_robots(text)


async def test_a_status_is_short_has_its_address_and_no_topic(bench: Bench) -> None:
    long = f"路灯改造不收费\n\n{'区财政出资。' * 60}\n\n区城管局 #话题#\n\n{LINK}"
    assert await say(bench.weibo(), long) == "https://m.weibo.cn/status/5001"
    ((_, status),) = bench.api.got
    assert status.endswith(f"… {LINK}")
    assert status.startswith("路灯改造不收费")
    assert len(status) - len(LINK) + 11 <= 140
    assert status_of(f"#话题# {LINK}") == f"＃话题＃ {LINK}"


async def test_weibo_refusals(bench: Bench) -> None:
    assert (await failure(bench.weibo(), text="没有链接")).code == "no-address"
    assert (await failure(bench.weibo(), text="别处 https://a.cn/1")).code == "10017"
    assert (await failure(bench.weibo("old"))).permanent
    bench.api.script = [(403, {"error_code": 10023})]
    assert (await failure(bench.weibo())).retry_after == timedelta(hours=1)
    bench.api.script = [(200, {"odd": 1})]
    assert (await failure(bench.weibo())).unknown
