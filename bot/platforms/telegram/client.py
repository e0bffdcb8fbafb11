"""The one place that touches python-telegram-bot's transport: connection, errors, secrets."""

import json
import logging
import os
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.platforms.telegram.inbound import ALLOWED
from matrix.core.errors import DeliveryError

# The library's own opt-in to timedelta: without it RetryAfter warns of deprecation when raised.
os.environ.setdefault("PTB_TIMEDELTA", "true")

OFFICIAL = "https://api.telegram.org"

# What python-telegram-bot lets through when an answer is JSON of the wrong shape.
GARBLED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

# What ``ping`` says.
UNAUTHORIZED = "unauthorized"
UNREACHABLE = "unreachable"

# Back-off after a failure: seconds, doubled each time up to the cap, then jittered downwards.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0

# The request never left: no connection was free, or none came about.
_NOT_SENT = (httpx.PoolTimeout, httpx.ConnectTimeout, httpx.ConnectError)

# Connections to Telegram at once: one long poll and what is being sent.
POOL = 16
# Seconds for a connection to come about; a line that takes longer is as good as down.
CONNECT_PATIENCE = 10.0

# Characters of a platform's explanation that are kept as error code.
_CODE = 120

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """One bot. ``base_url`` is the root of a Bot API server, empty for Telegram's own.

    With ``webhook_url`` (public HTTPS address of our route) updates are pushed to us and
    ``webhook_secret`` (1-256 characters A-Z a-z 0-9 _ -) proves the sender; without it they are
    polled for. ``patience`` is how long an answer is waited for, ``poll`` how long one poll lasts.

    Raises:
        ValueError: the token is empty, or a webhook has no secret.
    """

    token: str = field(repr=False)
    base_url: str = ""
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    patience: timedelta = timedelta(seconds=20)
    poll: timedelta = timedelta(seconds=25)

    def __post_init__(self) -> None:
        if not self.token:
            raise ValueError("telegram token is empty")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("telegram webhook needs a secret")


class QuietRequest(HTTPXRequest):
    """PTB's transport; a garbled answer is not logged, for a proxy's page may show our URL."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer. Raises TelegramError when it is no JSON object."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer


def connect(settings: TelegramSettings) -> Bot:
    """A bot on its own connections; makes no request yet."""
    # At INFO httpx writes whole URLs, at DEBUG so does the library: the token is part of each.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    root = (settings.base_url or OFFICIAL).rstrip("/")
    patience = settings.patience.total_seconds()
    transport = QuietRequest(
        connection_pool_size=POOL,
        read_timeout=patience,
        write_timeout=patience,
        connect_timeout=min(patience, CONNECT_PATIENCE),
        pool_timeout=patience,
    )
    return Bot(
        settings.token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=transport,
        get_updates_request=transport,
    )


async def get_updates(bot: Bot, settings: TelegramSettings, offset: int) -> list[dict[str, Any]]:
    """One long poll; the raw updates from ``offset`` on. Raises TelegramError.

    Raw, because ``Bot.get_updates`` fails as a whole over one update it cannot read, and that
    one would then hold up the queue for ever.
    """
    seconds = settings.poll.total_seconds()
    updates = await answered(
        # Telegram ignores the case of method names; by any other spelling PTB insists on parsing.
        bot.do_api_request(
            "getupdates",
            {"offset": offset, "timeout": int(seconds), "allowed_updates": list(ALLOWED)},
            read_timeout=seconds + settings.patience.total_seconds(),
        )
    )
    if not isinstance(updates, list) or not all(is_update(raw) for raw in updates):
        raise TelegramError("Invalid server response")
    return updates


def is_update(raw: object) -> bool:
    """Whether this is at least the envelope of an update."""
    return isinstance(raw, dict) and type(raw.get("update_id")) is int


async def answered(call: Awaitable[T]) -> T:
    """Await a call; an answer of the wrong shape becomes a TelegramError too."""
    try:
        return await call
    except GARBLED:
        raise TelegramError("Invalid server response") from None


def reason(error: TelegramError) -> str:
    """A short word for logs and health pages, without any of the platform's text."""
    if isinstance(error, InvalidToken | Forbidden):
        return UNAUTHORIZED
    if isinstance(error, BadRequest):  # a NetworkError by descent, but an answer all the same
        return "refused"
    return UNREACHABLE if isinstance(error, NetworkError) else type(error).__name__


def pause(error: TelegramError, failures: int) -> float:
    """Seconds to wait: what Telegram asks, else doubling with jitter so that bots spread."""
    if asked := pause_asked(error):
        return asked.total_seconds()
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
    return longest * random.uniform(0.5, 1.0)


def pause_asked(error: TelegramError) -> timedelta | None:
    """How long Telegram asks us to wait, if it does."""
    if not isinstance(error, RetryAfter):
        return None
    asked = error.retry_after
    return asked if isinstance(asked, timedelta) else timedelta(seconds=asked)


def delivery_error(error: TelegramError, token: str) -> DeliveryError:
    """What a failed send means. Source: shared reference platforms.md §2 and §8."""
    if pause := pause_asked(error):
        return DeliveryError("429", retry_after=pause)
    if refusal := _refusal(error):
        # Whatever its case: the library capitalises what the server says.
        said = re.sub(re.escape(token), "***", error.message, flags=re.IGNORECASE)
        return DeliveryError(f"{refusal} {said}"[:_CODE].strip(), permanent=True)
    if isinstance(error.__cause__, _NOT_SENT):
        return DeliveryError("not_sent")
    return DeliveryError("timeout" if isinstance(error, TimedOut) else "network", unknown=True)


def _refusal(error: TelegramError) -> str:
    """The status of a definite refusal. BadRequest is a NetworkError, so it is asked for first."""
    if isinstance(error, BadRequest | ChatMigrated):
        return "400"
    if isinstance(error, InvalidToken):
        return "401"
    return "403" if isinstance(error, Forbidden) else ""


def unmodified(error: TelegramError) -> bool:
    """Whether an edit failed only because the message already looks like that."""
    return isinstance(error, BadRequest) and "message is not modified" in error.message.lower()
