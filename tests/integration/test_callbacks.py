"""Callbacks of strangers: no 500, nothing unsigned, stale or foreign is taken. Two encryptions agree."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Call, Outgoing
from bot.platforms.wechat_official.account import open_account
from bot.platforms.wechat_official.channel import OfficialChannel
from bot.wechat.callback import cdata, text_reply
from config.wechat import WechatAccount
from matrix.core.conversation import Inbound
from tests.doubles.official_account import (
    OfficialAccountServer,
    Sealed,
    fields_of,
    xml_of,
)
from tests.journeys.official_play import account

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


class Bench:
    """A channel whose ledger is a list."""

    def __init__(self) -> None:
        self.stored: dict[str, Inbound] = {}
        made = WechatAccount.model_validate(account(verified=False, post="", cover=""))
        nothing: Any = None
        self.channel = OfficialChannel(
            open_account(made, root="http://127.0.0.1:9", tokens=nothing, now=self.now),
            self.store, nothing, self.again, nothing, clock=self, ids=self, hello="帮助",
            patience=0.0,
        )  # fmt: skip

    def now(self) -> datetime:
        return NOW

    def new(self) -> str:
        return f"id{len(self.stored)}"

    def token(self) -> str:
        return "t"

    async def store(self, message: Inbound) -> bool:
        fresh = message.message_id not in self.stored
        self.stored.setdefault(message.message_id, message)
        return fresh

    async def again(self, message: Inbound, limits: Any) -> str:
        del message, limits
        return ""

    async def post(self, query: dict[str, str], body: bytes) -> int:
        call = Call(method="POST", query=query, headers={}, body=body)
        return (await self.channel.called(call)).status


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.channel.aclose()


MESSAGE = {
    "ToUserName": "gh_1", "FromUserName": "o" * 28, "CreateTime": STAMP, "MsgType": "text",
    "Content": "听说明天停水", "MsgId": "1001",
}  # fmt: skip


def signed(
    fields: dict[str, Any] | str, stamp: str = STAMP, sealed: Sealed | None = None
) -> tuple[dict[str, str], bytes]:
    xml = fields if isinstance(fields, str) else xml_of(fields)
    return (sealed or Sealed()).packed(xml, stamp, "n1")


async def test_a_signed_message_is_stored_once_however_often_it_comes(bench: Bench) -> None:
    query, body = signed(MESSAGE)
    assert [await bench.post(query, body) for _ in range(3)] == [200, 200, 200]
    (one,) = bench.stored.values()
    assert (one.text, one.external) == ("听说明天停水", "o" * 28)


async def test_of_two_answers_to_one_message_only_the_given_one_is_there(bench: Bench) -> None:
    def said(text: str) -> Outgoing:
        return Outgoing(key=text, address="openid", text=text, answers="m1", conversation=True)

    with bench.channel._rendezvous.waiting("m1"):
        assert await bench.channel.send(said("收到。")) == "reply:m1"
    assert await bench.channel.posted(said("收到。")) == "reply:m1"
    assert await bench.channel.posted(said("另外一句。")) is None, "nobody can say"


@pytest.mark.parametrize("change", ["signature", "timestamp", "nonce", "msg_signature"])
async def test_a_changed_query_is_refused(bench: Bench, change: str) -> None:
    query, body = signed(MESSAGE)
    del query["signature"]
    if change == "signature":
        query["msg_signature"] = ""
    else:
        query[change] = query[change][:-1] + ("0" if query[change][-1] != "0" else "1")
    assert await bench.post(query, body) == 403
    assert not bench.stored


async def test_what_is_stale_foreign_plain_or_huge_is_refused(bench: Bench) -> None:
    for query, body in (
        signed(MESSAGE, stamp=str(int(STAMP) - 301)),
        signed(MESSAGE, stamp=str(int(STAMP) + 301)),
        signed(MESSAGE, sealed=Sealed(app_id="wxanother")),
        signed(MESSAGE, sealed=Sealed(token="another")),
        (signed(MESSAGE)[0], xml_of(MESSAGE).encode()),
    ):
        assert await bench.post(query, body) == 403
    assert await bench.post(signed(MESSAGE)[0], b"x" * 70_000) == 413
    assert not bench.stored


async def test_entities_are_not_read(bench: Bench) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Content>&a;</Content></xml>'
    assert await bench.post(signed(bomb)[0], bomb.encode()) == 403
    assert await bench.post(*signed(bomb)) == 403


QUERY = st.dictionaries(
    st.sampled_from(["timestamp", "nonce", "msg_signature", "signature", "encrypt_type", "x"]),
    st.one_of(st.text(max_size=40), st.just(STAMP)),
)
BODY = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(
        lambda t: f"<xml><Encrypt>{t}</Encrypt></xml>".encode("utf-8", "replace")
    ),
    st.text(max_size=200).map(lambda t: f"<xml>{t}</xml>".encode("utf-8", "replace")),
)


@given(query=QUERY, body=BODY)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_junk_is_taken_and_none_breaks_anything(query: dict[str, str], body: bytes) -> None:
    made = Bench()
    assert asyncio.run(made.post(query, body)) in {403, 413}
    assert not made.stored


NAMES = st.sampled_from(
    [
        "MsgType",
        "FromUserName",
        "Event",
        "EventKey",
        "Content",
        "MsgId",
        "MediaId",
        "Title",
        "Recognition",
        "CreateTime",
    ]
)
XML_TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=60)
VALUE = st.one_of(
    XML_TEXT,
    st.sampled_from(["event", "text", "link", "subscribe", "CLICK"]),
    st.lists(XML_TEXT, max_size=2),
    st.dictionaries(st.just("a"), XML_TEXT),
)


@given(fields=st.dictionaries(NAMES, VALUE))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_signed_is_answered(fields: dict[str, Any]) -> None:
    made = Bench()
    fields.pop("MediaId", None)
    assert asyncio.run(made.post(*signed(fields))) in {200, 403}


@given(text=st.text(max_size=200))
def test_nothing_breaks_out_of_a_reply_and_nothing_breaks_it(text: str) -> None:
    """Rumors come from platforms that take more characters than XML can write."""
    xml = text_reply(to="o1", sender="gh", text=text + "]]><Evil>1</Evil>", at=NOW)
    found = fields_of(xml)
    assert set(found) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
    written = "".join(one for one in text if one >= " " or one in "\t\n\r")
    written = re.sub("[\ud800-\udfff\ufffe\uffff]", "", written) + "]]><Evil>1</Evil>"
    assert found["Content"].replace("\r\n", "\n").replace("\r", "\n") == written.replace(
        "\r\n", "\n"
    ).replace("\r", "\n")


def test_the_end_mark_of_cdata_is_split() -> None:
    assert cdata("a]]>b") == "<![CDATA[a]]]]><![CDATA[>b]]>"


async def test_the_address_is_verified_by_its_signature(bench: Bench) -> None:
    sealed = Sealed()
    query = {
        "signature": sealed.sign(STAMP, "n"),
        "timestamp": STAMP,
        "nonce": "n",
        "echostr": "e1",
    }
    answer = await bench.channel.called(Call(method="GET", query=query, headers={}, body=b""))
    assert (answer.status, answer.body) == (200, b"e1")
    forged = query | {"signature": "0" * 40}
    answer = await bench.channel.called(Call(method="GET", query=forged, headers={}, body=b""))
    assert (answer.status, answer.body) == (403, b"")


def test_every_fault_of_an_account_is_told_at_once() -> None:
    from config.settings import SettingsError, load

    bad = [
        {"name": "A b", "app_id": "x", "secret": "short", "token": "t"},
        account(aes_key="short"),
    ]
    with pytest.raises(SettingsError) as caught:
        load({"PIYAO_WECHAT_ACCOUNTS": json.dumps(bad), "PIYAO_PORT": "x"})
    assert len(caught.value.faults) >= 6
    assert "an-app-secret" not in repr(caught.value.faults)
    with pytest.raises(SettingsError) as caught:
        load({"PIYAO_WECHAT_ACCOUNTS": "{"})
    assert caught.value.faults[0][1] == "not_json"


def test_the_server_double_speaks_of_expired_windows() -> None:
    server = OfficialAccountServer()
    server.message("o1", "text", Content="x")
    server.forward(49 * 3600)
    assert [one for one in server.windows["o1"].grants if one[0] > server.seconds] == []
