"""Callbacks of the application: what is read, and what is turned away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Call
from tests.doubles import wechat_crypto
from tests.doubles.wecom_rig import Rig, presses, token_store, without_proxy
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import AES_KEY, CORP, TOKEN, Member


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    without_proxy(monkeypatch)
    async with WeCom() as api, token_store(tmp_path) as tokens:
        api.add(Member(userid="wangfang", name="王芳"))
        rig = Rig(tokens, api, None)
        yield rig
        await rig.channel.aclose()


async def test_the_address_is_verified_by_an_encrypted_echo(rig: Rig) -> None:
    sealed = wechat_crypto.seal("1616140317555161061", AES_KEY, CORP)
    query = {**rig.api.signed(sealed), "echostr": sealed}
    answer = await rig.call(query, b"", "GET")
    assert (answer.status, answer.body) == (200, b"1616140317555161061")
    assert (await rig.call({**query, "nonce": "other"}, b"", "GET")).status == 403
    assert (await rig.call({}, b"", "GET")).status == 403


async def test_a_text_is_stored_before_it_is_acknowledged(rig: Rig) -> None:
    sent = await rig.api.say("wangfang", "听说要停水三天]]><x>")
    (one,) = rig.stored.values()
    assert (one.platform, one.external, one.chat) == ("wecom", "wangfang", "wangfang")
    assert (one.text, one.kind) == (sent["Content"], "text")
    assert rig.api.statuses == [200]


async def test_three_tries_of_one_message_are_one(rig: Rig) -> None:
    sent = await rig.api.say("wangfang", "同一条")
    assert await rig.api.post(sent) == 200
    assert await rig.api.post(sent) == 200
    assert (len(rig.stored), rig.repeats) == (1, 2)


async def test_a_link_is_a_forwarded_lead(rig: Rig) -> None:
    await rig.api.share("wangfang", "震惊", "https://example.com/a", "全区停电")
    (one,) = rig.stored.values()
    assert one.text == "震惊\n全区停电\nhttps://example.com/a"
    assert one.forwarded


async def test_pictures_and_files_are_fetched(rig: Rig) -> None:
    await rig.api.picture("wangfang", b"\x89PNG picture")
    await rig.api.upload("wangfang", b"%PDF file", "通知.pdf")
    picture, file = rig.stored.values()
    assert (picture.files, file.files) == (("a1",), ("a2",))
    assert rig.files[1] == (b"%PDF file", "通知.pdf")


async def test_a_file_that_does_not_come_is_said_and_the_message_is_kept(rig: Rig) -> None:
    rig.api.fail("media/get", errcode=40007)
    await rig.api.picture("wangfang", b"x")
    rig.refuse_files = "attachment_too_large"
    await rig.api.picture("wangfang", b"y")
    first, second = rig.stored.values()
    assert first.text == "[file:attachment_unavailable]"
    assert second.text == "[file:attachment_too_large]"


async def test_events_without_a_button_say_nothing(rig: Rig) -> None:
    await rig.api.push("wangfang", "event", Event="enter_agent", EventKey="")
    await rig.api.push("wangfang", "location", Label="金穗家园")
    assert not rig.stored
    assert rig.api.statuses == [200, 200]


async def test_every_click_of_one_button_is_an_event_of_its_own(rig: Rig) -> None:
    await rig.say("选一个", buttons=presses("甲", "乙"))
    (card,) = rig.api.to("wangfang")
    first = await rig.api.press(card, "甲")
    await rig.api.press(card, "乙")
    await rig.api.post(first)
    assert [one.token for one in rig.stored.values()] == ["tok1", "tok2"]


async def test_what_the_database_does_not_keep_is_not_acknowledged(rig: Rig) -> None:
    rig.fail_store = 1
    with pytest.raises(OSError, match="locked"):
        await rig.api.say("wangfang", "丢不得")
    await rig.api.say("wangfang", "丢不得")
    assert len(rig.stored) == 1


async def test_stale_foreign_and_oversized_callbacks_are_turned_away(rig: Rig) -> None:
    inner = {
        "ToUserName": CORP, "FromUserName": "wangfang", "MsgType": "text", "Content": "旧",
        "MsgId": "1", "CreateTime": "1",
    }  # fmt: skip
    rig.api.forward(-3600)
    assert await rig.api.post(inner) == 403
    rig.api.forward(3600)
    sealed = wechat_crypto.seal("<xml><ToUserName>other</ToUserName></xml>", AES_KEY, "ww-other")
    body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
    assert (await rig.call(rig.api.signed(sealed), body)).status == 403
    query, good = rig.api.sealed(inner)
    assert (await rig.call(query, good + b" " * 70_000)).status == 403
    assert not rig.stored


_QUERY = st.dictionaries(
    st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr", "x"]),
    st.text(max_size=40),
    max_size=5,
)
_XML = st.text(max_size=200).map(
    lambda s: f"<xml><Encrypt><![CDATA[{s}]]></Encrypt></xml>".encode()
)


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(method=st.sampled_from(["GET", "POST"]), query=_QUERY, body=st.binary(max_size=300) | _XML)
async def test_junk_is_refused_and_never_accepted(
    rig: Rig, method: str, query: dict[str, str], body: bytes
) -> None:
    answer = await rig.channel.called(Call(method=method, query=query, headers={}, body=body))
    assert answer.status in {400, 403}
    assert not rig.stored


_FIELD = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="]"), max_size=30
)
_INNER = st.dictionaries(
    st.sampled_from(
        ["FromUserName", "MsgType", "Content", "MediaId", "Event", "EventKey", "MsgId"]
    ),
    _FIELD | st.sampled_from(["text", "event", "image", "template_card_event"]),
)


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(inner=_INNER, flip=st.integers(0, 300), tampered=st.booleans())
async def test_signed_nonsense_never_fails_and_a_changed_byte_is_never_accepted(
    rig: Rig, inner: dict[str, str], flip: int, tampered: bool
) -> None:
    query, body = rig.api.sealed({"ToUserName": CORP, **inner})
    if tampered:
        start = body.index(b"<Encrypt><![CDATA[") + 18
        at = start + flip % 100
        body = body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]
    answer = await rig.call(query, body)
    assert answer.status in ({403} if tampered else {200, 400, 403})


def test_the_official_token_and_key_have_the_documented_shape() -> None:
    assert len(AES_KEY) == 43
    assert 3 <= len(TOKEN) <= 32
