"""What an answer of WeChat or WeCom means: not sent, refused, slow down, or nobody knows.

Keyed by (platform, errcode), for the same number differs. Source: shared reference platforms.md
§8 (official docs of both platforms, 2026-11). Anything unlisted is a refusal: no automatic retry.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from matrix.core.errors import DeliveryError
from matrix.triage.calendar import LOCAL


class Family(StrEnum):
    """Whose table of codes holds."""

    OFFICIAL = "official"
    WECOM = "wecom"


TOKEN_ERRORS = {
    Family.OFFICIAL: frozenset({40001, 40014, 42001}),
    # 40001 is a wrong secret there: no new token mends it.
    Family.WECOM: frozenset({40014, 42001}),
}
"""Codes after which the token is replaced once and the call repeated once."""

# Busy, and a version conflict of WeCom: definite for a call that may be repeated, else unknown.
_BUSY = {Family.OFFICIAL: {-1}, Family.WECOM: {-1, 6000}}
_BUSY_PAUSE = timedelta(seconds=5)

# Too often: pauses. The daily quota of a 公众号 (45009) comes back the next day.
_MINUTE = timedelta(minutes=1)
_PAUSES = {
    (Family.OFFICIAL, 45011): _MINUTE,
    (Family.OFFICIAL, 45066): _MINUTE,
    (Family.WECOM, 45009): _MINUTE,
    (Family.WECOM, 45033): _MINUTE,
}

STOPPING = frozenset({40013, 40125, 40164, 60020, 60011})
"""Id, secret, IP list, visible range: the set-up is wrong, every further call fails alike."""

STOPPED = timedelta(minutes=10)
"""For so long nothing is asked of an account that is set up wrongly: tokens have a daily quota."""

_CODE = 120


class ApiError(DeliveryError):
    """A refused or unanswered call.

    ``errcode`` is the platform's number, None when there was none. ``said`` is its explanation
    without secrets, ``result`` the whole answer (a refusal may carry a msg_id, as 45065 does).
    """

    def __init__(
        self,
        code: str,
        *,
        errcode: int | None = None,
        said: str = "",
        result: Mapping[str, Any] | None = None,
        permanent: bool = False,
        unknown: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        """See DeliveryError; ``code`` is ``str(errcode)`` or a short word of ours."""
        super().__init__(code, permanent=permanent, unknown=unknown, retry_after=retry_after)
        self.errcode = errcode
        self.said = said
        self.result: Mapping[str, Any] = result or {}


def stops(family: Family, errcode: int | None) -> bool:
    """Whether every further call would fail alike until the administrator has mended the set-up.

    A visible range (60011) is wrong for some members only.
    """
    wrong_secret = (family, errcode) == (Family.WECOM, 40001)
    return wrong_secret or errcode in STOPPING - {60011}


def waiting(family: Family, error: ApiError) -> DeliveryError:
    """What an error means for a person's message: a wrong set-up is no fault of the message."""
    if stops(family, error.errcode):
        return DeliveryError(error.code, retry_after=STOPPED)
    return error


def refused(
    family: Family,
    errcode: int,
    *,
    said: str = "",
    result: Mapping[str, Any] | None = None,
    repeatable: bool = False,
    now: datetime,
) -> ApiError:
    """The error of an errcode other than 0, after the token was replaced if that was the fault.

    ``repeatable`` says that a second call does no harm (reading, an idempotency key).
    """
    pause = _PAUSES.get((family, errcode))
    if (family, errcode) == (Family.OFFICIAL, 45009):
        pause = _till_tomorrow(now)
    permanent = unknown = False
    if errcode in _BUSY[family]:
        unknown, pause = not repeatable, _BUSY_PAUSE if repeatable else None
    elif pause is None:
        # A token that is refused twice is another matter than the message: tried again later.
        permanent = errcode not in TOKEN_ERRORS[family]
    return ApiError(
        str(errcode), errcode=errcode, said=said[:_CODE], result=result,
        permanent=permanent, unknown=unknown, retry_after=pause,
    )  # fmt: skip


def _till_tomorrow(now: datetime) -> timedelta:
    local = now.astimezone(LOCAL)
    tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0)
    return tomorrow - local


def of_status(status: int) -> ApiError:
    """An HTTP status that is not 200: a gateway spoke, the platform itself never does so."""
    if status == 429:  # noqa: PLR2004
        return ApiError("http-429", retry_after=_MINUTE)
    refused_by_gateway = 400 <= status < 500  # noqa: PLR2004
    return ApiError(f"http-{status}", permanent=refused_by_gateway, unknown=not refused_by_gateway)


_SECRET = re.compile(
    r"((?:access_token|secret|corpsecret|ticket|key|component_access_token)=)[^&\s'\"]+",
    re.IGNORECASE,
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without tokens and secrets, by the names they have in URLs and by value."""
    text = _SECRET.sub(r"\1***", text)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text
