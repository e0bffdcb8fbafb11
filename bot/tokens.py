"""Access tokens: one holder per account, whatever the number of processes and of callers.

The token lies in the database, sealed with ``PIYAO_SECRET_KEY``. Whoever finds none takes a lease
on the row, fetches, writes, and gives the lease back; the others wait for the row. Within a
process one caller does this and the rest wait for that one. A dead process's lease runs out.

A third-party platform (微信开放平台) would be one more ``Fetch``: its component ticket, which
arrives every ten minutes, is kept as a token of its own account (``keep``), and the authorizer's
token is fetched with it. Losing the authorizer's refresh token means authorising anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from matrix.core.errors import DeliveryError
from matrix.ports import Sealer
from storage import tokens as rows

LOG = logging.getLogger("piyao.tokens")

# A token is not used in its last five minutes, or last tenth where it lives shorter: a call that
# leaves now must still find it good. stable_token renews within the last five minutes.
_EARLY = timedelta(minutes=5)
_PART = 10
# Longer than a fetch with its time-outs (3 + 10 s): a living holder never loses its lease.
LEASE = timedelta(seconds=20)
_LOOK = 0.1
"""Seconds between two looks at a row that another process is fetching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A platform's token and how long it lasts from now."""

    token: str
    lasts: timedelta


Fetch = Callable[[], Awaitable[Fetched]]
"""Asks the platform for a token. Raises DeliveryError, never *unknown*: nothing was sent yet."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    token: str
    good_until: datetime


class Tokens:
    """Hands out tokens. ``account`` is any name that is unique to one platform's account."""

    def __init__(
        self,
        engine: AsyncEngine,
        sealer: Sealer,
        holder: str,
        *,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``holder`` is unique to this process; ``now`` is the computer's clock, as platforms'."""
        self._engine = engine
        self._sealer = sealer
        self._holder = holder
        self._now = now
        self._sleep = sleep
        self._held: dict[str, _Held] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, account: str, fetch: Fetch) -> str:
        """The token in force, fetched when there is none. Raises DeliveryError."""
        return self._good(account) or await self._obtain(account, "", fetch)

    async def replace(self, account: str, used: str, fetch: Fetch) -> str:
        """Another token than ``used``, which the platform has just refused.

        When somebody has replaced it already nothing is fetched. ``fetch`` must not force a
        refresh: the platform may then hand out the same token again, and that is returned.
        Raises DeliveryError.
        """
        return await self._obtain(account, used, fetch)

    async def keep(self, account: str, fetched: Fetched) -> None:
        """Store a token that came by itself."""
        async with self._lock(account):
            await self._obtain_alone(account, "", _given(fetched), renew=True)

    def _lock(self, account: str) -> asyncio.Lock:
        return self._locks.setdefault(account, asyncio.Lock())

    def _good(self, account: str, used: str = "") -> str:
        held = self._held.get(account)
        fit = held is not None and held.token != used and held.good_until > self._now()
        return held.token if held is not None and fit else ""

    async def _obtain(self, account: str, used: str, fetch: Fetch) -> str:
        async with self._lock(account):
            # Whoever waited here finds what the one before has brought.
            return self._good(account, used) or await self._obtain_alone(account, used, fetch)

    async def _obtain_alone(
        self, account: str, used: str, fetch: Fetch, *, renew: bool = False
    ) -> str:
        deadline = self._now() + 2 * LEASE
        while True:
            kept = await rows.read(self._engine, account)
            if not renew and (found := self._stored(account, kept, used)):
                return found
            now = self._now()
            # Whoever waits for another's lease only looks: nothing is written until it is free.
            free = kept.leased_until is None or kept.leased_until < now
            if free and await rows.lease(self._engine, account, self._holder, now, now + LEASE):
                try:
                    # Somebody may have written between the look and the lease.
                    kept = await rows.read(self._engine, account)
                    found = "" if renew else self._stored(account, kept, used)
                    return found or await self._fetched(account, fetch)
                finally:
                    await rows.release(self._engine, account, self._holder)
            if now > deadline:
                raise DeliveryError("token-busy")
            await self._sleep(_LOOK)

    def _stored(self, account: str, kept: rows.Kept, used: str) -> str:
        if kept.good_until is None:
            return ""
        try:
            token = self._sealer.unseal(kept.sealed)
        except ValueError:
            # Sealed under another key: fetched anew.
            return ""
        self._held[account] = _Held(token=token, good_until=kept.good_until)
        return self._good(account, used)

    async def _fetched(self, account: str, fetch: Fetch) -> str:
        fetched = await fetch()
        good_until = self._now() + fetched.lasts - min(_EARLY, fetched.lasts / _PART)
        sealed = self._sealer.seal(fetched.token)
        await rows.keep(self._engine, account, self._holder, sealed, good_until)
        self._held[account] = _Held(token=fetched.token, good_until=good_until)
        LOG.info("a token of %s was fetched", account)
        return fetched.token


def _given(fetched: Fetched) -> Fetch:
    async def fetch() -> Fetched:
        return fetched

    return fetch
