"""Sending through Telegram, against a server that speaks the Bot API."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channel import Channel, Press
from bot.platforms.telegram.client import TelegramSettings, delivery_error
from bot.platforms.telegram.limits import LIMITS
from matrix.core.errors import DeliveryError
from tests.doubles.bot_api import BotApi
from tests.doubles.telegram_rig import Rig, directly, rigged


@pytest.fixture
async def api(monkeypatch) -> AsyncIterator[BotApi]:
    async with directly(monkeypatch) as server:
        yield server


@pytest.fixture
async def rig(api) -> AsyncIterator[Rig]:
    async with rigged(api) as built:
        yield built


def press(number: int, label: str) -> Press:
    return Press(token=f"tok{number}", label=label, number=number)


async def refused(sending) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await sending
    return caught.value


async def test_a_message_arrives_as_html_with_buttons_and_no_preview(api, rig):
    channel: Channel = rig.channel
    assert channel.platform == "telegram"
    long = "看全部线索和来源的完整名单"
    labels = ["签收", long, "转交", "看线索", "退回"]
    buttons = tuple(press(n, label) for n, label in enumerate(labels))
    remote = await rig.send("<b>云江-0312</b> 1 &lt; 2 https://example.org", buttons=buttons)
    sent = api.messages[0]
    assert remote == sent.remote == f"42:{sent.message_id}"
    assert sent.plain == "云江-0312 1 < 2 https://example.org"
    assert sent.labels == [["签收"], [long], ["转交", "看线索"], ["退回"]]
    assert not sent.preview


async def test_a_channel_is_addressed_by_name_and_remembered_by_number(api, rig):
    remote = await rig.send(address="@yunjiang")
    assert remote == api.messages[0].remote
    assert remote.startswith("-100")
    assert await rig.send("改", address="@yunjiang", edits=remote) == remote
    assert (api.messages[0].text, api.messages[0].edits) == ("改", ["好"])


async def test_an_edit_drops_the_buttons_and_may_be_repeated(api, rig):
    remote = await rig.send("任务", "-100123", buttons=(press(1, "签收"),))
    for _ in range(2):
        assert await rig.send("已签收", "-100123", edits=remote) == remote
    assert (api.messages[0].plain, api.messages[0].buttons) == ("已签收", [])


@pytest.mark.parametrize("remote", ["junk", "42:", ":7", "42:x"])
async def test_a_foreign_remote_id_is_refused(rig, remote):
    assert (await refused(rig.send(edits=remote))).permanent


async def test_an_edit_of_a_message_that_is_gone_is_refused(rig):
    error = await refused(rig.send(edits="42:999"))
    assert (error.code, error.permanent) == ("400 Message to edit not found", True)


@pytest.mark.parametrize(
    ("fault", "code", "flags"),
    [
        (
            {"status": 400, "description": "Bad Request: chat not found"},
            "400 Chat not found",
            (True, False),
        ),
        (
            {"status": 403, "description": "Forbidden: bot was blocked by the user"},
            "403 Forbidden: bot was blocked by the user",
            (True, False),
        ),
        ({"status": 401, "description": "Unauthorized"}, "401 Unauthorized", (True, False)),
        ({"status": 429, "retry_after": 7}, "429", (False, False)),
        ({"status": 500}, "network", (False, True)),
        ({"status": 502}, "network", (False, True)),
        ({"garbage": "<html>no gateway</html>"}, "network", (False, True)),
        ({"garbage": "[]"}, "network", (False, True)),
        ({"garbage": '{"ok": true, "result": {}}'}, "network", (False, True)),
        ({"garbage": '{"ok": true}'}, "network", (False, True)),
        ({"drop": True}, "network", (False, True)),
    ],
)
async def test_what_a_failure_means(api, rig, fault, code, flags):
    api.fail("sendMessage", **fault)
    error = await refused(rig.send())
    assert (error.code, (error.permanent, error.unknown)) == (code, flags)
    assert error.retry_after == (timedelta(seconds=7) if "retry_after" in fault else None)
    assert api.messages == []
    assert await rig.send(), "and it goes on"


async def test_an_answer_lost_after_the_effect_is_unknown(api, rig):
    api.fail("sendMessage", drop=True, after=True)
    assert (await refused(rig.send())).unknown
    assert len(api.messages) == 1


async def test_an_answer_too_late_is_unknown(api):
    async with rigged(api, patience=timedelta(milliseconds=50)) as rig:
        api.fail("sendMessage", delay=5, after=True)
        error = await refused(rig.send())
    assert (error.code, error.unknown, error.permanent) == ("timeout", True, False)
    assert len(api.messages) == 1


async def test_a_refused_connection_is_not_sent_and_may_be_repeated(api, rig):
    await api.stop()
    error = await refused(rig.send())
    assert (error.code, error.unknown, error.permanent) == ("not_sent", False, False)
    await api.start()
    assert await rig.send()


@pytest.mark.parametrize(
    ("raised", "cause", "code", "unknown", "permanent"),
    [
        (TimedOut(), httpx.PoolTimeout(""), "not_sent", False, False),
        (TimedOut(), httpx.ConnectTimeout(""), "not_sent", False, False),
        (NetworkError("x"), httpx.ConnectError(""), "not_sent", False, False),
        (TimedOut(), httpx.ReadTimeout(""), "timeout", True, False),
        (TimedOut(), httpx.WriteTimeout(""), "timeout", True, False),
        (NetworkError("x"), httpx.ReadError(""), "network", True, False),
        (NetworkError("x"), httpx.RemoteProtocolError(""), "network", True, False),
        (TelegramError("x"), None, "network", True, False),
        (BadRequest("x"), httpx.ConnectError(""), "400 x", False, True),
        (
            ChatMigrated(-1007),
            None,
            "400 Group migrated to supergroup. New chat id: -1007",
            False,
            True,
        ),
    ],
)
def test_causes_decide_what_is_known(raised, cause, code, unknown, permanent):
    raised.__cause__ = cause
    error = delivery_error(raised, "tok")
    assert (error.code, error.unknown, error.permanent) == (code, unknown, permanent)


def test_a_flood_keeps_its_fraction():
    error = delivery_error(RetryAfter(timedelta(seconds=1.5)), "tok")
    assert error.retry_after == timedelta(seconds=1.5)


async def test_our_measure_is_the_servers(rig):
    fits = "<b>" + "😀" * 2047 + "</b>&amp;&lt;"
    assert LIMITS.measure(fits) == LIMITS.text == 4096
    assert await rig.send(fits)
    error = await refused(rig.send(fits + "x"))
    assert (error.code, error.permanent) == ("400 Message is too long", True)


async def test_ping_says_one_short_word(api, rig):
    assert await rig.channel.ping() == ""
    api.fail("getMe", status=500)
    assert await rig.channel.ping() == "unreachable"
    api.fail("getMe", garbage="{}")
    assert await rig.channel.ping() == "unreachable"
    async with rigged(api, token="1:wrong") as other:
        assert await other.channel.ping() == "unauthorized"
    await api.stop()
    assert await rig.channel.ping() == "unreachable"


def test_settings_that_cannot_work_are_refused_and_secrets_not_shown():
    with pytest.raises(ValueError, match="token"):
        TelegramSettings(token="")
    with pytest.raises(ValueError, match="secret"):
        TelegramSettings(token="1:a", webhook_url="https://example.org")
    shown = repr(TelegramSettings(token="1:hidden", webhook_secret="hush"))
    assert "hidden" not in shown
    assert "hush" not in shown


async def test_the_token_is_in_no_log_and_no_error(api, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    told = ""
    async with rigged(api) as rig:
        api.push_photo(42, b"x")
        await rig.hears()
        for fault in (
            {"status": 400, "description": f"Bad Request: /bot{api.token}/sendMessage"},
            {"garbage": f"<html>cannot reach /bot{api.token}/sendMessage</html>"},
            {"status": 500, "description": f"at /bot{api.token}"},
            {"drop": True},
        ):
            api.fail("sendMessage", **fault)
            told += "".join(traceback.format_exception(await refused(rig.send())))
        api.fail("getMe", status=401, description=api.token)
        await rig.channel.ping()
        await api.stop()
        told += "".join(traceback.format_exception(await refused(rig.send())))
    async with rigged(api, token="987654:other-secret") as rig:
        await api.start()
        rig.on_pause = lambda: asyncio.sleep(0)
        async with rig.receiving():
            await api.until(lambda: len(rig.pauses) > 1 or api.calls[-1][0] != "getme")
    assert "telegram is failing: unauthorized" in caplog.text
    for secret in (api.token, "TEST-token", "other-secret"):
        assert secret.lower() not in (told + caplog.text).lower()
