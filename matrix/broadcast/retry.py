"""Retry is a pure function: (attempt, what the channel said) → when again, or never."""

import zlib
from datetime import timedelta

ATTEMPTS = 6
_FIRST = 2.0
_LONGEST = 600.0


def after_failure(
    attempt: int, permanent: bool, retry_after: timedelta | None, key: str
) -> timedelta | None:
    """How long to wait before the next attempt; None when there is none.

    Exponential back-off with jitter drawn from ``key``, so that the same input gives the same
    answer. ``retry_after`` of the platform is obeyed and does not count as a failure of ours.
    """
    if permanent:
        return None
    if retry_after is not None:
        return retry_after + timedelta(seconds=1)
    if attempt >= ATTEMPTS:
        return None
    jitter = zlib.crc32(f"{key}:{attempt}".encode()) / 2**32
    return timedelta(seconds=min(_LONGEST, _FIRST * 3 ** (attempt - 1)) * (0.5 + jitter))
