"""The bot's long connection: one line, kept up; asked over it, told by it. Source: path/101463.

A new connection of a bot cuts the old one. Among our own processes one alone runs a channel
(``bot.holdings``); whoever is cut by a stranger waits long before trying again.
"""

import asyncio
import itertools
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp

from bot.platforms.wecom import frames
from matrix.core.errors import DeliveryError

LOG = logging.getLogger(__name__)

OFFICIAL = "wss://openws.work.weixin.qq.com"

# Seconds: between pings, for an answer, for a connection to come about. The first as in the SDKs.
BEAT = 30.0
ANSWER = 5.0
CONNECT = 10.0
# Pings without an answer after which the line counts as dead, as in the SDKs.
MISSED = 2
# Back-off after a failure: doubled up to the longest, jittered downwards.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# Cut by another connection of the same bot: fighting back would cut that one.
KICKED_PAUSE = 60.0
# Without a line a message waits so long in the ledger before it is tried again.
NO_LINE = timedelta(seconds=5)
# Bytes of one frame.
FRAME = 1024 * 1024

# Too often: a minute. Everything else that is not 0 is a refusal. Source: path/90313 (45009).
TOO_OFTEN = frozenset({45009})

Sleep = Callable[[float], Awaitable[None]]
Take = Callable[[Mapping[str, Any]], Awaitable[None]]


class _LostError(Exception):
    """The line is gone; the word says why."""


class Line:
    """See the module. ``take`` gets every pushed frame, in order, and must not fail."""

    def __init__(
        self,
        bot: str,
        secret: str,
        url: str,
        take: Take,
        *,
        sleep: Sleep = asyncio.sleep,
        beat: float = BEAT,
    ) -> None:
        """Nothing is connected yet."""
        self._bot, self._secret = bot, secret
        self.url = url or OFFICIAL
        self._take = take
        self._sleep = sleep
        self._beat = beat
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._serial = itertools.count(1)
        self.fault = "not-connected"
        """Empty while the line is up, else why it is not."""

    async def run(self) -> None:
        """Keep the line up until cancelled."""
        failures = 0
        while True:
            try:
                async with self._connected() as socket:
                    failures = 0
                    await self._listen(socket)
            except (aiohttp.ClientError, OSError, TimeoutError, _LostError) as error:
                self.fault = str(error) if isinstance(error, _LostError) else "unreachable"
            failures += 1
            LOG.warning("the bot's line: %s (%d times)", self.fault, failures)
            await self._sleep(self._pause(failures))

    def _pause(self, failures: int) -> float:
        if self.fault == "kicked":
            return KICKED_PAUSE
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
        return longest * random.uniform(0.5, 1.0)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        patience = aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT)
        async with (
            aiohttp.ClientSession(timeout=patience, trust_env=True) as session,
            session.ws_connect(self.url, max_msg_size=FRAME, autoping=True) as socket,
        ):
            self._socket = socket
            try:
                yield socket
            finally:
                self._socket = None
                self.fault = "not-connected"
                for one in self._waiting.values():
                    if not one.done():
                        one.set_exception(DeliveryError("no-answer", unknown=True))
                self._waiting.clear()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Subscribe, then take what comes while another task beats. Raises _LostError."""
        ends: list[str] = []
        beating = asyncio.create_task(self._begin_and_beat(socket, ends))
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._frame(message.data)
            raise _LostError(ends[0] if ends else "closed")
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _begin_and_beat(
        self, socket: aiohttp.ClientWebSocketResponse, ends: list[str]
    ) -> None:
        """Prove who we are, then ping; ``ends`` says why the line was closed from here."""
        try:
            ends.append(await self._beaten(socket))
        finally:
            await socket.close()

    async def _beaten(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Until the line is dead or not ours: why."""
        try:
            await self._ask(socket, frames.SUBSCRIBE, frames.subscribe(self._bot, self._secret))
        except DeliveryError as error:
            return "unreachable" if error.unknown else "unauthorized"
        self.fault = ""
        missed = 0
        while missed < MISSED:
            await asyncio.sleep(self._beat)
            try:
                await self._ask(socket, frames.PING, None)
                missed = 0
            except DeliveryError:
                missed += 1
        return "silent"

    async def _frame(self, data: str) -> None:
        try:
            frame = json.loads(data)
            req_id = str(frame["headers"]["req_id"]) if "cmd" not in frame else ""
        except (ValueError, LookupError, TypeError, RecursionError):
            LOG.warning("a frame of the bot's line could not be read")
            return
        if req_id:
            waiting = self._waiting.pop(req_id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
            return
        if frames.event_of(frame) == frames.KICKED:
            raise _LostError("kicked")
        await self._take(frame)

    async def ask(self, cmd: str, body: Mapping[str, Any], req_id: str = "") -> None:
        """Send one frame and wait for its errcode. Raises DeliveryError."""
        socket = self._socket
        if socket is None or self.fault:
            raise DeliveryError("no-line", retry_after=NO_LINE)
        await self._ask(socket, cmd, body, req_id)

    async def _ask(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        cmd: str,
        body: Mapping[str, Any] | None,
        req_id: str = "",
    ) -> None:
        req_id = req_id or f"{cmd}-{next(self._serial)}"
        waiting: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[req_id] = waiting
        frame = {"cmd": cmd, "headers": {"req_id": req_id}}
        try:
            await socket.send_json(frame if body is None else {**frame, "body": body})
            answer = await asyncio.wait_for(waiting, ANSWER)
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise DeliveryError("no-answer", unknown=True) from None
        finally:
            self._waiting.pop(req_id, None)
        code = answer.get("errcode", 0)
        if isinstance(code, int) and code in TOO_OFTEN:
            raise DeliveryError(str(code), retry_after=timedelta(minutes=1))
        if code != 0:
            raise DeliveryError(str(code)[:40], permanent=True)
