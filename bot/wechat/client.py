"""wechatpy behind a guard: the only file that calls the WeChat and WeCom servers.

How a platform uses it, once per account and for the life of the process::

    api = official_api(account="wechat:jiangbei", app_id=…, secret=…, root=base_url, tokens=tokens)
    api = wecom_api(account="wecom:1000002", corp_id=…, secret=…, root=base_url, tokens=tokens)

    answer = await api.call(lambda client: client.message.send_text(openid, "…"))
    answer = await api.call(lambda client: client.post("externalcontact/…", data={…}))
    rows   = await api.call(lambda client: client.user.list(1), repeatable=True)
    data   = await api.download("media/get", {"media_id": media_id})
    answer = await api.upload("media/upload", {"type": "image"}, ("a.png", data, "image/png"))

- The lambda makes **exactly one** request; it runs in a thread of a bounded pool. The token is
  handed in (``bot.tokens``); after 40001/40014/42001 it is replaced once and the lambda run once
  more, never with force_refresh.
- ``call`` returns the answer, a dict whose errcode is 0 or absent. Everything else raises
  ``ApiError``, a DeliveryError: connection never came about → neither permanent nor unknown (not
  sent, may be tried again); read time-out, reset, HTTP 5xx, an answer that is not JSON → *unknown*;
  an errcode by the table of ``bot.wechat.outcomes``. ``error.errcode`` is the number,
  ``error.result`` the whole refusal. ``repeatable=True`` (reading; an idempotency key) lets *busy*
  (-1) be tried again instead of being unknown.
- Cancelling the await does not stop the thread: the outcome is then unknown.
- Every URL goes to ``root``; wechatpy's own hard-coded ones too. Forbidden, because they bypass
  this: ``client.qrcode.show``, ``client.media.download`` and ``get_url`` of WeCom (use
  ``download``), ``fetch_access_token`` and any file object (use ``upload``, which takes bytes).
- Nothing raised here carries an URL, a token or a secret; urllib3 and wechatpy are kept quiet.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    SSLError,
)
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException
from wechatpy.work.client import WeChatClient as WorkClient

from bot.tokens import Fetched, Tokens
from bot.wechat.outcomes import (
    STOPPED,
    TOKEN_ERRORS,
    ApiError,
    Family,
    of_status,
    redact,
    refused,
    stops,
)

LOG = logging.getLogger("piyao.wechat")

T = TypeVar("T")

OFFICIAL_ROOT = "https://api.weixin.qq.com"
WECOM_ROOT = "https://qyapi.weixin.qq.com"

# Seconds for a connection to come about, and for an answer after it.
PATIENCE = (3.05, 10.0)
# Calls under way at once, for all accounts of a process together.
THREADS = 8
# Bytes of one downloaded file that are read; the project keeps 10 MB.
DOWNLOAD = 10 * 1024 * 1024 + 1

_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="wechat")
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, SSLError)

# At DEBUG urllib3 writes paths with their query, and the token is part of it.
for _name in ("urllib3", "requests", "wechatpy"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def _guarded(base: type[Any], root: str) -> type[Any]:
    """The library's client with our root for every URL and the calling thread's token."""

    class Guarded(base):  # type: ignore[misc]
        API_BASE_URL = f"{root}/cgi-bin/"

        def __init__(self, *args: str) -> None:
            self.handed = threading.local()
            super().__init__(*args, timeout=PATIENCE, auto_retry=False)

        @property
        def access_token(self) -> str:
            return str(self.handed.token)

        def fetch_access_token(self) -> None:
            raise NotImplementedError("tokens are handed in")

        def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
            own = options.pop("api_base_url", "")
            url = own + url_or_endpoint if own else url_or_endpoint
            if url.startswith(("http://", "https://")):
                url = root + urlsplit(url).path
            return super()._request(method, url, allow_redirects=False, **options)

        def _decode_result(self, res: requests.Response) -> dict[str, Any]:
            return _read(res)

    return Guarded


def _read(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises ApiError *unknown* for everything else."""
    try:
        said = json.loads(answer.content)
        int(said.get("errcode") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ApiError("not-json", unknown=True) from None
    return dict(said)


class Api:
    """One account's API. See the module for how it is used."""

    def __init__(
        self,
        *,
        account: str,
        family: Family,
        client: Any,
        fetch: Callable[[requests.Session], Fetched],
        tokens: Tokens,
        secrets: tuple[str, ...],
        now: Callable[[], datetime],
    ) -> None:
        """Made by ``official_api`` and ``wecom_api``; makes no request yet."""
        self.account = account
        self._family = family
        self._client = client
        self._fetch_token = fetch
        self._tokens = tokens
        self._secrets = secrets
        self._now = now
        self._stopped: tuple[ApiError, datetime] | None = None

    async def call(self, act: Callable[[Any], T], *, repeatable: bool = False) -> T:
        """Run ``act`` with the client in a thread. Raises ApiError."""
        with self._stopping():
            return await self._called(act, repeatable=repeatable)

    async def _called(self, act: Callable[[Any], T], *, repeatable: bool) -> T:
        token = await self._tokens.get(self.account, self._fetch)
        try:
            return await self._in_thread(self._once, act, token, repeatable=repeatable)
        except ApiError as error:
            if error.errcode not in TOKEN_ERRORS[self._family]:
                raise
        token = await self._tokens.replace(self.account, token, self._fetch)
        return await self._in_thread(self._once, act, token, repeatable=repeatable)

    async def download(self, endpoint: str, params: Mapping[str, str]) -> bytes:
        """A file; at most ``DOWNLOAD`` bytes of it. Raises ApiError."""

        def act(client: Any) -> bytes:
            query = {**params, "access_token": client.access_token}
            with client._http.get(  # noqa: SLF001
                client.API_BASE_URL + endpoint, params=query, timeout=PATIENCE, stream=True,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                return _bytes_of(answer, client)

        return await self.call(act, repeatable=True)

    async def upload(
        self, endpoint: str, params: Mapping[str, str], file: tuple[str, bytes, str]
    ) -> dict[str, Any]:
        """Send a file as (name, bytes, content type). Raises ApiError."""

        def act(client: Any) -> Any:
            return client.post(endpoint, params=dict(params), files={"media": file})

        found: dict[str, Any] = await self.call(act)
        return found

    async def token(self) -> None:
        """Make sure that there is one; fetches nothing while one is in force. Raises ApiError."""
        with self._stopping():
            await self._tokens.get(self.account, self._fetch)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """A wrong set-up is not asked about again and again: for a while the answer is known."""
        if self._stopped is not None and self._now() < self._stopped[1]:
            known = self._stopped[0]
            raise ApiError(known.code, errcode=known.errcode, said=known.said, permanent=True)
        try:
            yield
        except ApiError as error:
            if stops(self._family, error.errcode):
                self._stopped = error, self._now() + STOPPED
                LOG.warning("%s is stopped: %s %s", self.account, error.code, error.said)
            raise

    async def reachable(self) -> str:
        """Empty, or what is wrong: a token can be had."""
        try:
            await self.token()
        except ApiError as error:
            return f"{error.code} {error.said}".strip()
        return ""

    def close(self) -> None:
        """End the connections."""
        self._client._http.close()  # noqa: SLF001

    async def _fetch(self) -> Fetched:
        return await self._in_thread(self._fetched)

    def _fetched(self) -> Fetched:
        try:
            with self._errors(repeatable=True):
                return self._fetch_token(self._client._http)  # noqa: SLF001
        except ApiError as error:
            if error.unknown:
                # Whatever became of the token, the message has not been sent.
                raise ApiError(error.code, errcode=error.errcode, said=error.said) from None
            raise

    @staticmethod
    async def _in_thread(act: Callable[..., T], *args: Any, **options: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_POOL, partial(act, *args, **options))

    def _once(self, act: Callable[[Any], T], token: str, *, repeatable: bool) -> T:
        self._client.handed.token = token
        with self._errors(repeatable=repeatable):
            return act(self._client)

    def _errors(self, *, repeatable: bool) -> "_Errors":
        return _Errors(self._family, self._secrets, repeatable, self._now)


class _Errors:
    """Everything that comes out of requests and wechatpy becomes an ApiError, without secrets."""

    def __init__(
        self,
        family: Family,
        secrets: tuple[str, ...],
        repeatable: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._family = family
        self._secrets = secrets
        self._repeatable = repeatable
        self._now = now

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, WeChatClientException):
            raise self._refusal(error) from None
        if isinstance(error, requests.RequestException):
            raise _unanswered(error) from None

    def _refusal(self, error: WeChatClientException) -> ApiError:
        if error.errcode is None:
            return of_status(error.response.status_code)
        said = redact(str(error.errmsg or ""), self._secrets)
        return refused(
            self._family, int(error.errcode), said=said, result=_read(error.response),
            repeatable=self._repeatable, now=self._now(),
        )  # fmt: skip


def _unanswered(error: requests.RequestException) -> ApiError:
    """Whether the request can have left at all."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    never_left = isinstance(error, requests.ConnectTimeout) or isinstance(cause, _NOT_SENT)
    if never_left:
        return ApiError("not-sent")
    return ApiError("timeout" if isinstance(error, requests.Timeout) else "network", unknown=True)


def _token_of(answer: requests.Response, client: Any) -> Fetched:
    """Read the answer to a token request. Raises as wechatpy does, and ApiError."""
    said = _accepted(answer, client)
    try:
        token, seconds = str(said["access_token"]), int(said["expires_in"])
    except (ValueError, KeyError, TypeError):
        raise ApiError("not-json") from None
    return Fetched(token=token, lasts=timedelta(seconds=seconds))


def _bytes_of(answer: requests.Response, client: Any) -> bytes:
    """Read a file; JSON in its place is a refusal. Raises as wechatpy does, and ApiError."""
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code == HTTPStatus.OK and "json" not in kind and "text/" not in kind:
        try:
            return bytes(answer.raw.read(DOWNLOAD, decode_content=True))
        except HTTPError:
            # Torn off in the midst of it: urllib3's own errors come out of a raw body.
            raise ApiError("network") from None
    _accepted(answer, client)
    raise ApiError("no-file", permanent=True)


def _accepted(answer: requests.Response, client: Any) -> dict[str, Any]:
    if answer.status_code != HTTPStatus.OK:
        raise of_status(answer.status_code)
    said = _read(answer)
    if code := int(said.get("errcode") or 0):
        raise WeChatClientException(code, said.get("errmsg"), client, None, answer)
    return said


def _present() -> datetime:
    return datetime.now(UTC)


def official_api(
    *,
    account: str,
    app_id: str,
    secret: str,
    tokens: Tokens,
    root: str = "",
    now: Callable[[], datetime] = _present,
) -> Api:
    """A 公众号's API; its token by ``stable_token``, which hands out the same one again."""
    root = (root or OFFICIAL_ROOT).rstrip("/")
    client = _guarded(WeChatClient, root)(app_id, secret)

    def fetch(session: requests.Session) -> Fetched:
        body = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
        answer = session.post(f"{root}/cgi-bin/stable_token", json=body, timeout=PATIENCE)
        return _token_of(answer, client)

    return Api(
        account=account, family=Family.OFFICIAL, client=client, fetch=fetch, tokens=tokens,
        secrets=(secret,), now=now,
    )  # fmt: skip


def wecom_api(
    *,
    account: str,
    corp_id: str,
    secret: str,
    tokens: Tokens,
    root: str = "",
    now: Callable[[], datetime] = _present,
) -> Api:
    """A WeCom application's API; its token by ``gettoken``."""
    root = (root or WECOM_ROOT).rstrip("/")
    client = _guarded(WorkClient, root)(corp_id, secret)

    def fetch(session: requests.Session) -> Fetched:
        query = {"corpid": corp_id, "corpsecret": secret}
        answer = session.get(f"{root}/cgi-bin/gettoken", params=query, timeout=PATIENCE)
        return _token_of(answer, client)

    return Api(
        account=account, family=Family.WECOM, client=client, fetch=fetch, tokens=tokens,
        secrets=(secret,), now=now,
    )  # fmt: skip
