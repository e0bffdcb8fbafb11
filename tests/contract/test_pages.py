"""A sweep sees what lies behind its first page, on both databases, though rows change meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handlers.housekeeping.pages import every
from matrix.core.case import Case, CaseState, Grade
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


def case(number: int) -> Case:
    return Case(
        id=f"c{number}", number=f"云江-{number:04}", claim="k", wording="停水", grade=Grade.BLUE,
        state=CaseState.CHECKING, received_at=AT, filed_at=AT, stage_since=AT,
    )  # fmt: skip


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlStore]:
    await asyncio.to_thread(upgrade, database_url)
    engine = open_engine(database_url)
    yield SqlStore(engine)
    await engine.dispose()


async def test_every_match_is_seen_once(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add_all([case(number) for number in range(7)])
        seen = []
        async for one in every(work.cases, size=2, state=CaseState.CHECKING):
            seen.append(one.id)
            if one.id in {"c1", "c4"}:
                await work.cases.save(replace(one, state=CaseState.CLOSED))
        assert seen == [f"c{number}" for number in range(7)]
        again = [one.id async for one in every(work.cases, size=2, state=CaseState.CHECKING)]
        assert again == ["c0", "c2", "c3", "c5", "c6"]
