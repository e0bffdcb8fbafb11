"""A partner's endpoint on loopback: takes signed posts and answers as it was told."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Sink:
    """``answers`` are taken in order: a status, or ``drop``; afterwards 200."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.answers: list[int | str] = []
        self.posts: list[dict[str, Any]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        signed = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        assert request.headers["X-Piyao-Signature"] == f"sha256={signed}"
        answer = self.answers.pop(0) if self.answers else 200
        if answer == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if answer == 200:
            self.posts.append(json.loads(body))
            return web.json_response({"url": f"{self.url}/{len(self.posts)}"})
        return web.Response(status=int(answer), headers={"Retry-After": "60"})


@asynccontextmanager
async def open_sink(secret: str) -> AsyncIterator[Sink]:
    sink = Sink(secret)
    app = web.Application()
    app.router.add_post("/in", sink.take)
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
