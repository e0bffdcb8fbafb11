"""Looks at receipt links: listed hosts only, never private addresses, few redirects."""

import asyncio
import html
import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

REDIRECTS = 3
BYTES = 1024 * 1024
SECONDS = 5.0
_TITLE = re.compile(
    r"<title[^>]*>(.*?)</title>|property=\"og:title\" content=\"([^\"]*)\"",
    re.DOTALL | re.IGNORECASE,
)
_NOISE = re.compile(r"[\W_]+")


class PrivateAddressError(OSError):
    """A name resolves to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves to public addresses only, so that what is checked is what is connected to."""

    def __init__(self, *, allow: Sequence[str] = ()) -> None:
        """``allow`` lists addresses for tests."""
        self._inner = ThreadedResolver()
        self._allow = frozenset(allow)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddressError when any address is private."""
        found = await self._inner.resolve(host, port, family)
        for one in found:
            if one["host"] not in self._allow and not is_public(one["host"]):
                raise PrivateAddressError(host)
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an address is reachable from everywhere."""
    return ipaddress.ip_address(address).is_global


class HttpLinkChecker:
    """Implements ``matrix.ports.LinkChecker``."""

    def __init__(self, *, resolver: AbstractResolver | None = None) -> None:
        """One session per check: receipts are few, and nothing is shared between hosts."""
        self._resolver = resolver

    async def check(self, url: str, hosts: Sequence[str], expected: str) -> str:
        """``ok``, ``host``, ``private``, ``unreachable``, ``gone`` or ``mismatch``."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._check(url, hosts, expected)
        except PrivateAddressError:
            return "private"
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            private = isinstance(error.__cause__, PrivateAddressError) or "PrivateAddress" in repr(
                error
            )
            return "private" if private else "unreachable"

    async def _check(self, url: str, hosts: Sequence[str], expected: str) -> str:
        resolver = self._resolver or PublicResolver()
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
            for _ in range(REDIRECTS + 1):
                if not _allowed(url, hosts):
                    return "host"
                async with session.get(url, allow_redirects=False) as answer:
                    if answer.status in {301, 302, 303, 307, 308}:
                        url = urljoin(url, answer.headers.get("Location", ""))
                        continue
                    if answer.status in {404, 410}:
                        return "gone"
                    if answer.status != 200:  # noqa: PLR2004
                        return "unreachable"
                    body = await answer.content.read(BYTES)
                    return "ok" if _shows(body.decode("utf-8", "replace"), expected) else "mismatch"
        return "unreachable"


def _allowed(url: str, hosts: Sequence[str]) -> bool:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"} or host not in hosts:
        return False
    try:
        return is_public(host)
    except ValueError:
        return True


def _shows(page: str, expected: str) -> bool:
    """Whether the page's title or text carries the bulletin's title."""
    wanted = _NOISE.sub("", expected)
    titles = [html.unescape(a or b) for a, b in _TITLE.findall(page)]
    return any(wanted in _NOISE.sub("", text) for text in (*titles, html.unescape(page)))
