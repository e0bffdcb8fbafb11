"""A partner's endpoint on loopback: takes signed posts and answers as it was told."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Sink:
    """``answers`` are taken in order; afterwards 200. A key that was seen is dropped.

    An answer is a status, ``drop`` (cut off before it was taken) or ``swallow`` (taken, then cut
    off). ``readable`` False: it cannot say what it has.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.answers: list[int | str] = []
        self.posts: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.asked = 0
        self.readable = True
        self.url = ""

    def _signed(self, request: web.Request, body: bytes) -> None:
        signed = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        assert request.headers["X-Piyao-Signature"] == f"sha256={signed}"

    def _place(self, key: str) -> int:
        """1 for the first post; 0 for a key that was never taken."""
        taken = [one["idempotency_key"] for one in self.posts]
        return taken.index(key) + 1 if key in taken else 0

    def _taken(self, key: str) -> web.Response:
        return web.json_response({"url": f"{self.url}/{self._place(key)}"})

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._signed(request, body)
        key = request.headers["Idempotency-Key"]
        self.keys.append(key)
        answer = self.answers.pop(0) if self.answers else 200
        if answer in {200, "swallow"} and not self._place(key):
            self.posts.append(json.loads(body))
        if answer in {"drop", "swallow"}:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if answer == 200:
            return self._taken(key)
        return web.Response(status=int(answer), headers={"Retry-After": "60"})

    async def tell(self, request: web.Request) -> web.StreamResponse:
        key = request.headers["Idempotency-Key"]
        self._signed(request, key.encode())
        self.asked += 1
        if not self.readable:
            return web.Response(status=405)
        return self._taken(key) if self._place(key) else web.Response(status=404)


@asynccontextmanager
async def open_sink(secret: str) -> AsyncIterator[Sink]:
    sink = Sink(secret)
    app = web.Application()
    app.router.add_post("/in", sink.take)
    app.router.add_get("/in", sink.tell, allow_head=False)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sink.url = f"http://127.0.0.1:{port}"
    try:
        yield sink
    finally:
        await runner.cleanup()
