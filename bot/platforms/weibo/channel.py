"""One Weibo account that posts by itself; its address in the table is its name in the settings."""

import asyncio
import json
import re
from typing import Any

import aiohttp

from bot.channel import Outgoing
from bot.platforms.weibo.limits import ADDRESS, LIMITS, PAUSES, STATUS
from matrix.core.errors import DeliveryError

OFFICIAL = "https://api.weibo.com"
_URL = re.compile(r"https?://[^\s<>\"'，。；）)】]+")
_PATIENCE = 10


def status_of(text: str) -> str:
    """The first line and as much as fits, then the last address; no topics.

    Raises DeliveryError where there is no address: Weibo would refuse it.
    """
    found = _URL.findall(text)
    if not found:
        raise DeliveryError("no-address", permanent=True)
    words = " ".join(_URL.sub("", text).replace("#", "＃").split())
    room = STATUS - ADDRESS - 1
    if len(words) > room:
        words = words[: room - 1] + "…"
    return f"{words} {found[-1]}"


class Weibo:
    """Implements ``bot.channel.Channel``."""

    platform = "weibo"
    limits = LIMITS

    def __init__(self, token: str, ip: str, root: str = "") -> None:
        """``ip`` is the real address of the account's user, which Weibo demands."""
        self._token, self._ip = token, ip
        self._root = (root or OFFICIAL).rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Outgoing) -> str:
        """Post one status; returns its address. Raises DeliveryError."""
        form = {"access_token": self._token, "status": status_of(message.text), "rip": self._ip}
        said = await self._post(f"{self._root}/2/statuses/share.json", form)
        if code := said.get("error_code"):
            pause = PAUSES.get(code) if isinstance(code, int) else None
            raise DeliveryError(str(code)[:40], permanent=pause is None, retry_after=pause)
        if not said.get("idstr"):
            raise DeliveryError("no-id", unknown=True)
        return f"https://m.weibo.cn/status/{said['idstr']}"

    async def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        if self._session is None or self._session.closed:
            patience = aiohttp.ClientTimeout(total=_PATIENCE)
            self._session = aiohttp.ClientSession(timeout=patience, trust_env=True)
        try:
            async with self._session.post(url, data=form, allow_redirects=False) as answer:
                raw, status = await answer.read(), answer.status
        except aiohttp.ClientConnectorError:
            raise DeliveryError("not-sent") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise DeliveryError("no-answer", unknown=True) from None
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise DeliveryError(f"http-{status}", unknown=True)
        return said

    async def posted(self, message: Outgoing) -> None:
        """A person looks at the account's page."""
        del message

    async def run(self) -> None:
        """Nothing comes in."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Nothing is called without a message."""
        return ""

    async def aclose(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
