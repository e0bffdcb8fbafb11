"""The gateway of 智能机器人 on 127.0.0.1: WebSocket, one connection per bot, a new one kicks the old.

Frames as in path/101463 and the SDKs that speak to it: {cmd, headers: {req_id}, body}; answers
carry no cmd but errcode. Files lie encrypted at an address of their own, with a key each.
"""

import asyncio
import base64
import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.doubles.loopback import Loopback

BOT, BOT_SECRET = "aib-jiangbei-test", "bot-secret-of-the-test"


class WeComBot(Loopback):
    """``said`` is what the bot sent: (chat, body). ``known`` are the chats it may push to."""

    bot, secret = BOT, BOT_SECRET

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.frames: list[dict[str, Any]] = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.updated: list[tuple[str, dict[str, Any]]] = []
        self.known: set[str] = set()
        self.sessions = 0
        self.kicked = 0
        self.silent = False
        """Pings and messages get no answer."""
        self.refusals: dict[str, list[int]] = {}
        self.drop_after: set[str] = set()
        self._line: web.WebSocketResponse | None = None
        self._files: dict[str, bytes] = {}
        self._names = itertools.count(1)
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/", self._serve)
        app.router.add_get("/file/{name}", self._file)

    async def stop(self) -> None:
        await self.hang_up()
        await super().stop()

    async def hang_up(self) -> None:
        """The line goes dead."""
        if self._line is not None:
            await self._line.close()
            self._line = None

    @property
    def connected(self) -> bool:
        return self._line is not None and not self._line.closed

    async def until(self, holds: Callable[[], object], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(holds)

    def refuse(self, cmd: str, *codes: int) -> None:
        """The next frames of this kind get these errcodes, one each."""
        self.refusals.setdefault(cmd, []).extend(codes)

    async def _pulse(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # ---- the line

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        async for message in line:
            if message.type is WSMsgType.TEXT:
                await self._take(line, json.loads(message.data))
        if self._line is line:
            self._line = None
        await self._pulse()
        return line

    async def _take(self, line: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        cmd = frame["cmd"]
        code = self.refusals[cmd].pop(0) if self.refusals.get(cmd) else 0
        code = code or await self._act(line, cmd, frame.get("body", {}), frame["headers"])
        if cmd in self.drop_after:
            self.drop_after.discard(cmd)
            await line.close()
        elif not self.silent:
            said = {
                "headers": frame["headers"],
                "errcode": code,
                "errmsg": "ok" if not code else "no",
            }
            await line.send_json(said)
        await self._pulse()

    async def _act(
        self, line: web.WebSocketResponse, cmd: str, body: dict[str, Any], headers: dict[str, Any]
    ) -> int:
        if cmd == "aibot_subscribe":
            return await self._subscribe(line, body)
        if line is not self._line:
            return 846604
        if cmd == "aibot_send_msg":
            if body["chatid"] not in self.known:
                return 846605
            self.said.append((body["chatid"], body))
        if cmd in {"aibot_respond_msg", "aibot_respond_update_msg"}:
            self.updated.append((headers["req_id"], body))
        return 0

    async def _subscribe(self, line: web.WebSocketResponse, body: dict[str, Any]) -> int:
        if (body.get("bot_id"), body.get("secret")) != (self.bot, self.secret):
            return 853000
        old, self._line = self._line, line
        self.sessions += 1
        if old is not None and not old.closed:
            self.kicked += 1
            event = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
            await old.send_json(self._frame("aibot_event_callback", event))
            await old.close()
        return 0

    def _frame(self, cmd: str, body: dict[str, Any]) -> dict[str, Any]:
        number = next(self._names)
        full = {"msgid": f"bot-{number}", "aibotid": self.bot, **body}
        return {"cmd": cmd, "headers": {"req_id": f"req-{number}"}, "body": full}

    async def _file(self, request: web.Request) -> web.Response:
        found = self._files.get(request.match_info["name"])
        return web.Response(status=404) if found is None else web.Response(body=found)

    # ---- what people do

    async def say(self, userid: str, text: str, chat: str = "", **more: Any) -> dict[str, Any]:
        """In ``chat`` (a group, where WeCom passes on only what is addressed to the bot), or alone.

        ``quote`` is the quoted text.
        """
        quoted = more.pop("quote", "")
        if quoted:
            more["quote"] = {"msgtype": "text", "text": {"content": quoted}}
        return await self.push(userid, chat, msgtype="text", text={"content": text}, **more)

    async def press(self, userid: str, key: str, task: str) -> dict[str, Any]:
        event = {
            "eventtype": "template_card_event",
            "template_card_event": {"event_key": key, "task_id": task},
        }
        return await self.push(userid, "", "aibot_event_callback", msgtype="event", event=event)

    async def push(
        self, userid: str, chat: str, cmd: str = "aibot_msg_callback", **body: Any
    ) -> dict[str, Any]:
        where = {"chattype": "group", "chatid": chat} if chat else {"chattype": "single"}
        self.known.add(chat or userid)
        frame = self._frame(cmd, {"from": {"userid": userid}, **where, **body})
        assert self._line is not None
        await self._line.send_json(frame)
        return frame

    async def repeat(self, frame: dict[str, Any]) -> None:
        assert self._line is not None
        await self._line.send_json(frame)

    def store(self, content: bytes) -> dict[str, str]:
        """An encrypted file: its address and its key."""
        key = secrets.token_bytes(32)
        pad = 32 - len(content) % 32
        maker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        name = f"f{next(self._names)}"
        self._files[name] = maker.update(content + bytes([pad]) * pad) + maker.finalize()
        url = f"http://127.0.0.1:{self.port}/file/{name}"
        return {"url": url, "aeskey": base64.b64encode(key).decode()}
