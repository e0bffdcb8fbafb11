"""Application messages and cards through the real client against a WeCom double."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.platforms.wecom.limits import LIMITS, TEXT, measure
from bot.presenter import split
from matrix.core.errors import DeliveryError
from tests.doubles.wecom_rig import Rig, presses, token_store, without_proxy
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import Member


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    without_proxy(monkeypatch)
    async with WeCom() as api, token_store(tmp_path) as tokens:
        api.add(
            Member(userid="wangfang", name="王芳"), Member(userid="limin", name="李敏"),
            Member(userid="hidden", name="赵六", visible=False),
            Member(userid="free", name="钱七", licensed=False),
        )  # fmt: skip
        rig = Rig(tokens, api, None)
        yield rig
        await rig.channel.aclose()


async def failure(rig: Rig, **fields: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await rig.say(**fields)
    return caught.value


async def test_a_text_arrives_and_its_id_comes_back(rig: Rig) -> None:
    remote = await rig.say("收到，线索 1109-01。")
    assert [one.text for one in rig.api.to("wangfang")] == ["收到，线索 1109-01。"]
    assert remote == rig.api.messages[0].msgid


async def test_long_texts_are_split_by_bytes_and_never_cut_by_the_server(rig: Rig) -> None:
    text = "\n".join("金穗家园的路灯由区财政出资，不向住户收费。" for _ in range(90))
    parts = split(text, LIMITS.text, LIMITS.measure)
    assert len(parts) > 2
    for number, part in enumerate(parts):
        assert measure(part) <= TEXT
        await rig.say(part, key=f"k.{number}")
    assert [one.text for one in rig.api.to("wangfang")] == parts


async def test_a_short_card_is_one_message_with_our_tokens_as_keys(rig: Rig) -> None:
    await rig.say("🟠 橙 · 云江-0312\n请签收。", buttons=presses("签收", "退回"))
    (card,) = rig.api.to("wangfang")
    assert card.text == "🟠 橙 · 云江-0312\n请签收。"
    assert card.keys == {"签收": "tok1", "退回": "tok2"}


async def test_what_a_card_cannot_hold_comes_as_a_text_before_it(rig: Rig) -> None:
    text = "🟠 橙 · 云江-0312 · 请主办\n" + "七条线索，涉及四个群。\n" * 20
    await rig.say(text, buttons=presses("签收"))
    words, card = rig.api.to("wangfang")
    assert words.text == text
    assert card.text == "🟠 橙 · 云江-0312 · 请主办"
    assert card.labels == ["签收"]


async def test_more_than_six_buttons_make_more_cards(rig: Rig) -> None:
    labels = [f"账号 {n}" for n in range(1, 9)]
    remote = await rig.say("哪个账号？", buttons=presses(*labels))
    first, second = rig.api.to("wangfang")
    assert first.labels + second.labels == labels
    await rig.say("哪个账号？\n— 已由 王芳 于 15:02 选定", edits=remote)
    assert first.labels == second.labels == []


async def test_a_card_changes_once_after_the_click_and_loses_its_buttons(rig: Rig) -> None:
    remote = await rig.say("云江-0312\n请签收。", buttons=presses("签收"))
    (card,) = rig.api.to("wangfang")
    await rig.api.press(card, "签收")
    (pressed,) = await rig.heard()
    assert (pressed.kind, pressed.token, pressed.chat) == ("button", "tok1", "wangfang")
    await rig.say("云江-0312\n请签收。\n— 已由 王芳 于 15:02 签收", edits=remote)
    assert "已由 王芳" in card.text
    assert (card.labels, card.card["replace_text"]) == ([], "已处理")
    used = [code for code in rig.api.codes.values() if code.used]
    assert len(used) == 1, "the click's own code, the one of the sending stays"


async def test_a_card_changes_without_a_click_and_after_72_hours_no_more(rig: Rig) -> None:
    remote = await rig.say("云江-0312", key="a", buttons=presses("签收"))
    await rig.say("云江-0312\n— 已由 李敏 于 15:02 签收", key="b", edits=remote)
    assert "李敏" in rig.api.to("wangfang")[0].text
    again = await failure(rig, text="云江-0312\n— 又一次", key="c", edits=remote)
    assert (again.code, again.permanent) == ("40096", True)
    late = await rig.say("云江-0313", key="d", buttons=presses("签收"))
    rig.api.forward(72 * 3600 + 1)
    error = await failure(rig, text="云江-0313\n— 太晚", key="e", edits=late)
    assert (error.code, error.permanent, error.unknown) == ("40096", True, False)


async def test_a_repeated_text_is_dropped_and_a_repeated_card_counts_as_arrived(rig: Rig) -> None:
    text = "长" * 300
    rig.api.fail("message/send", drop=True, after=True)
    lost = await failure(rig, text=text, buttons=presses("签收"))
    assert lost.unknown
    remote = await rig.say(text, buttons=presses("签收"))
    again = await rig.say(text, buttons=presses("签收"))
    assert [one.kind for one in rig.api.to("wangfang")] == ["text", "template_card"]
    assert remote.partition(";")[0] == again.partition(";")[0] != ""


async def test_two_messages_with_the_same_words_both_arrive(rig: Rig) -> None:
    await rig.say("已暂停。", key="d1")
    await rig.say("已暂停。", key="d2")
    assert len(rig.api.to("wangfang")) == 2


@pytest.mark.parametrize("to", ["hidden", "nobody", "free"])
async def test_nobody_reached_is_a_failure_though_http_says_200(rig: Rig, to: str) -> None:
    error = await failure(rig, to=to)
    assert error.permanent
    assert error.code == "81013"


async def test_partial_success_is_read_and_recorded(rig: Rig) -> None:
    remote = await rig.say(to="wangfang|hidden|free|limin")
    assert len(rig.api.messages) == 2
    assert remote.endswith("!hidden|free")


@pytest.mark.parametrize(
    ("code", "permanent", "waits"),
    [
        (60011, True, False),
        (48002, True, False), (45009, False, True), (-1, False, True), (6000, False, True),
        (999999, True, False),
    ],
)  # fmt: skip
async def test_error_codes(rig: Rig, code: int, permanent: bool, waits: bool) -> None:
    await rig.say("先来一个", key="k0")
    rig.api.fail("message/send", errcode=code)
    error = await failure(rig)
    assert (error.code, error.permanent, error.unknown) == (str(code), permanent, False)
    assert (error.retry_after is not None) is waits
    await rig.say("好了")


@pytest.mark.parametrize("code", [40013, 40001, 60020])
async def test_a_wrong_set_up_costs_no_message_and_is_not_asked_about_again(
    rig: Rig, code: int
) -> None:
    """Id, secret, IP list: the administrator mends it, then what has waited goes out."""
    await rig.say("先来一个", key="k0")
    rig.api.fail("message/send", errcode=code)
    for _ in range(3):
        error = await failure(rig)
        assert (error.code, error.permanent, error.unknown) == (str(code), False, False)
        assert error.retry_after == timedelta(minutes=10)
    assert len(rig.api.called("message/send")) == 2, "the first, and the one that was refused"
    assert str(code) in await rig.channel.ping()
    rig.passed = timedelta(minutes=10)
    await rig.say("好了")
    assert await rig.channel.ping() == ""


@pytest.mark.parametrize("fault", [{"status": 502}, {"garbage": "<html>"}, {"drop": True}])
async def test_what_is_no_answer_is_unknown(rig: Rig, fault: dict[str, object]) -> None:
    rig.api.fail("message/send", **fault)
    error = await failure(rig)
    assert error.unknown
    assert not error.permanent


async def test_an_expired_token_is_replaced_once_and_the_message_goes_out(rig: Rig) -> None:
    await rig.say("一", key="k1")
    rig.api.expire()
    await rig.say("二", key="k2")
    assert [one.text for one in rig.api.to("wangfang")] == ["一", "二"]
    assert rig.api.fetches == 2


async def test_many_messages_at_once_fetch_one_token(rig: Rig) -> None:
    await asyncio.gather(*(rig.say(str(n), key=f"k{n}") for n in range(12)))
    assert rig.api.fetches == 1
    assert len(rig.api.messages) == 12


async def test_a_server_that_is_down_has_not_received_anything(rig: Rig) -> None:
    await rig.say("一", key="k1")
    await rig.api.stop()
    error = await failure(rig)
    assert (error.permanent, error.unknown) == (False, False)
    assert await rig.channel.ping() == ""


async def test_ping_says_what_is_wrong_without_the_secret(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rig.api.secret = "another"
    fault = await rig.channel.ping()
    assert fault.startswith("40001")
    assert "app-secret-of-the-test" not in fault + caplog.text


async def test_secrets_never_reach_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.say("一")
    rig.api.fail("message/send", drop=True)
    await failure(rig, key="k2")
    assert "TOKEN-1" not in caplog.text
    assert "app-secret-of-the-test" not in caplog.text
