"""What machines ask of a process: alive, ready, its figures. Never on a public address."""

import asyncio
import contextlib

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from bot.parts import Parts
from bot.web.metrics import add_metrics

PATIENCE = 5.0
"""Seconds for each thing that is asked: a probe must end before the prober gives up."""


def probes_app(parts: Parts) -> FastAPI:
    """``/healthz``, ``/readyz`` and ``/metrics``, in every role."""
    app = FastAPI(title="辟谣矩阵", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def alive() -> dict[str, object]:
        """The loop of this process turns."""
        return {"ok": True, "roles": parts.roles, "executor": parts.executor}

    @app.get("/readyz")
    async def ready() -> JSONResponse:
        """What this process needs answers; each fault stands beside its name, empty when well."""
        faults = await readiness(parts)
        # A platform that is away is no reason to take the process away too.
        ok = not (faults["database"] or faults["queue"])
        return JSONResponse({"ok": ok, **faults}, status_code=200 if ok else 503)

    add_metrics(app, parts)
    return app


async def readiness(parts: Parts) -> dict[str, object]:
    """Faults by what is asked: ``database``, ``queue``, and ``channels`` by name."""
    names = list(parts.channels)
    told = await asyncio.gather(*(_ping(parts, name) for name in names))
    return {
        "database": await _database(parts),
        "queue": parts.queue.fault(),
        "channels": dict(zip(names, told, strict=True)),
    }


async def _database(parts: Parts) -> str:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(PATIENCE), parts.store.read() as work:
            await work.directory_change()
            return ""
    return "unreachable"


async def _ping(parts: Parts, name: str) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await parts.channels[name].ping()
    except TimeoutError:
        return "unreachable"
