"""The guarded client against a server on loopback: one refresh, every failure told apart."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.means import KeySealer
from bot.tokens import Tokens
from bot.wechat.client import Api, official_api, wecom_api
from bot.wechat.outcomes import ApiError, redact
from storage.engine import open_engine
from storage.migrate import upgrade
from tests.doubles.wechat_wire import Answer, Call, WechatWire

SECRET = "the-app-secret-0123456789"
OPENID = "o" + "A" * 27


class Server(WechatWire):
    """A little of both platforms."""

    def answers(self) -> dict[str, Answer]:
        return {
            "stable_token": self._token,
            "gettoken": self._token,
            "message/custom/send": lambda call: None,
            "message/send": lambda call: {"errcode": 0, "msgid": "m1", "invaliduser": "b"},
            "media/upload": lambda call: {"type": "image", "size": len(call.files["media"])},
            "media/get": self._file,
            "menu/get": lambda call: {"menu": {}},
            "templates": lambda call: None,
        }

    def __init__(self) -> None:
        super().__init__()
        self.answer_raw: dict[str, Callable[[web.Request], Any]] = {}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = self.answer_raw.get(request.match_info["endpoint"])
        found: web.StreamResponse = await (raw or super()._serve)(request)
        return found

    def _token(self, call: Call) -> dict[str, Any]:
        assert call.body.get("force_refresh") is None
        return {"access_token": self.live_token(), "expires_in": 7200}

    def _file(self, call: Call) -> Any:
        return web.Response(
            body=b"\x89PNG" + call.query["media_id"].encode(), content_type="image/png"
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as one:
        yield one


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    url = f"sqlite:///{tmp_path / 'test.db'}"
    await asyncio.to_thread(upgrade, url)
    made = open_engine(url)
    yield made
    await made.dispose()


@asynccontextmanager
async def official(engine: AsyncEngine, root: str) -> AsyncIterator[Api]:
    tokens = Tokens(engine, KeySealer("k" * 40), "here")
    api = official_api(account="wechat:a", app_id="wx1", secret=SECRET, root=root, tokens=tokens)
    yield api
    await api.aclose()


@pytest.fixture
async def api(engine: AsyncEngine, server: Server) -> AsyncIterator[Api]:
    async with official(engine, server.url) as one:
        yield one


def hello(client: Any) -> Any:
    return client.message.send_text(OPENID, "你好")


async def failing(api: Api, act: Callable[[Any], Any] = hello, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await api.call(act, **options)
    return caught.value


def kind(error: ApiError) -> str:
    if error.retry_after is not None:
        return f"again in {error.retry_after.total_seconds():.0f}"
    return "unknown" if error.unknown else "permanent" if error.permanent else "not sent"


async def test_parallel_calls_fetch_one_token_and_send_it(api: Api, server: Server) -> None:
    await asyncio.gather(*(api.call(hello) for _ in range(12)))
    assert server.fetches == 1
    sent = server.called("message/custom/send")
    assert len(sent) == 12
    assert sent[0].body == {"touser": OPENID, "msgtype": "text", "text": {"content": "你好"}}


async def test_parallel_refusals_of_a_token_cause_one_refresh(api: Api, server: Server) -> None:
    await api.call(hello)
    server.expire()
    await asyncio.gather(*(api.call(hello) for _ in range(4)))
    assert server.fetches == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_stays_refused_costs_one_refresh_and_one_retry(
    api: Api, server: Server, code: int
) -> None:
    server.fail("message/custom/send", errcode=code, times=-1)
    error = await failing(api)
    assert (error.errcode, kind(error)) == (code, "not sent")
    asked = [one.endpoint for one in server.calls]
    assert asked == ["stable_token", "message/custom/send", "stable_token", "message/custom/send"]


CODES = [
    ({"errcode": -1}, {}, "unknown"),
    ({"errcode": -1}, {"repeatable": True}, "again in 5"),
    ({"errcode": 45015}, {}, "permanent"),
    ({"errcode": 45047}, {}, "permanent"),
    ({"errcode": 45011}, {}, "again in 60"),
    ({"errcode": 48001}, {}, "permanent"),
    ({"errcode": 40164}, {}, "permanent"),
    ({"errcode": 99999}, {}, "permanent"),
    ({"status": 502}, {}, "unknown"),
    ({"status": 413}, {}, "permanent"),
    ({"status": 429}, {}, "again in 60"),
    ({"garbage": "<html>busy</html>"}, {}, "unknown"),
    ({"garbage": "[1]"}, {}, "unknown"),
    ({"garbage": '{"errcode": "soon"}'}, {}, "unknown"),
    ({"drop": True}, {}, "unknown"),
    ({"drop": True, "after": True}, {}, "unknown"),
]


@pytest.mark.parametrize(("fault", "options", "expected"), CODES)
async def test_every_failure_is_told_apart(
    api: Api, server: Server, fault: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    server.fail("message/custom/send", **fault)
    assert kind(await failing(api, **options)) == expected
    assert len(server.called("message/custom/send")) == 1


async def test_the_daily_quota_comes_back_the_next_day(api: Api, server: Server) -> None:
    server.fail("message/custom/send", errcode=45009)
    error = await failing(api)
    assert error.retry_after is not None
    assert timedelta() < error.retry_after <= timedelta(days=1, minutes=1)


async def test_nobody_listening_is_not_sent(api: Api, server: Server) -> None:
    await api.call(hello)
    await server.stop()
    assert kind(await failing(api)) == "not sent"


async def test_an_answer_that_does_not_come_is_unknown(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.call(hello)
    api._client.timeout = (1, 0.05)
    server.fail("message/custom/send", delay=1)
    error = await failing(api)
    assert (error.code, kind(error)) == ("timeout", "unknown")


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"garbage": "?"}])
async def test_without_a_token_nothing_was_sent(
    api: Api, server: Server, fault: dict[str, Any]
) -> None:
    server.fail("stable_token", **fault)
    assert kind(await failing(api)) == "not sent"
    assert server.called("message/custom/send") == []


async def test_a_wrong_ip_stops_at_the_token_and_is_asked_about_once(
    api: Api, server: Server
) -> None:
    told = f"invalid ip 203.0.113.9, not in whitelist, secret={SECRET} {SECRET}"
    server.fail("stable_token", errcode=40164, errmsg=told, times=-1)
    for _ in range(3):
        error = await failing(api)
        assert (error.errcode, kind(error)) == (40164, "permanent")
        assert "203.0.113.9" in error.said
        assert SECRET not in error.said
        assert await api.reachable() == f"40164 {error.said}"
    assert len(server.called("stable_token")) == 1, "a day has so many tokens"
    assert server.called("message/custom/send") == []


async def test_an_upload_is_whole_on_the_second_try_too(api: Api, server: Server) -> None:
    await api.call(hello)
    server.expire()
    answer = await api.upload("media/upload", {"type": "image"}, ("a.png", b"12345", "image/png"))
    assert answer["size"] == 5
    assert [len(one.files["media"]) for one in server.called("media/upload")] == [5, 5]


async def test_a_file_comes_down_and_a_refusal_in_its_place_is_one(
    api: Api, server: Server
) -> None:
    assert await api.download("media/get", {"media_id": "M"}) == b"\x89PNGM"
    server.expire()
    assert await api.download("media/get", {"media_id": "N"}) == b"\x89PNGN"
    server.fail("media/get", errcode=40007)
    with pytest.raises(ApiError) as caught:
        await api.download("media/get", {"media_id": "M"})
    assert (caught.value.errcode, kind(caught.value)) == (40007, "permanent")
    server.fail("media/get", status=503)
    with pytest.raises(ApiError) as caught:
        await api.download("media/get", {"media_id": "M"})
    assert kind(caught.value) == "unknown"


async def test_a_file_that_breaks_off_is_an_error_like_any_other(api: Api, server: Server) -> None:
    """As a callback's picture it must not become a 500: the message would be lost with it."""

    async def torn(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": "999"})
        await answer.prepare(request)
        await answer.write(b"\x89PNG")
        assert request.transport is not None
        request.transport.abort()
        return answer

    server.answer_raw["media/get"] = torn
    with pytest.raises(ApiError) as caught:
        await api.download("media/get", {"media_id": "M"})
    assert (caught.value.code, kind(caught.value)) == ("network", "not sent")


async def test_no_real_host_is_ever_asked(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = socket.getaddrinfo

    def told(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", told)
    for act in (
        hello,
        lambda client: client.menu.get(),
        lambda client: client.template.get_all_private_template(),
        lambda client: client.wxa.get_wxa_code_unlimited("s"),
        lambda client: client.shakearound.list_device(),
        lambda client: client.get("https://api.weixin.qq.com/cgi-bin/menu/get"),
    ):
        await asyncio.gather(api.call(act), return_exceptions=True)
    assert set(asked) <= {"127.0.0.1"}
    assert [one.endpoint for one in server.calls][-1] == "menu/get"


async def test_nothing_that_comes_out_carries_a_secret(
    api: Api, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await api.call(hello)
    token = next(iter(server.tokens))
    seen = []
    for fault in (
        {"drop": True},
        {"status": 500},
        {"errcode": 40003, "errmsg": f"for access_token={token}&x"},
    ):
        server.fail("message/custom/send", **fault)
        error = await failing(api)
        seen.append(
            f"{error!r} {error} {error.said} {error.__cause__!r} {error.__suppress_context__}"
        )
    await server.stop()
    seen.append(repr(await failing(api)))
    for text in (*seen, caplog.text):
        assert SECRET not in text
        assert token not in text
    assert all("True" in one for one in seen[:3]), "the library's own exception is not chained"


async def test_wecom_reads_its_own_table(engine: AsyncEngine, server: Server) -> None:
    tokens = Tokens(engine, KeySealer("k" * 40), "here")
    api = wecom_api(account="wecom:1", corp_id="ww1", secret=SECRET, root=server.url, tokens=tokens)
    sent = await api.call(lambda client: client.message.send_text("1", ["a", "b"], content="好"))
    assert sent["invaliduser"] == "b"
    server.expire()
    await api.call(lambda client: client.message.send_text("1", ["a"], content="好"))
    assert len(server.called("gettoken")) == 2
    assert server.called("gettoken")[0].query == {"corpid": "ww1", "corpsecret": SECRET}
    for code, expected in ((81013, "permanent"), (45009, "again in 60"), (40001, "permanent")):
        server.fail("message/send", errcode=code)
        assert (
            kind(await failing(api, lambda c: c.message.send_text("1", ["a"], content="好")))
            == expected
        )
    await api.aclose()


def test_secrets_in_urls_are_blotted_out() -> None:
    shown = redact("GET /x?corpsecret=abc&access_token=def HTTP; abc!", ["abc!"])
    assert shown == "GET /x?corpsecret=***&access_token=*** HTTP; ***"


async def test_reachable_says_what_is_wrong(api: Api, server: Server) -> None:
    server.fail("stable_token", errcode=45009, errmsg="no more today")
    assert await api.reachable() == "45009 no more today"
    assert await api.reachable() == ""
