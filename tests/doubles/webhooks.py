"""DingTalk's and Feishu's robots and Weibo's one call on 127.0.0.1, with their limits and signatures.

The signatures are checked by a second way of computing them, not by the product's.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

DING_TOKEN, DING_SECRET = "ding-token", "SECding"
FEISHU_KEY, FEISHU_SECRET = "feishu-key", "SECfeishu"
WEIBO_TOKEN, WEIBO_HOST = "weibo-token", "mp.weixin.qq.com"


def _mac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


class Webhooks:
    """``got`` is (platform, text). ``script`` holds answers to give instead: status, JSON or text."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.got: list[tuple[str, str]] = []
        self.script: list[tuple[int, Any]] = []
        self.drop_after = False
        self.muted_until = 0.0
        self.port = 0
        self._times: list[float] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/robot/send", self._dingtalk)
        app.router.add_post("/open-apis/bot/v2/hook/{key}", self._feishu)
        app.router.add_post("/2/statuses/share.json", self._weibo)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def _scripted(self) -> web.Response | None:
        if not self.script:
            return None
        status, said = self.script.pop(0)
        if isinstance(said, str):
            return web.Response(status=status, text=said)
        return web.json_response(said, status=status)

    def _taken(self, request: web.Request, platform: str, text: str, said: Any) -> web.Response:
        self.got.append((platform, text))
        if self.drop_after and request.transport is not None:
            self.drop_after = False
            request.transport.abort()
        return web.json_response(said)

    async def _dingtalk(self, request: web.Request) -> web.Response:
        if (scripted := self._scripted()) is not None:
            return scripted
        query = request.query
        if query.get("access_token") != DING_TOKEN:
            return web.json_response({"errcode": 300001, "errmsg": "token is not exist"})
        stamp = query.get("timestamp", "0")
        late = abs(self.now() - int(stamp) / 1000) > 3600
        if late or query.get("sign") != _mac(DING_SECRET, f"{stamp}\n{DING_SECRET}"):
            return web.json_response({"errcode": 310000, "errmsg": "sign not match"})
        self._times = [at for at in self._times if at > self.now() - 60] + [self.now()]
        if len(self._times) > 20:
            self.muted_until = self.now() + 600
        if self.muted_until > self.now():
            return web.json_response({"errcode": 130101, "errmsg": "send too fast"})
        body = await request.json()
        return self._taken(
            request, "dingtalk", body["text"]["content"], {"errcode": 0, "errmsg": "ok"}
        )

    async def _feishu(self, request: web.Request) -> web.Response:
        if (scripted := self._scripted()) is not None:
            return scripted
        if request.match_info["key"] != FEISHU_KEY:
            return web.json_response({"code": 19001, "msg": "param invalid"}, status=400)
        body = await request.json()
        stamp = body.get("timestamp", "0")
        if body.get("sign") != _mac(f"{stamp}\n{FEISHU_SECRET}", ""):
            return web.json_response({"code": 19021, "msg": "sign match fail"})
        said = {
            "StatusCode": 0,
            "StatusMessage": "success",
            "code": 0,
            "data": {},
            "msg": "success",
        }
        return self._taken(request, "feishu", body["content"]["text"], said)

    async def _weibo(self, request: web.Request) -> web.Response:
        if (scripted := self._scripted()) is not None:
            return scripted
        form = await request.post()
        status = str(form["status"])
        if form.get("access_token") != WEIBO_TOKEN:
            return web.json_response({"error": "expired", "error_code": 21327}, status=400)
        if f"//{WEIBO_HOST}/" not in status or not form.get("rip"):
            return web.json_response({"error": "domain", "error_code": 10017}, status=400)
        return self._taken(request, "weibo", status, {"idstr": "5001", "id": 5001})
