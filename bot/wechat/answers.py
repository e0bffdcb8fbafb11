"""What comes back of a request: a JSON object, a token, a file, or an ApiError without secrets."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests
from wechatpy.exceptions import WeChatClientException

from bot.tokens import Fetched
from bot.wechat.outcomes import ApiError, Family, of_status, redact, refused


def read(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises ApiError *unknown* for everything else."""
    try:
        said = json.loads(answer.content)
        int(said.get("errcode") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ApiError("not-json", unknown=True) from None
    return dict(said)


class Errors:
    """Everything that comes out of wechatpy becomes an ApiError, without secrets."""

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

    def _refusal(self, error: WeChatClientException) -> ApiError:
        if error.errcode is None:
            return of_status(error.response.status_code)
        said = redact(str(error.errmsg or ""), self._secrets)
        return refused(
            self._family, int(error.errcode), said=said, result=read(error.response),
            repeatable=self._repeatable, now=self._now(),
        )  # fmt: skip


def token_of(answer: requests.Response, client: Any) -> Fetched:
    """Read the answer to a token request. Raises as wechatpy does, and ApiError."""
    said = _accepted(answer, client)
    try:
        token, seconds = str(said["access_token"]), int(said["expires_in"])
    except (ValueError, KeyError, TypeError):
        raise ApiError("not-json") from None
    return Fetched(token=token, lasts=timedelta(seconds=seconds))


def bytes_of(answer: requests.Response, client: Any) -> bytes:
    """Read a file; JSON in its place is a refusal. Raises as wechatpy does, and ApiError."""
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code == HTTPStatus.OK and "json" not in kind and "text/" not in kind:
        return bytes(answer.content)
    _accepted(answer, client)
    raise ApiError("no-file", permanent=True)


def _accepted(answer: requests.Response, client: Any) -> dict[str, Any]:
    if answer.status_code != HTTPStatus.OK:
        raise of_status(answer.status_code)
    said = read(answer)
    if code := int(said.get("errcode") or 0):
        raise WeChatClientException(code, said.get("errmsg"), client, None, answer)
    return said
