"""wechatpy behind a guard: the only file that calls the WeChat and WeCom servers.

How a platform uses it, once per account and for the life of the process::

    api = official_api(account="wechat:jiangbei", app_id=…, secret=…, root=base_url, tokens=tokens)
    api = wecom_api(account="wecom:1000002", corp_id=…, secret=…, root=base_url, tokens=tokens)

    answer = await api.call(lambda client: client.message.send_text(openid, "…"))
    answer = await api.call(lambda client: client.post("externalcontact/…", data={…}))
    rows   = await api.call(lambda client: client.user.list(1), repeatable=True)
    data   = await api.download("media/get", {"media_id": media_id})
    answer = await api.upload("media/upload", {"type": "image"}, ("a.png", data, "image/png"))

- The lambda makes **exactly one** request, carried by ``bot.wechat.transport``. The token is
  handed in (``bot.tokens``); after 40001/40014/42001 it is replaced once and the lambda run once
  more, never with force_refresh.
- ``call`` returns the answer, a dict whose errcode is 0 or absent. Everything else raises
  ``ApiError``, a DeliveryError: connection never came about → neither permanent nor unknown (not
  sent, may be tried again); read time-out, reset, HTTP 5xx, an answer that is not JSON → *unknown*;
  an errcode by the table of ``bot.wechat.outcomes``. ``error.errcode`` is the number,
  ``error.result`` the whole refusal. ``repeatable=True`` (reading; an idempotency key) lets *busy*
  (-1) be tried again instead of being unknown.
- Cancelling the await gives up waiting for the answer: the outcome is then unknown.
- Every URL goes to ``root``; wechatpy's own hard-coded ones too. Forbidden, because they bypass
  this: ``client.qrcode.show``, ``client.media.download`` and ``get_url`` of WeCom (use
  ``download``), ``fetch_access_token`` and any file object (use ``upload``, which takes bytes).
- Nothing raised here carries an URL, a token or a secret; wechatpy is kept quiet.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from wechatpy.client import WeChatClient
from wechatpy.work.client import WeChatClient as WorkClient

from bot.tokens import Fetched, Tokens
from bot.wechat.answers import Errors, bytes_of, read, token_of
from bot.wechat.outcomes import STOPPED, TOKEN_ERRORS, ApiError, Family, stops
from bot.wechat.transport import Transport, run

LOG = logging.getLogger("piyao.wechat")

T = TypeVar("T")

OFFICIAL_ROOT = "https://api.weixin.qq.com"
WECOM_ROOT = "https://qyapi.weixin.qq.com"

# Seconds for a connection to come about, and for an answer after it.
PATIENCE = (3.05, 10.0)

# At DEBUG it writes what it asks for, and the token is part of it.
logging.getLogger("wechatpy").setLevel(logging.WARNING)


def _guarded(base: type[Any], root: str) -> type[Any]:
    """The library's client with our root for every URL, our transport and the token handed in."""

    class Guarded(base):  # type: ignore[misc]
        API_BASE_URL = f"{root}/cgi-bin/"

        def __init__(self, *args: str) -> None:
            self.handed = ""
            super().__init__(*args, timeout=PATIENCE, auto_retry=False)
            self._http = Transport(root)

        @property
        def access_token(self) -> str:
            return self.handed

        def fetch_access_token(self) -> None:
            raise NotImplementedError("tokens are handed in")

        def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
            own = options.pop("api_base_url", "")
            url = own + url_or_endpoint if own else url_or_endpoint
            if url.startswith(("http://", "https://")):
                url = root + urlsplit(url).path
            return super()._request(method, url, **options)

        def _decode_result(self, res: requests.Response) -> dict[str, Any]:
            return read(res)

    return Guarded


class Api:
    """One account's API. See the module for how it is used."""

    def __init__(
        self,
        *,
        account: str,
        family: Family,
        client: Any,
        fetch: Callable[[Transport], Fetched],
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
        """Run ``act`` with the client. Raises ApiError."""
        with self._stopping():
            return await self._called(act, repeatable=repeatable)

    async def _called(self, act: Callable[[Any], T], *, repeatable: bool) -> T:
        token = await self._tokens.get(self.account, self._fetch)
        try:
            return await run(self._once, act, token, repeatable=repeatable)
        except ApiError as error:
            if error.errcode not in TOKEN_ERRORS[self._family]:
                raise
        token = await self._tokens.replace(self.account, token, self._fetch)
        return await run(self._once, act, token, repeatable=repeatable)

    async def download(self, endpoint: str, params: Mapping[str, str]) -> bytes:
        """A file; at most ``DOWNLOAD`` bytes of it. Raises ApiError."""

        def act(client: Any) -> bytes:
            query = {**params, "access_token": client.access_token}
            answer = client._http.request(  # noqa: SLF001
                "GET", client.API_BASE_URL + endpoint, params=query, timeout=PATIENCE, stream=True
            )
            return bytes_of(answer, client)

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

    async def aclose(self) -> None:
        """End the connections."""
        await self._client._http.aclose()  # noqa: SLF001

    async def _fetch(self) -> Fetched:
        return await run(self._fetched)

    def _fetched(self) -> Fetched:
        try:
            with self._errors(repeatable=True):
                return self._fetch_token(self._client._http)  # noqa: SLF001
        except ApiError as error:
            if error.unknown:
                # Whatever became of the token, the message has not been sent.
                raise ApiError(error.code, errcode=error.errcode, said=error.said) from None
            raise

    def _once(self, act: Callable[[Any], T], token: str, *, repeatable: bool) -> T:
        # Read before anybody else has a turn: the one request is made of it at once.
        self._client.handed = token
        with self._errors(repeatable=repeatable):
            return act(self._client)

    def _errors(self, *, repeatable: bool) -> "Errors":
        return Errors(self._family, self._secrets, repeatable, self._now)


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

    def fetch(http: Transport) -> Fetched:
        body = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
        url = f"{root}/cgi-bin/stable_token"
        answer = http.request("POST", url, json=body, timeout=PATIENCE)
        return token_of(answer, client)

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

    def fetch(http: Transport) -> Fetched:
        query = {"corpid": corp_id, "corpsecret": secret}
        answer = http.request("GET", f"{root}/cgi-bin/gettoken", params=query, timeout=PATIENCE)
        return token_of(answer, client)

    return Api(
        account=account, family=Family.WECOM, client=client, fetch=fetch, tokens=tokens,
        secrets=(secret,), now=now,
    )  # fmt: skip
