"""Outbound webhook: JSON body, HMAC signature, idempotency key."""

import asyncio
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

import aiohttp
from yarl import URL

from bot.channel import Doubt, Outgoing
from bot.platforms.webhook.limits import LIMITS
from matrix.core.errors import DeliveryError

_SECONDS = 10
_REFUSED = range(400, 500)
_BUSY = {408, 425, 429}


class Webhook:
    """Implements ``bot.channel.Channel``. An address is an https URL on a listed host."""

    platform = "webhook"

    def __init__(self, secret: str, hosts: tuple[str, ...], doubt: Doubt = Doubt.KEY) -> None:
        """``secret`` signs, ``hosts`` may be called, ``doubt`` is what the endpoint promises."""
        self.limits = replace(LIMITS, doubt=doubt)
        self._secret = secret.encode()
        self._hosts = frozenset(hosts)
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            # Nothing that a signed POST does not need: at a thousand a second each trifle shows.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_SECONDS),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    def sign(self, body: bytes) -> str:
        """HMAC-SHA-256 of the body, hexadecimal."""
        return hmac.digest(self._secret, body, "sha256").hex()

    async def send(self, message: Outgoing) -> str:
        """POST once. An answer that never came is unknown; a 5xx too."""
        url = URL(message.address)
        if (url.host or "") not in self._hosts:
            raise DeliveryError("host-not-listed", permanent=True)
        body = json.dumps(
            {"delivery_id": message.key, "idempotency_key": message.key, "text": message.text},
            ensure_ascii=False,
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            "X-Piyao-Signature": f"sha256={self.sign(body)}",
        }
        try:
            async with self._open().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return await self._read(answer, message.key)
        except aiohttp.ClientConnectorError as error:
            raise DeliveryError("unreachable") from error
        except (TimeoutError, aiohttp.ClientError) as error:
            raise DeliveryError("no-answer", unknown=True) from error

    @staticmethod
    async def _read(answer: aiohttp.ClientResponse, key: str) -> str:
        if answer.status in _BUSY:
            given = answer.headers.get("Retry-After", "")
            wait = timedelta(seconds=int(given)) if given.isdigit() else timedelta(seconds=30)
            raise DeliveryError(str(answer.status), retry_after=wait)
        if answer.status in _REFUSED:
            raise DeliveryError(str(answer.status), permanent=True)
        if answer.status >= 300:  # noqa: PLR2004
            raise DeliveryError(str(answer.status), unknown=True)
        try:
            url = json.loads(await answer.read()).get("url", "")
        except (ValueError, AttributeError):
            url = ""
        return str(url) or key

    async def posted(self, message: Outgoing) -> str | None:
        """GET with the key: 200 it is there, 404 it is not, all else cannot say."""
        headers = {
            "Idempotency-Key": message.key,
            "X-Piyao-Signature": f"sha256={self.sign(message.key.encode())}",
        }
        try:
            async with self._open().get(
                message.address, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status == HTTPStatus.NOT_FOUND:
                    return ""
                there = answer.status == HTTPStatus.OK
                return await self._read(answer, message.key) if there else None
        except (TimeoutError, aiohttp.ClientError) as error:
            raise DeliveryError("unreachable") from error

    async def run(self) -> None:
        """Nothing comes in."""
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()

    async def ping(self) -> str:
        """Endpoints are not called without a message."""
        return ""
