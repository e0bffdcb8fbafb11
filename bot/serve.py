"""Run everything until a signal: loops, ticks, web servers."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from bot.assembly import assemble
from bot.channel import Hooked
from bot.holdings import CLOCK
from bot.parts import BEAT_SECONDS, FOLLOW_SECONDS, RELEASE_SECONDS, TICK_SECONDS, Parts
from bot.scheduler import Tick, Ticker
from bot.tuning import tune
from bot.web.app import demo_app, hooks_app, public_app
from bot.web.probes import probes_app
from config.settings import ProcessRole, Settings

LOG = logging.getLogger("piyao")
LOOPBACK = "127.0.0.1"
_PAUSE = 2.0
_GOODBYE = 6
"""Seconds that requests under way have when the process stops: a callback waits for five."""


class _Server(uvicorn.Server):
    """Signals are ours: one handler for the whole process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


async def serve(settings: Settings, ready: Callable[[str, str, Settings], None]) -> None:
    """Run until SIGINT or SIGTERM.

    ``ready`` is told the address, empty where nothing is served, and that of the probes.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with assemble(settings) as parts:
        probes = _server(probes_app(parts), settings.health_host, settings.probe_port)
        servers = _servers(parts)
        ticker = _ticker(parts)
        serving = [asyncio.create_task(server.serve()) for server in (probes, *servers)]
        loops: list[asyncio.Task[Any]] = [asyncio.create_task(one) for one in _loops(parts)]
        tasks = [*loops, *serving]
        ticker.start()
        await _started([probes, *servers])
        address = _address(servers[0]) if servers else ""
        if address and not (settings.real_platform or parts.pages.reachable):
            # A demonstration is for this machine's own browser, on the port that it was given.
            parts.pages.base = address
        tune()
        ready(address, _address(probes), settings)
        watched: asyncio.Task[Any] = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([watched, *tasks], return_when=asyncio.FIRST_COMPLETED)
        ticker.stop()
        # First whoever asked is answered, by loops that still run; then these.
        if parts.webchat is not None:
            parts.webchat.close()
        for server in (probes, *servers):
            server.should_exit = True
        await asyncio.gather(*serving, return_exceptions=True)
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        for task in done - {watched}:
            task.result()


def _loops(parts: Parts) -> list[Coroutine[Any, Any, Any]]:
    """What runs beside the servers: the conversation, where this process holds the channels."""
    if not parts.listens:
        return []
    receiving = [
        parts.holdings.during(name, partial(_unbroken, name, channel.run))
        for name, channel in parts.channels.items()
    ]
    return [parts.dispatcher.run(), parts.sender.run(), *receiving]


def _address(server: uvicorn.Server) -> str:
    port = server.servers[0].sockets[0].getsockname()[1]
    return f"http://{server.config.host}:{port}"


async def _started(servers: list[_Server]) -> None:
    # uvicorn tells by a flag only.
    while not all(server.started for server in servers):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _servers(parts: Parts) -> list[_Server]:
    """A demonstration listens on loopback only, beside a real platform on the next port."""
    settings = parts.settings
    if ProcessRole.WEB not in settings.roles:
        hooked = parts.listens and any(isinstance(one, Hooked) for one in parts.channels.values())
        return [_server(hooks_app(parts), settings.host, settings.port)] if hooked else []
    if parts.webchat is None:
        return [_server(public_app(parts), settings.host, settings.port)]
    from bot.web.chat_page import add_chat_page

    app = demo_app(parts)
    add_chat_page(app, parts)
    if not settings.real_platform:
        if settings.host != LOOPBACK:
            LOG.warning("demonstration: listening on %s, not on %s", LOOPBACK, settings.host)
        return [_server(app, LOOPBACK, settings.port)]
    return [
        _server(public_app(parts), settings.host, settings.port),
        _server(app, LOOPBACK, settings.port + 1 if settings.port else 0),
    ]


def _server(app: FastAPI, host: str, port: int) -> _Server:
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=_GOODBYE,
    )  # fmt: skip
    return _Server(config)


def _ticker(parts: Parts) -> Ticker:
    ticker = Ticker()
    seconds = 1.0 if parts.settings.fast else TICK_SECONDS
    if ProcessRole.CLOCK in parts.settings.roles:
        ticker.every(seconds, "clock", _alone(parts, parts.tick))
        ticker.every(RELEASE_SECONDS, "release", _alone(parts, parts.release))
        ticker.every(3600, "retention", _alone(parts, parts.forget_old))
    elif parts.listens:
        ticker.every(seconds, "ask back", parts.ask_back)
    ticker.every(BEAT_SECONDS, "heartbeat", parts.beat)
    ticker.every(FOLLOW_SECONDS, "directory", parts.follow_directory)
    # A new day.
    ticker.every(60, "day", parts.reload_directory)
    return ticker


def _alone(parts: Parts, tick: Tick) -> Tick:
    """Of several clocks one sweeps, the others stand by."""

    async def ticked() -> None:
        if parts.holdings.held(CLOCK):
            await tick()

    return ticked


async def _unbroken(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Receive again after what came out of a channel: a full disk, a locked database."""
    while True:
        try:
            await run()
        except Exception:
            LOG.exception("channel %s", name)
        await asyncio.sleep(_PAUSE)
