"""What a sending account has sent, for all processes together: one row per message under way."""

import itertools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, text, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matrix.broadcast.pacing import Ask, Pace, Turn
from matrix.core.delivery import DeliveryState
from storage.engine import ALONE
from storage.tables import EVENT, TABLES, TURN

_DELIVERY = TABLES["deliveries"][1]
_MICRO = 1_000_000
_SWEEP = 50
"""Rounds between two sweeps of turns that count no more."""
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class SharedBudget:
    """Implements ``bot.gate.Budget`` on PostgreSQL, by the server's own clock.

    Each round is a transaction that nobody else's round of the same account overlaps.
    """

    def __init__(self, engine: AsyncEngine, account: str, executor: str, pace: Pace) -> None:
        """``account`` is the channel's name."""
        self._engine = engine
        self._account = account
        self._executor = executor
        self._pace = pace
        self._numbers = itertools.count(1)
        self._rounds = 0

    async def take(self, ended: Sequence[str], asks: Sequence[Ask]) -> Sequence[tuple[str, float]]:
        """Some turns have ended; for each ask a turn's name, or none and how long to wait."""
        async with self._engine.begin() as connection:
            now = await self._alone(connection)
            if ended:
                await connection.execute(
                    update(TURN).where(TURN.c.id.in_(ended)).values(ended_at=now)
                )
            if not asks:
                return []
            turns = await self._turns(connection, {ask.chat for ask in asks}, now)
            waits = self._pace.grant(turns, asks, now / _MICRO)
            answers = [("" if wait else self._name(), wait) for wait in waits]
            rows = [
                self._row(name, ask.chat)
                for ask, (name, _) in zip(asks, answers, strict=True)
                if name
            ]
            if rows:
                await connection.execute(insert(TURN), rows)
            await self._sweep(connection, now)
        return answers

    async def rest(self, chat: str, seconds: float) -> None:
        """Nothing more to the chat, or to anybody where it is empty, from any process."""
        async with self._engine.begin() as connection:
            now = await self._alone(connection)
            until = now + round(seconds * _MICRO)
            row = {**self._row(self._name(), chat), "ended_at": until, "rest": True}
            await connection.execute(insert(TURN), [row])

    async def _alone(self, connection: AsyncConnection) -> int:
        await connection.execute(text(ALONE), {"what": f"pace:{self._account}"})
        return int((await connection.execute(text(_NOW))).scalar_one())

    def _name(self) -> str:
        return f"{self._executor}:{next(self._numbers)}"

    def _row(self, name: str, chat: str) -> dict[str, Any]:
        return {
            "id": name, "account": self._account, "chat": chat, "executor": self._executor,
            "ended_at": None, "rest": False,
        }  # fmt: skip

    async def _turns(self, connection: AsyncConnection, chats: set[str], now: int) -> list[Turn]:
        """Those that may count for the chats."""
        since, chat_since = (
            now - round(reach * _MICRO) for reach in (self._pace.reach, self._pace.chat_reach)
        )
        mine = TURN.c.chat.in_(chats)
        query = select(TURN.c.chat, TURN.c.ended_at, TURN.c.rest).where(
            TURN.c.account == self._account,
            or_(
                TURN.c.ended_at.is_(None),
                TURN.c.ended_at > since,
                and_(mine, TURN.c.ended_at > chat_since),
            ),
        )
        return [
            Turn(
                chat=row.chat, ended=None if row.ended_at is None else row.ended_at / _MICRO,
                rest=row.rest,
            )
            for row in await connection.execute(query)
        ]  # fmt: skip

    async def _sweep(self, connection: AsyncConnection, now: int) -> None:
        self._rounds += 1
        if self._rounds % _SWEEP:
            return
        kept = max(self._pace.reach, self._pace.chat_reach)
        await connection.execute(
            delete(TURN).where(
                TURN.c.account == self._account, TURN.c.ended_at < now - round(kept * _MICRO)
            )
        )


async def lately_sent(
    engine: AsyncEngine, platform: str, now: datetime, reach: timedelta
) -> list[tuple[str, float]]:
    """What the ledger says of messages whose answer came within ``reach``: chat, seconds ago.

    For a process that sends alone and begins: what a dead one had under way ends now. Reads the
    whole ledger once; an index would be written for every delivery.
    """
    unsure = or_(_DELIVERY.c.state == DeliveryState.IN_DOUBT, _DELIVERY.c.error == "crash")
    under_way = _DELIVERY.c.state == DeliveryState.SENDING
    told = (
        select(func.max(EVENT.c.at))
        .where(EVENT.c.entity == "delivery", EVENT.c.entity_id == _DELIVERY.c.attempt_id)
        .scalar_subquery()
    )
    # Where the log knows no more it is long ago.
    since = func.coalesce(told, 0)
    ended = case((under_way, None), (unsure, since), else_=_DELIVERY.c.sent_at)
    query = select(_DELIVERY.c.address, type_coerce(ended, EVENT.c.at.type)).where(
        _DELIVERY.c.platform == platform,
        or_(under_way, unsure, _DELIVERY.c.sent_at > now - reach),
    )
    async with engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    ages = [(chat, (now - (at or now)).total_seconds()) for chat, at in rows]
    return [(chat, max(0.0, age)) for chat, age in ages if age < reach.total_seconds()]


async def end_turns(connection: AsyncConnection, executors: Collection[str]) -> None:
    """What the dead had under way ends now: later it cannot have arrived."""
    if connection.dialect.name == "sqlite":
        # The one process of a file keeps its turns in memory.
        return
    now = (await connection.execute(text(_NOW))).scalar_one()
    await connection.execute(
        update(TURN)
        .where(TURN.c.executor.in_(executors), TURN.c.ended_at.is_(None))
        .values(ended_at=now)
    )
