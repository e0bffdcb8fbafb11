"""The story through an official account: the real client and callbacks against a server double."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.administration import invite_person
from tests.doubles.clock import FakeClock
from tests.doubles.official_account import OfficialAccountServer, tries
from tests.journeys.official_play import (
    NAME,
    USERS,
    Chat,
    post_through_it,
    receiving,
    settings_for,
)
from tests.journeys.play import FIRED
from tests.journeys.telegram_play import (
    FACT,
    RUMOR,
    broadcast,
    concluded,
    correction_signed,
    filed,
    invitations,
)

LATE = 0.05
"""Seconds of patience where a story is about an answer that is not there in time."""


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OfficialAccountServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with OfficialAccountServer() as server:
        yield server


@asynccontextmanager
async def staged(api: OfficialAccountServer, folder: Path, **account: Any) -> AsyncIterator[Chat]:
    clock = FakeClock()
    (folder / "clock").write_text(clock.now().isoformat())
    settings = settings_for(api, folder, **account)
    codes = await invitations(settings.model_copy(update={"test_clock": str(folder / "clock")}))
    await post_through_it(settings)
    async with receiving(api, settings, clock) as chat:
        chat.channel._patience = 60.0
        for name, code in codes.items():
            assert name in await chat.say(name, code)
        yield chat
        async with chat.parts.store.read() as work:
            events = await work.events()
        FIRED.update(f"{e.entity} {e.source} {e.action}" for e in events if e.source)


@pytest.fixture
async def chat(api: OfficialAccountServer, tmp_path: Path) -> AsyncIterator[Chat]:
    async with staged(api, tmp_path) as one:
        yield one


async def late(p: Chat, fields: dict[str, Any]) -> str:
    """A message whose answer is not there in time: nothing moves while its request waits."""
    p.channel._patience, patience = LATE, p.channel._patience
    answer = await p.api.deliver(fields)
    p.channel._patience = patience
    await p.rest()
    # Nobody waits for a while after that; the story goes on when it is over.
    p.channel._rendezvous._late_until = 0.0
    return answer


async def test_the_whole_story_through_an_official_account(chat: Chat) -> None:
    p = chat
    number = await filed(p)
    assert p.to("王芳")[-1].way == "reply"
    await concluded(p)
    assert p.told("王芳", FACT) == 1
    assert p.told("李敏", FACT) == 1
    await broadcast(p)
    (entry,) = p.api.published.values()
    assert FACT in entry["news_item"][0]["content"]
    direct = next(one for one in await p.all("tasks") if one.account == "a3")
    assert (str(direct.state), direct.url) == ("verified", entry["news_item"][0]["url"])
    assert p.told("韩雪", f"转发任务 · {number}") == 1
    await p.say("韩雪", "https://weibo.com/1/2")
    await p.photo("邬沐阳", 1)
    await p.tick(minutes=1)
    await p.press("冯涛", "task_verify")
    assert await p.states("campaigns") == ["converged"]
    assert await p.states("cases") == ["closed"]

    await correction_signed(p, number)
    await p.say("冯涛", "https://mp.weixin.qq.com/s/lamps2")
    await p.tick(minutes=16)
    for reporter in ("王芳", "李敏"):
        assert p.told(reporter, "更正：之前就线索") == 1
    await broadcast(p)
    assert len(p.api.published) == 2
    assert await p.states("bulletins", kind="first") == ["corrected"]


async def test_three_tries_of_a_message_are_one_lead_with_one_answer(chat: Chat) -> None:
    p = chat
    fields = p.api.message(USERS["王芳"], "text", Content=RUMOR)
    waiting = asyncio.create_task(tries(p.api, fields))
    while not waiting.done():
        await p.stepped()
        await asyncio.wait([waiting], timeout=0.01)
    answers = set(waiting.result())
    assert len(answers) == 1
    assert "收到，线索 1109-01" in answers.pop()
    assert await p.push(fields) == waiting.result()[0], "a later try is told the same"
    assert len(await p.all("leads")) == 1


async def test_a_late_answer_is_a_customer_service_message(chat: Chat) -> None:
    p = chat
    fields = p.api.message(USERS["王芳"], "text", Content=RUMOR)
    assert await late(p, fields) == ""
    assert p.to("王芳")[-1].way == "custom"
    assert "收到，线索 1109-01" in p.last("王芳")
    seen = len(p.to("王芳"))
    assert await p.push(fields) == "", "a repeat of what was told success is told so again"
    assert len(p.to("王芳")) == seen


async def test_what_may_not_go_waits_for_the_next_message(chat: Chat) -> None:
    p = chat
    await filed(p)
    await p.tick(hours=49)
    for name in USERS:
        if name != "王芳":
            await p.say(name, "帮助")
    await concluded(p)
    assert p.told("王芳", FACT) == 0
    waiting = [one for one in await p.all("deliveries", state="pending") if one.error == "waits"]
    assert waiting
    said = await p.say("王芳", "我的线索")
    assert FACT in said
    assert p.told("王芳", FACT) == 1


async def test_five_are_not_exceeded(chat: Chat) -> None:
    p = chat
    for number in range(8):
        await p.say("李敏", f"听说松岭路第 {number} 号井盖下个月全部拆走换成木头的")
    assert not [one for one in p.to("陈静") if one.way == "reply" and "井盖" in one.text]
    assert len([one for one in p.to("陈静") if one.way == "custom"]) == 5
    said = await p.say("陈静", "待办")
    assert "井盖" in said


async def test_an_unverified_account_answers_and_lets_the_rest_wait(
    api: OfficialAccountServer, tmp_path: Path
) -> None:
    api.verified = False
    async with staged(api, tmp_path, verified=False, post="", cover="") as p:
        assert "收到，线索 1109-01" in await p.say("王芳", RUMOR)
        assert p.told("陈静", RUMOR) == 0
        assert RUMOR in await p.say("陈静", "待办")
        await p.press("陈静", "lead_file")
        assert len(await p.all("cases")) == 1
        assert p.api.called("message/custom/send") == []


async def test_a_right_taken_away_is_noticed_once(chat: Chat) -> None:
    p = chat
    p.api.verified = False
    await p.say("王芳", RUMOR)
    await p.say("李敏", "北塘街道下周停水七天，大家快囤水")
    assert len(p.api.called("message/custom/send")) == 1
    assert RUMOR in await p.say("陈静", "待办")


async def test_an_account_that_may_not_post_asks_its_operator(chat: Chat) -> None:
    p = chat
    await filed(p)
    await concluded(p)
    p.api.fail("draft/add", errcode=48001)
    await broadcast(p)
    (account,) = await p.all("accounts", platform="wechat_official", capability="direct")
    assert account.paused == "48001"
    assert p.told("冯涛", account.name) >= 1
    (task,) = await p.all("tasks", account=account.id)
    assert str(task.state) == "failed"


@pytest.mark.parametrize("fault", [{"drop": True, "after": True}, {"status": 502, "after": True}])
async def test_an_article_whose_answer_was_lost_is_out_once(chat: Chat, fault: Any) -> None:
    p = chat
    await filed(p)
    await concluded(p)
    p.api.fail("freepublish/submit", **fault)
    await broadcast(p)
    (task,) = await p.all("tasks", account="a3")
    assert str(task.state) == "unknown"
    await p.tick(seconds=31)
    (task,) = await p.all("tasks", account="a3")
    assert str(task.state) == "verified"
    assert len(p.api.published) == 1


@pytest.mark.parametrize(
    "fault",
    [{"errcode": 42001}, {"errcode": 40001}, {"errcode": 45011}, {"errcode": -1}, {"drop": True}],
)
async def test_each_failure_of_a_message_ends_well_or_in_sight(chat: Chat, fault: Any) -> None:
    p = chat
    p.api.fail("message/custom/send", **fault)
    await p.say("王芳", RUMOR)
    await p.tick(minutes=2)
    told = p.told("陈静", RUMOR)
    doubts = await p.states("deliveries", state="in-doubt")
    assert told == 1 or doubts, "the card has arrived, or the desk sees that nobody knows"


@pytest.mark.parametrize(("code", "times", "minutes"), [(40164, 1, 11), (45011, 6, 2)])
async def test_what_the_platform_did_not_take_uses_up_nothing(
    chat: Chat, code: int, times: int, minutes: int
) -> None:
    """A wrong set-up, ten minutes of "slow down": the card waits, and five may still go."""
    p = chat
    p.api.fail("message/custom/send", errcode=code, times=times)
    await p.say("王芳", RUMOR)
    for _ in range(times):
        assert p.told("陈静", RUMOR) == 0
        await p.tick(minutes=minutes)
    assert p.told("陈静", RUMOR) == 1
    assert not await p.states("deliveries", state__in=("failed", "in-doubt"))


async def test_after_a_crash_a_repeat_is_told_the_same(
    api: OfficialAccountServer, tmp_path: Path
) -> None:
    async with staged(api, tmp_path) as p:
        fields = p.api.message(USERS["王芳"], "text", Content=RUMOR)
        asked = asyncio.create_task(p.api.deliver(fields))
        while not await p.parts.dispatcher.step():
            await asyncio.sleep(0.01)
        # Committed as sending; then the process is gone before the answer left.
        claimed = await p.parts.sender._claim()
        assert any("收到" in str(one.content) or one.answers for one in claimed)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        settings = p.parts.settings
        clock = p.clock
    async with receiving(api, settings, clock) as q:
        q.channel._patience = 60.0
        assert "收到，线索 1109-01" in await q.push(fields)
        assert len(await q.all("leads")) == 1
        await q.tick(seconds=31)
        assert q.told("王芳", "收到，线索 1109-01") == 1


async def test_a_scan_binds_and_a_follow_is_greeted(chat: Chat) -> None:
    p = chat
    code = str(
        await invite_person(
            p.parts.settings.model_copy(
                update={"test_clock": str(p.parts.settings.data / "clock")}
            ),
            "王芳",
        )
    )
    p.api.scenes["t"] = code
    USERS["新手机"] = "o" + "9" * 27
    try:
        said = await p.event("新手机", "subscribe", EventKey=f"qrscene_{code}", Ticket="t")
        assert "王芳" in said
        USERS["路人"] = "o" + "8" * 27
        assert "辟谣矩阵" in await p.event("路人", "subscribe", EventKey="")
        again = await p.event("路人", "SCAN", EventKey="whatever-else")
        assert "收到，线索" not in again
        assert await p.all("leads") == []
    finally:
        USERS.pop("新手机", None)
        USERS.pop("路人", None)


async def test_what_people_send(chat: Chat) -> None:
    p = chat
    assert "转发或粘贴" in await p.event("王芳", "CLICK", EventKey="我要报")
    await p._pushed(
        "王芳",
        p.api.message(
            USERS["王芳"],
            "link",
            Title="金穗家园路灯每户收费两百元",
            Description="不交就停电",
            Url="https://a.example/1",
        ),
    )
    (lead,) = await p.all("leads")
    assert "https://a.example/1" in lead.text
    p.clock.forward(minutes=10)
    voice = p.api.picture(b"#!AMR\n" + b"\0" * 40, "audio/amr")
    said = await p._pushed(
        "李敏", p.api.message(USERS["李敏"], "voice", MediaId=voice, Format="amr", Recognition="")
    )
    assert "一句话" in said
    assert len((await p.all("leads"))[-1].attachments) == 1
    p.clock.forward(minutes=10)
    said = await p._pushed(
        "李敏",
        p.api.message(
            USERS["李敏"], "voice", MediaId=voice, Recognition="听说明天北塘街道停水七天快囤水"
        ),
    )
    assert (await p.all("leads"))[-1].text == "听说明天北塘街道停水七天快囤水"
    p.api.fail("media/get", errcode=40007)
    said = await p.photo("韩雪", 3)
    assert "附件" in said or "图片" in said
    p.channel._patience = LATE
    assert await p.event("王芳", "unsubscribe", EventKey="") == ""
    assert await p.event("王芳", "VIEW", EventKey="https://a.example") == ""


async def test_menu_and_doctor_ask_the_account(chat: Chat) -> None:
    from bot.official import examine, make_menus, scene

    settings = chat.parts.settings
    assert await make_menus(settings) == [(NAME, "")]
    assert [one["name"] for one in chat.api.menu["button"]] == ["我要报", "查辟谣", "我的"]
    keys = [key for key, _ in await examine(settings)]
    assert keys == ["wechat", "wechat_quota_custom", "wechat_quota_publish"]
    assert (await scene(settings, NAME, "PY-abc")).startswith("http")
    chat.api.expire()
    chat.api.fail("openapi/quota/get", errcode=48001, times=-1)
    assert "wechat_no_quota" in [key for key, _ in await examine(settings)]
