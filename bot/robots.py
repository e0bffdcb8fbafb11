"""Group robots: one signed JSON POST to an address that is itself the secret, one errcode back.

WeCom, DingTalk and Feishu differ in the body, the signature and the codes only. HTTP 200 with an
error code is a failure; nothing can be read back, so an unknown outcome waits for a person.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.channel import Limits, Outgoing
from matrix.core.errors import DeliveryError
from matrix.ports import Clock

LOG = logging.getLogger(__name__)

# Seconds for an answer.
PATIENCE = 10
_BUSY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """One robot: ``key`` is the secret part of its address, ``secret`` signs where one is set."""

    name: str
    key: str
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One platform's robots.

    ``request`` gives path with query and the body of a text. ``code`` reads the errcode of an
    answer, None where it carries none. ``pauses`` are the codes after which a robot rests for so
    long; every other code but 0 is a refusal for good.
    """

    platform: str
    limits: Limits
    root: str
    request: Callable[[Robot, str, datetime], tuple[str, Mapping[str, Any]]]
    code: Callable[[Mapping[str, Any]], object]
    pauses: Mapping[int, timedelta]


class Robots:
    """Implements ``bot.channel.Channel``. An address is the name that the settings give a robot."""

    def __init__(self, kind: Kind, robots: Mapping[str, Robot], clock: Clock) -> None:
        """Nothing is connected yet."""
        self.platform, self.limits = kind.platform, kind.limits
        self._kind = kind
        self._robots = robots
        self._clock = clock
        self._resting: dict[str, datetime] = {}
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Outgoing) -> str:
        """POST once. No id comes back: ours is returned. Raises DeliveryError."""
        robot = self._robots.get(message.address)
        if robot is None:
            raise DeliveryError("no-such-robot", permanent=True)
        now = self._clock.now()
        rest = self._resting.get(robot.name, now) - now
        if rest > timedelta():
            # Sent to all the same, a robot that is muted stays muted for longer.
            raise DeliveryError("muted", retry_after=rest)
        path, body = self._kind.request(robot, message.text, now)
        code = self._kind.code(await self._posted(self._kind.root + path, body))
        if code is None:
            raise DeliveryError("no-code", unknown=True)
        if code == 0:
            return message.key
        pause = self._kind.pauses.get(code) if isinstance(code, int) else None
        if pause is None:
            raise DeliveryError(str(code)[:40], permanent=True)
        self._resting[robot.name] = now + pause
        LOG.warning("%s robot %s rests for %s", self.platform, robot.name, pause)
        raise DeliveryError(str(code), retry_after=pause)

    async def _posted(self, url: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The JSON object of the answer. Raises DeliveryError, which never carries the address."""
        try:
            async with self._open().post(url, json=body, allow_redirects=False) as answer:
                raw = await answer.read()
                status = answer.status
        except aiohttp.ClientConnectorError:
            raise DeliveryError("not-sent") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise DeliveryError("no-answer", unknown=True) from None
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise DeliveryError("http-429", retry_after=_BUSY)
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict) and self._kind.code(said) is not None:
            # Some answer a refusal with 400: the body is what counts.
            return said
        refused = 400 <= status < 500  # noqa: PLR2004
        raise DeliveryError(f"http-{status}", permanent=refused, unknown=not refused)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            patience = aiohttp.ClientTimeout(total=PATIENCE)
            self._session = aiohttp.ClientSession(timeout=patience, trust_env=True)
        return self._session

    async def posted(self, message: Outgoing) -> None:
        """Nothing can be read back."""
        del message

    async def run(self) -> None:
        """Nothing comes in."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Which robots rest; without a message none is called."""
        now = self._clock.now()
        resting = sorted(name for name, until in self._resting.items() if until > now)
        return f"muted: {', '.join(resting)}" if resting else ""

    async def aclose(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()


def read_robots(text: str) -> dict[str, Robot]:
    """``name=key`` or ``name=key:secret``, between commas. Raises ValueError."""
    found: dict[str, Robot] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, rest = part.partition("=")
        key, _, secret = rest.partition(":")
        if not name or not key or name in found:
            raise ValueError("robots")
        found[name] = Robot(name=name, key=key, secret=secret)
    return found
