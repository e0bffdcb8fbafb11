"""A Bot API server on 127.0.0.1 that the real client talks to.

In process:   async with BotApi() as api: ...          (api.url, api.token)
As a process: python tests/doubles/bot_api.py --port N --record FILE
Then POST /control/<name> with the arguments of that method as JSON, for names in CONTROLS;
GET /control/messages[?at_least=N&seconds=S] waits for so many; GET /control/state.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, web

if not __package__:  # started as a script: the project's root is not on the path then
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.doubles.bot_api_wire import Fault, RefusedError
from tests.doubles.bot_api_world import TOKEN, World

PEOPLE = {"push", "push_text", "push_edit", "push_photo", "push_file", "push_joined", "press"}
CONTROLS = PEOPLE | {"fail", "mend", "deliver"}


class BotApi(World):
    """One bot's server: what it was told lies in ``messages``, ``answered`` and ``calls``."""

    def __init__(self, token: str = TOKEN, port: int = 0, record: str = "") -> None:
        super().__init__(token, record)
        self.port = port
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.faults: list[Fault] = []
        self._polls = 0
        self._closing = False
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again on the same port after ``stop``, with everything kept."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path}", self._file)
        app.router.add_get("/control/messages", self._show_messages)
        app.router.add_get("/control/state", self._show_state)
        app.router.add_post("/control/{name}", self._control)
        self._closing = False
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening: from now on connections are refused."""
        self._closing = True
        self._pulse()
        if self._runner is not None:
            await self._runner.cleanup()

    async def deliver(self) -> list[int]:
        """Post what is pending to the webhook, in order; stops at the first that is not 200."""
        statuses: list[int] = []
        secret = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        async with ClientSession() as session:
            while self.updates and not (statuses and statuses[-1] != 200):
                url, update = self.webhook["url"], self.updates[0]
                async with session.post(url, json=update, headers=secret) as answer:
                    statuses.append(answer.status)
                if statuses[-1] == 200:
                    self.updates.pop(0)
        return statuses

    # ---- the wire

    def fail(self, method: str = "*", **fault: Any) -> None:
        """Script a failure (see Fault); ``times=-1`` until ``mend``."""
        self.faults.append(Fault(method=method.lower(), **fault))

    def mend(self) -> None:
        self.faults.clear()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        params = {name: str(value) for name, value in (await request.post()).items()}
        self.calls.append((method, params))
        self._pulse()
        fault = self._fault(method, params)
        if fault is not None and not fault.after:
            spoiled = await self._spoil(fault, request)
            if spoiled is not None:
                return spoiled
        try:
            result = await self._answer(request.match_info["token"], method, params)
        except RefusedError as refused:
            return web.json_response(refused.body(), status=refused.status)
        self._pulse()
        if fault is not None and fault.after:
            spoiled = await self._spoil(fault, request)
            if spoiled is not None:
                return spoiled
        return web.json_response({"ok": True, "result": result})

    def _fault(self, method: str, params: dict[str, str]) -> Fault | None:
        fault = next((one for one in self.faults if one.meets(method, params)), None)
        if fault is not None:
            fault.times -= 1
        return fault

    async def _spoil(self, fault: Fault, request: web.Request) -> web.Response | None:
        if fault.delay:
            deadline = asyncio.get_running_loop().time() + fault.delay
            await self._quiet_until(lambda: False, deadline)
        if fault.drop and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if fault.garbage:
            return web.Response(text=fault.garbage)
        if fault.status:
            asked = {"retry_after": fault.retry_after} if fault.retry_after else {}
            refused = RefusedError(fault.status, fault.description or "scripted", **asked)
            return web.json_response(refused.body(), status=fault.status)
        return None

    async def _quiet_until(self, holds: Callable[[], object], deadline: float) -> None:
        left = deadline - asyncio.get_running_loop().time()
        try:
            await self.until(lambda: self._closing or holds(), max(left, 0))
        except TimeoutError:
            return

    async def _answer(self, token: str, method: str, params: dict[str, str]) -> Any:
        if token != self.token:
            raise RefusedError(401, "Unauthorized")
        if method == "getme":
            return self.me
        if method == "getupdates":
            return await self._get_updates(params)
        answers: dict[str, Callable[[dict[str, str]], Any]] = {
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "answercallbackquery": self._answer_callback_query,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getfile": self._get_file,
        }
        if method not in answers:
            raise RefusedError(404, "Not Found: method not found")
        return answers[method](params)

    async def _get_updates(self, params: dict[str, str]) -> list[dict[str, Any]]:
        if self.webhook.get("url"):
            raise RefusedError(409, "Conflict: can't use getUpdates method while webhook is active")
        self._polls += 1
        mine, offset = self._polls, int(params.get("offset") or 0)
        self.confirmed = max(self.confirmed, offset - 1)
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        self._pulse()
        deadline = asyncio.get_running_loop().time() + float(params.get("timeout") or 0)
        await self._quiet_until(lambda: self.updates or mine != self._polls, deadline)
        if mine != self._polls:
            raise RefusedError(409, "Conflict: terminated by other getUpdates request")
        return self.updates[: int(params.get("limit") or 100)]

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        fault = self._fault("download", {})
        if fault is not None and (spoiled := await self._spoil(fault, request)) is not None:
            return spoiled
        if request.match_info["token"] != self.token or path not in self.files:
            return web.json_response(RefusedError(404, "Not Found").body(), status=404)
        return web.Response(body=self.files[path][0])

    # ---- control from another process

    async def _control(self, request: web.Request) -> web.Response:
        name, arguments = request.match_info["name"], await request.json()
        if name not in CONTROLS:
            return web.json_response({"error": "no such control"}, status=404)
        try:
            result = getattr(self, name)(**arguments)
            if asyncio.iscoroutine(result):
                result = await result
        except (KeyError, TypeError, ValueError, RefusedError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        return web.json_response({"result": result})

    async def _show_messages(self, request: web.Request) -> web.Response:
        wanted = int(request.query.get("at_least", "0"))
        deadline = asyncio.get_running_loop().time() + float(request.query.get("seconds", "0"))
        await self._quiet_until(lambda: len(self.messages) >= wanted, deadline)
        return web.json_response({"messages": [asdict(one) for one in self.messages]})

    async def _show_state(self, request: web.Request) -> web.Response:
        keys = ("updates", "confirmed", "answered", "webhook", "calls")
        return web.json_response({key: getattr(self, key) for key in keys})


async def serve(port: int, record: str, token: str) -> None:
    async with BotApi(token, port, record) as api:
        print(api.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", default="")
    parser.add_argument("--token", default=TOKEN)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(**vars(parser.parse_args())))
