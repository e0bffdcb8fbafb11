"""Outbound webhook: JSON body, HMAC signature, idempotency key."""

import asyncio
import hmac
import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import ClassVar

import aiohttp
from multidict import istr
from yarl import URL

from bot.channel import Doubt, Outgoing
from bot.platforms.webhook.limits import LIMITS
from bot.platforms.webhook.patience import Patience
from matrix.core.errors import DeliveryError

_SECONDS = 10
_ASKING = aiohttp.ClientTimeout(total=_SECONDS)
_QUOTED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
"""What an address may be made of (RFC 3986, section 2)."""
_REFUSED = range(400, 500)
_BUSY = {408, 425, 429}


class _Request(aiohttp.ClientRequest):
    """Without Accept and Accept-Encoding; ``skip_auto_headers`` costs more than the headers do."""

    DEFAULT_HEADERS: ClassVar[dict[istr, str]] = {}  # type: ignore[misc]


_ANSWER = 1 << 16
"""Bytes of an answer that are read: it is an address."""


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    """A text as JSON: the same for thousands."""
    return json.dumps(text, ensure_ascii=False)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body; only its beginning, and the connection is closed, where it is too long."""
    if 0 <= (answer.content_length or -1) <= _ANSWER:
        return await answer.read()
    body = b""
    async for some in answer.content.iter_any():
        body += some
        if len(body) > _ANSWER:
            answer.close()
            break
    return body


class Webhook:
    """Implements ``bot.channel.Channel``. An address is an https URL on a listed host."""

    platform = "webhook"

    def __init__(self, secret: str, hosts: tuple[str, ...], doubt: Doubt = Doubt.KEY) -> None:
        """``secret`` signs, ``hosts`` may be called, ``doubt`` is what the endpoint promises."""
        self.limits = replace(LIMITS, doubt=doubt)
        self._hmac = hmac.new(secret.encode(), digestmod="sha256")
        self._hosts = frozenset(hosts)
        self._session: aiohttp.ClientSession | None = None
        self._patience = Patience(_SECONDS)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            # Nothing that a signed POST does not need: at a thousand a second each trifle shows.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_Request,
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    def sign(self, body: bytes) -> str:
        """HMAC-SHA-256 of the body, hexadecimal."""
        signed = self._hmac.copy()
        signed.update(body)
        return signed.hexdigest()

    async def send(self, message: Outgoing) -> str:
        """POST once. An answer that never came is unknown; a 5xx too."""
        # What needs no quoting is not looked through for it.
        url = URL(message.address, encoded=_QUOTED.fullmatch(message.address) is not None)
        if (url.host or "") not in self._hosts:
            raise DeliveryError("host-not-listed", permanent=True)
        key = json.dumps(message.key)
        body = (
            f'{{"delivery_id": {key}, "idempotency_key": {key}, "text": {_quoted(message.text)}}}'
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            "X-Piyao-Signature": f"sha256={self.sign(body)}",
        }
        try:
            with self._patience:
                answer = await self._open().post(
                    url, data=body, headers=headers, allow_redirects=False
                )
                async with answer:
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
        body = await _bounded(answer)
        if b'"url"' not in body:
            return key
        try:
            url = json.loads(body).get("url", "")
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
                message.address, headers=headers, allow_redirects=False, timeout=_ASKING
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
