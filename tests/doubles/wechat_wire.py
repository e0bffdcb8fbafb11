"""The part of a WeChat server double that 公众号 and WeCom share: real HTTP on 127.0.0.1.

HTTP is always 200 and the errcode says what happened, as on the real servers; other statuses,
garbage and dropped connections only on script (``fail``).
"""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.loopback import Loopback

_SHIFT = 7200
"""Seconds a token lasts."""


class Refused(Exception):
    """An errcode other than 0, with what else the answer carries."""

    def __init__(self, errcode: int, errmsg: str = "scripted", **more: Any) -> None:
        super().__init__(errcode, errmsg)
        self.body = {"errcode": errcode, "errmsg": errmsg, **more}


@dataclass(kw_only=True)
class Fault:
    """What happens to a call instead of, or with ``after`` besides, its effect.

    ``endpoint`` "" is every one; ``body`` is what a call must carry; ``times`` -1 until ``mend``.
    """

    endpoint: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    errcode: int = 0
    errmsg: str = "scripted"
    status: int = 0
    drop: bool = False
    garbage: str = ""
    delay: float = 0.0
    after: bool = False
    times: int = 1

    def meets(self, call: "Call") -> bool:
        meant = self.endpoint in {"", call.endpoint} and self.body.items() <= call.body.items()
        return bool(self.times) and meant


@dataclass(kw_only=True)
class Call:
    """One request as it came in: ``body`` is JSON, ``files`` are multipart parts."""

    endpoint: str
    query: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


Answer = Callable[[Call], Any]


def _unknown(call: Call) -> None:
    raise Refused(40066, f"invalid url {call.endpoint}")


class WechatWire(Loopback):
    """Listens, keeps ``calls``, hands them to ``answers()`` and spoils them as scripted.

    ``now`` is the double's clock in seconds; tokens expire by it.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.spoil: Callable[[str], dict[str, Any] | None] | None = None
        """What goes wrong with the next call of an endpoint."""
        self.seconds = 0.0
        self.tokens: dict[str, float] = {}
        self.fetches = 0
        self._names = itertools.count(1)
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/cgi-bin/{endpoint:.+}", self._serve)

    def answers(self) -> dict[str, Answer]:
        """Endpoint (below /cgi-bin/) → what it does; raises Refused."""
        return {}

    # ---- script

    def fail(self, endpoint: str = "", **fault: Any) -> Fault:
        made = Fault(endpoint=endpoint, **fault)
        self.faults.append(made)
        return made

    def mend(self) -> None:
        self.faults.clear()

    def called(self, endpoint: str) -> list[Call]:
        return [one for one in self.calls if one.endpoint == endpoint]

    async def until(self, holds: Callable[[], object], seconds: float = 20) -> None:
        """Wait until something that a call changes holds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(holds)

    # ---- tokens

    def forward(self, seconds: float) -> None:
        self.seconds += seconds

    def live_token(self) -> str:
        """The newest token that is still good, or a new one: as stable_token answers."""
        good = [token for token, until in self.tokens.items() if until > self.seconds]
        if good:
            return good[-1]
        self.fetches += 1
        token = f"TOKEN-{self.fetches}-" + "x" * 500
        self.tokens[token] = self.seconds + _SHIFT
        return token

    def expire(self) -> None:
        """Every token is refused from now on."""
        self.tokens = dict.fromkeys(self.tokens, 0.0)

    def check_token(self, call: Call) -> None:
        token = call.query.get("access_token", "")
        if not token:
            raise Refused(41001, "access_token missing")
        if token not in self.tokens:
            raise Refused(40001, "invalid credential, access_token is invalid or not latest")
        if self.tokens[token] <= self.seconds:
            raise Refused(42001, "access_token expired")

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self._names)}"

    # ---- the wire

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await self._read(request)
        self.calls.append(call)
        if self.spoil is not None and (scripted := self.spoil(call.endpoint)):
            self.fail(call.endpoint, **scripted)
        fault = next((one for one in self.faults if one.meets(call)), None)
        if fault is not None:
            fault.times -= 1
        if fault is not None and not fault.after:
            spoiled = await self._spoil(fault, request)
            if spoiled is not None:
                return spoiled
        answer = await self._answered(call)
        async with self._changed:
            self._changed.notify_all()
        if fault is not None and fault.after:
            spoiled = await self._spoil(fault, request)
            if spoiled is not None:
                return spoiled
        return answer

    async def _answered(self, call: Call) -> web.StreamResponse:
        try:
            act = self.answers().get(call.endpoint, _unknown)
            if call.endpoint not in self.open_endpoints:
                self.check_token(call)
            result = act(call)
            if isinstance(result, Awaitable):
                result = await result
        except Refused as refused:
            return web.json_response(refused.body)
        if isinstance(result, web.StreamResponse):
            return result
        return web.json_response({"errcode": 0, "errmsg": "ok"} if result is None else result)

    open_endpoints = frozenset({"stable_token", "token", "gettoken"})

    @staticmethod
    async def _read(request: web.Request) -> Call:
        call = Call(endpoint=request.match_info["endpoint"], query=dict(request.query))
        if request.content_type.startswith("multipart/"):
            for name, part in (await request.post()).items():
                if isinstance(part, web.FileField):
                    call.files[name] = part.file.read()
        elif request.can_read_body:
            call.body = await request.json()
        return call

    async def _spoil(self, fault: Fault, request: web.Request) -> web.Response | None:
        if fault.delay:
            with contextlib.suppress(TimeoutError):
                await self.until(lambda: False, fault.delay)
        if fault.drop and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if fault.status:
            return web.Response(status=fault.status, text="gateway")
        if fault.garbage:
            return web.Response(text=fault.garbage)
        if fault.errcode:
            return web.json_response({"errcode": fault.errcode, "errmsg": fault.errmsg})
        return None
