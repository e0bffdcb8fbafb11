"""Receiving from Telegram by polling and by webhook: nothing is lost, nothing is doubled."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from bot.channel import Press
from matrix.core.errors import DeliveryError
from tests.doubles.bot_api import BotApi
from tests.doubles.telegram_rig import Rig, directly, rigged

SECRET = {"X-Telegram-Bot-Api-Secret-Token": "s3cret"}
HOOK = {"webhook_url": "https://example.org/hooks/telegram", "webhook_secret": "s3cret"}


@pytest.fixture
async def api(monkeypatch) -> AsyncIterator[BotApi]:
    async with directly(monkeypatch) as server:
        yield server


@pytest.fixture
async def rig(api) -> AsyncIterator[Rig]:
    async with rigged(api) as built:
        yield built


async def test_an_update_is_confirmed_only_after_it_is_stored(api, rig):
    reached, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await go.wait()

    rig.before_store = hold
    api.push_text(42, "停水")
    update = api.updates[0]["update_id"]
    async with rig.receiving():
        await asyncio.wait_for(reached.wait(), 10)
        assert api.confirmed < update
        assert len(api.updates) == 1
        go.set()
        await api.until(lambda: api.confirmed == update)
    assert len(rig.stored) == 1


async def test_what_could_not_be_stored_comes_again(api, rig):
    async def broken() -> None:
        raise OSError("disk full")

    rig.before_store = broken
    api.push_text(42, "停水")
    with pytest.raises(OSError, match="disk full"):
        await rig.channel.run()
    rig.before_store = None
    assert (await rig.hears()).text == "停水"


async def test_a_repeated_update_is_recognised_by_its_id(api, rig):
    message = api.push_text(42, "停水")
    await rig.hears()
    api.push(message=message)
    await rig.hears()
    assert (len(rig.stored), rig.repeats) == (1, 1)


async def test_an_outage_at_start_is_waited_out(api, rig):
    await api.stop()

    async def repair() -> None:
        if len(rig.pauses) == 4:
            await api.start()

    rig.on_pause = repair
    api.push_text(42, "停水")
    assert (await rig.hears()).text == "停水"
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(rig.pauses))


async def test_long_outages_are_asked_after_once_a_minute(api, rig):
    api.fail("getMe", status=500, times=12)
    api.push_text(42, "停水")
    await rig.hears()
    assert 30 <= rig.pauses[-1] <= 60


async def test_failing_polls_are_repeated_as_long_as_asked(api, rig):
    api.fail("getUpdates", status=429, retry_after=7)
    api.fail("getUpdates", garbage='{"ok": true, "result": [1]}')
    api.fail("getUpdates", status=409, description="Conflict: terminated")
    api.fail("getUpdates", drop=True)
    api.push_text(42, "停水")
    await rig.hears()
    assert rig.pauses[0] == 7
    assert len(rig.pauses) == 4


async def test_polling_takes_down_a_webhook_left_behind(api, rig):
    api.webhook = {"url": "https://old.example.org"}
    api.push_text(42, "停水")
    await rig.hears()
    assert api.webhook == {}


async def test_the_webhook_is_announced_with_its_secret(api):
    async with rigged(api, **HOOK) as rig:
        api.fail("setWebhook", status=500)
        async with rig.receiving() as task:
            await api.until(lambda: api.webhook)
            assert not task.done()
    assert (api.webhook["url"], api.webhook["secret_token"]) == (HOOK["webhook_url"], "s3cret")
    assert "my_chat_member" in json.loads(api.webhook["allowed_updates"])


async def test_the_webhook_takes_only_what_is_ours(api):
    api.push_text(42, "停水")
    body = json.dumps(api.updates[0]).encode()
    async with rigged(api, **HOOK) as rig:
        take = rig.channel.webhook
        for wrong in (
            {},
            {"x-telegram-bot-api-secret-token": "x"},
            {"X-Telegram-Bot-Api-Secret-Token": "é"},
        ):
            assert await take(wrong, body) == 403
        for junk in (b"", b"\xff", b"{", b"[]", b'{"a": 1}', b'{"update_id": "1"}', b"[" * 100_000):
            assert await take(SECRET, junk) == 400
        assert rig.stored == {}
        api.fail("getMe", status=500)
        assert await take(SECRET, body) == 503
        assert rig.stored == {}
        assert [await take(SECRET, body) for _ in range(2)] == [200, 200]
        assert (len(rig.stored), rig.repeats) == (1, 1)
        assert await take(SECRET, b'{"update_id": 9, "message": "junk"}') == 200


async def test_a_channel_that_polls_takes_nothing_by_webhook(rig):
    assert await rig.channel.webhook({"x-telegram-bot-api-secret-token": ""}, b"{}") == 403


async def test_a_webhook_update_that_is_not_stored_is_not_acknowledged(api):
    async def broken() -> None:
        raise OSError("disk full")

    api.push_text(42, "停水")
    async with rigged(api, **HOOK) as rig:
        rig.before_store = broken
        with pytest.raises(OSError, match="disk full"):
            await rig.channel.webhook(SECRET, json.dumps(api.updates[0]).encode())


async def test_the_double_pushes_to_a_webhook_and_obeys_over_http(api):
    async with rigged(api, **HOOK) as rig, ClientSession() as session:

        async def hook(request: web.Request) -> web.Response:
            return web.Response(
                status=await rig.channel.webhook(request.headers, await request.read())
            )

        app = web.Application()
        app.router.add_post("/hook", hook)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        api.webhook = {
            "url": f"http://127.0.0.1:{runner.addresses[0][1]}/hook",
            "secret_token": "s3cret",
        }

        async def control(name: str, **arguments):
            async with session.post(f"{api.url}/control/{name}", json=arguments) as answer:
                return await answer.json()

        await control("push_text", user_id=42, text="停水")
        await control("push_photo", user_id=42, data="/9g=", caption="图")
        assert await control("deliver") == {"result": [200, 200]}
        await runner.cleanup()
        assert [one.text for one in rig.stored.values()] == ["停水", "图"]
        assert rig.files[0][0] == b"\xff\xd8"
        await control("fail", method="sendMessage", status=403)
        with pytest.raises(DeliveryError) as caught:
            await rig.send()
        assert caught.value.permanent
        remote = await rig.send(buttons=(Press(token="tok1", label="签收", number=1),))
        await control("press", user_id=42, message=remote, label="签收")
        async with session.get(f"{api.url}/control/messages?at_least=1&seconds=5") as answer:
            assert (await answer.json())["messages"][0]["text"] == "好"
        async with session.get(f"{api.url}/control/state") as answer:
            assert (await answer.json())["updates"][0]["callback_query"]["data"] == "tok1"
        assert "error" in await control("press", user_id=42, message=remote, label="没有")
        assert "error" in await control("stop")
