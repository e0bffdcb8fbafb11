"""The bot's long connection against a gateway double: groups, quotes, cuts, silence."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.platforms.wecom import line as lines
from matrix.core.errors import DeliveryError
from tests.doubles.wecom_bot import WeComBot
from tests.doubles.wecom_rig import Rig, presses, without_proxy

GROUP = "wr-group-1"


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    without_proxy(monkeypatch)
    async with WeComBot() as bot:
        rig = Rig(None, None, bot)
        yield rig
        await rig.channel.aclose()


async def test_a_quoted_rumor_with_a_mention_is_a_lead_of_the_group(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.say("wangfang", "@辟谣助手 是真的吗", GROUP, quote="金穗家园停水三天")
        (one,) = await rig.heard()
    assert (one.chat, one.external, one.platform) == (f"group:{GROUP}", "wangfang", "wecom")
    assert (one.quoted, one.text) == ("金穗家园停水三天", "是真的吗")
    assert one.in_group
    assert one.mentioned


async def test_alone_with_the_bot_text_and_quote_are_one_forwarded_text(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.say("wangfang", "是真的吗", quote="停水三天")
        await rig.bot.say("wangfang", "我的线索")
        first, second = await rig.heard(2)
    assert (first.text, first.forwarded, first.chat) == ("停水三天\n是真的吗", True, "bot:wangfang")
    assert (second.text, second.forwarded) == ("我的线索", False)


async def test_the_answer_goes_to_the_group_and_its_words_make_no_link(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.say("wangfang", "@辟谣助手", GROUP, quote="停水三天")
        await rig.heard()
        await rig.say("不停水 [点我](http://evil) *x*\nhttps://a.cn/1", f"group:{GROUP}")
    ((chat, body),) = rig.bot.said
    assert chat == GROUP
    assert body["markdown"]["content"] == "不停水 ［点我］(http://evil) ＊x＊\nhttps://a.cn/1"


async def test_cards_alone_with_the_bot_are_pressed_and_changed(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.say("wangfang", "待办")
        await rig.heard()
        remote = await rig.say("云江-0312\n请签收。", "bot:wangfang", buttons=presses("签收"))
        card = rig.bot.said[0][1]["template_card"]
        frame = await rig.bot.press("wangfang", "tok1", card["task_id"])
        pressed = (await rig.heard(2))[-1]
        assert (pressed.kind, pressed.token, pressed.chat) == ("button", "tok1", "bot:wangfang")
        settled = "云江-0312\n请签收。\n— 已由 王芳 于 15:02 签收"
        await rig.say(settled, "bot:wangfang", edits=remote)
        ((req_id, body),) = rig.bot.updated
        assert req_id == frame["headers"]["req_id"]
        assert body["template_card"]["replace_text"] == "已处理"
        await rig.say(settled, "bot:wangfang", edits=remote)
        assert len(rig.bot.updated) == 1


async def test_pictures_are_fetched_and_decrypted(rig: Rig) -> None:
    async with rig.listening():
        mixed = {
            "msg_item": [
                {"msgtype": "text", "text": {"content": "看这个"}},
                {"msgtype": "image", "image": rig.bot.store(b"\x89PNG picture")},
            ]
        }
        await rig.bot.push("wangfang", "", msgtype="mixed", mixed=mixed)
        await rig.bot.push("wangfang", "", msgtype="image", image={"url": "http://10.0.0.1/x"})
        first, second = sorted(await rig.heard(2), key=lambda one: one.text, reverse=True)
    assert (first.text, first.files, rig.files[0][0]) == ("看这个", ("a1",), b"\x89PNG picture")
    assert second.text == "[file:attachment_unavailable]"


async def test_a_repeated_frame_is_one_message(rig: Rig) -> None:
    async with rig.listening():
        frame = await rig.bot.say("wangfang", "一次")
        await rig.bot.repeat(frame)
        await rig.bot.say("wangfang", "完")
        await rig.heard(2)
    assert (len(rig.stored), rig.repeats) == (2, 1)


async def test_a_dead_line_comes_back_by_itself(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.until(lambda: rig.bot.sessions == 1)
        await rig.bot.hang_up()
        await rig.bot.until(lambda: rig.bot.sessions == 2)
        await rig.up()
        await rig.bot.say("wangfang", "还在")
        await rig.heard()
        assert await rig.channel.ping() == ""
    assert 0.4 <= rig.pauses[0] <= 1.0


async def test_who_is_cut_by_another_connection_does_not_fight_back(rig: Rig) -> None:
    async with rig.listening():
        await rig.bot.until(lambda: rig.bot.sessions == 1)
        import aiohttp

        body = {"bot_id": rig.bot.bot, "secret": rig.bot.secret}
        async with aiohttp.ClientSession() as session, session.ws_connect(rig.bot.url) as other:
            await other.send_json(
                {"cmd": "aibot_subscribe", "headers": {"req_id": "x"}, "body": body}
            )
            await rig.bot.until(lambda: rig.bot.kicked == 1)
            async with asyncio.timeout(10):
                while not rig.pauses:
                    await asyncio.sleep(0.01)
    assert rig.pauses[0] == lines.KICKED_PAUSE


async def test_a_wrong_secret_is_named(rig: Rig) -> None:
    rig.bot.secret = "another"
    async with rig.listening(up=False):
        async with asyncio.timeout(10):
            while not rig.pauses:
                await asyncio.sleep(0)
        assert await rig.channel.ping() == "bot unauthorized"


async def test_a_silent_line_is_given_up(rig: Rig) -> None:
    assert rig.channel.line is not None
    rig.channel.line._beat = 0.01
    lines_answer, lines.ANSWER = lines.ANSWER, 0.05
    try:
        async with rig.listening():
            before = rig.bot.sessions
            rig.bot.silent = True
            async with asyncio.timeout(10):
                while not rig.pauses:
                    await asyncio.sleep(0.01)
            rig.bot.silent = False
            await rig.bot.until(lambda: rig.bot.sessions > before)
    finally:
        lines.ANSWER = lines_answer


async def test_errors_of_the_line(rig: Rig) -> None:
    async def failure() -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            await rig.say("好", f"group:{GROUP}")
        return caught.value

    down = await failure()
    assert (down.code, down.unknown, down.permanent) == ("no-line", False, False)
    async with rig.listening():
        await rig.bot.say("wangfang", "@助手", GROUP, quote="停水三天")
        await rig.heard()
        rig.bot.refuse("aibot_send_msg", 45009, 846607)
        often, refused = await failure(), await failure()
        assert often.retry_after is not None
        assert refused.permanent
        rig.bot.drop_after.add("aibot_send_msg")
        lost = await failure()
    assert lost.unknown
    assert len(rig.bot.said) == 1
    assert rig.channel.limits.keyless(f"group:{GROUP}")
    assert not rig.channel.limits.keyless("wangfang")


@pytest.mark.parametrize(
    "frame",
    [
        {"cmd": "aibot_msg_callback", "headers": {}, "body": {}},
        {"cmd": "aibot_msg_callback", "headers": {"req_id": "1"}, "body": []},
        {"cmd": "aibot_msg_callback", "headers": {"req_id": "1"}},
        {"cmd": "aibot_event_callback", "headers": {"req_id": "1"}, "body": {"event": None}},
        {"headers": None},
        [1, 2],
    ],
)
async def test_frames_of_the_wrong_shape_do_not_cut_the_line(rig: Rig, frame: object) -> None:
    async with rig.listening():
        await rig.bot.repeat(frame)  # type: ignore[arg-type]
        await rig.bot.say("wangfang", "还在")
        (one,) = await rig.heard()
    assert (one.text, rig.bot.sessions) == ("还在", 1)
