"""What carries wechatpy's requests: aiohttp on the loop, under a library that waits for answers.

wechatpy asks its ``_http`` for a ``requests.Response``. With requests each call took 2 ms of the
interpreter in a thread of its own (docs/performance.md). Here the library runs in a greenlet, as
SQLAlchemy does over asynchronous drivers, which stands aside until the answer is there: ``run``
outside, ``Transport.request`` inside.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import aiohttp
import requests
from sqlalchemy.util import await_only, greenlet_spawn
from yarl import URL

from bot.wechat.outcomes import ApiError

T = TypeVar("T")

# Calls under way at once, for each account.
AT_ONCE = 16
# Bytes of an answer that are read; the project keeps files of 10 MB.
DOWNLOAD = 10 * 1024 * 1024 + 1
_PIECE = 2**16


async def run(act: Callable[..., T], *args: Any, **options: Any) -> T:
    """Run what calls ``Transport.request``; the loop goes on meanwhile."""
    found: T = await greenlet_spawn(act, *args, **options)
    return found


class Transport:
    """Stands in for ``requests.Session``, for one server. Redirects are not followed."""

    def __init__(self, root: str) -> None:
        """Proxies and certificates of the environment are looked up once; connects to nothing."""
        kept = requests.Session().merge_environment_settings(root, {}, None, None, None)
        self._proxy = kept["proxies"].get(urlsplit(root).scheme) or kept["proxies"].get("all")
        # A path where the environment names one, else True.
        self._verify = kept["verify"]
        self._secure = root.startswith("https:")
        self._session: aiohttp.ClientSession | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """One request, as requests takes it; only inside of ``run``.

        The answer's content is at most ``DOWNLOAD`` bytes of it.

        Raises:
            ApiError: no answer. Not *unknown* where the connection never came about, nor where
                ``stream`` says that something is only read.
        """
        return await_only(self._carried(method, url, **options))

    async def aclose(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _carried(
        self, method: str, url: str, *, params: Mapping[str, Any] | None = None,
        stream: bool = False, **options: Any,
    ) -> requests.Response:  # fmt: skip
        connect, wait = options.pop("timeout")
        whole = _with_query(url, params or {})
        content, headers = _body(whole, **options)
        # A kept connection that the server has closed meanwhile is heard of and not used again.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            async with self._opened().request(
                method.upper(), whole, data=content, headers=headers, allow_redirects=False,
                skip_auto_headers=("Content-Type",), proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(sock_connect=connect, sock_read=wait),
            ) as answer:  # fmt: skip
                return _response(answer, await _read(answer))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise ApiError("not-sent") from None
        except TimeoutError:
            raise ApiError("timeout", unknown=True) from None
        except aiohttp.ClientPayloadError:
            # Torn off in the midst of it.
            raise ApiError("network", unknown=not stream) from None
        except (aiohttp.ClientError, OSError):
            raise ApiError("network", unknown=True) from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trusted: ssl.SSLContext | bool = self._trusted() if self._secure else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, ssl=trusted),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _trusted(self) -> ssl.SSLContext:
        """Certificates are always checked, against what requests would check them against."""
        own = self._verify is True
        whose = Path(requests.utils.DEFAULT_CA_BUNDLE_PATH if own else self._verify)
        if whose.is_dir():
            return ssl.create_default_context(capath=str(whose))
        return ssl.create_default_context(cafile=str(whose))


def _with_query(url: str, params: Mapping[str, Any]) -> URL:
    query = urlencode({k: v for k, v in params.items() if v is not None}, doseq=True)
    return URL(f"{url}{'&' if '?' in url else '?'}{query}" if query else url, encoded=True)


def _body(
    url: URL, *, data: Any = None, json: Any = None, files: Any = None, **others: Any
) -> tuple[Any, dict[str, str]]:
    """Content and its header. ``others`` say what holds here anyway: no redirects."""
    del others
    if json is None and files is None:
        return data, {}
    made = requests.Request("POST", str(url), data=data, json=json, files=files).prepare()
    return made.body, {"Content-Type": str(made.headers["Content-Type"])}


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    pieces, room = [], DOWNLOAD
    async for piece in answer.content.iter_chunked(_PIECE):
        pieces.append(piece[:room])
        room -= len(pieces[-1])
        if not room:
            break
    return b"".join(pieces)


def _response(answer: aiohttp.ClientResponse, content: bytes) -> requests.Response:
    """As wechatpy reads it; without an address, which would carry the token."""
    made = requests.Response()
    made.status_code = answer.status
    made.headers.update(answer.headers)
    made._content = content  # noqa: SLF001
    return made
