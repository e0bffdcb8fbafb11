"""A partner's endpoint without keys that misbehaves as it is told, and counts what it has taken."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Fate = str
"""``yes``; taken and not told: ``swallow``, ``broken`` (500), ``late`` (told after a second);
not taken: ``drop``, ``slow`` (429), ``refuse`` (400); ``garbage`` is taken and answered with noise.
"""
TAKEN = {"yes", "swallow", "broken", "late", "garbage"}
UNKNOWN = {"swallow", "broken", "drop"}
"""Fates after which the sender cannot know."""

_STATUS = {"slow": 429, "refuse": 400, "broken": 500}


class FaultySink:
    """``fate`` says what becomes of a delivery at its n-th coming."""

    def __init__(self, fate: Callable[[str, int], Fate]) -> None:
        self.fate = fate
        self.came: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.fates: dict[str, list[Fate]] = {}
        self.url = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        one = str(json.loads(await request.read())["delivery_id"])
        self.came[one] += 1
        fate = self.fate(one, self.came[one])
        self.fates.setdefault(one, []).append(fate)
        if fate in TAKEN:
            self.taken[one] += 1
        if fate in {"swallow", "drop"} and request.transport is not None:
            request.transport.close()
        if fate == "late":
            await asyncio.sleep(1)
        if fate == "garbage":
            return web.Response(body=b'\xff\x00{"url": [' + b"x" * 100_000)
        return web.Response(status=_STATUS.get(fate, 200), headers={"Retry-After": "0"})

    def twice(self) -> list[str]:
        return [one for one, times in self.taken.items() if times > 1]


@asynccontextmanager
async def faulty_sink(fate: Callable[[str, int], Fate]) -> AsyncIterator[FaultySink]:
    sink = FaultySink(fate)
    app = web.Application()
    app.router.add_post("/in", sink.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    try:
        yield sink
    finally:
        await runner.cleanup()
