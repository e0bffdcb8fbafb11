"""What the library remembers of a flood decides as a full judgement of every message would."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.following import Issued, Nearest, Waiting, indexes
from bot.library import Library
from config.matching import load_model
from handlers.importing.directory import load_directory
from handlers.services import Beside, Directories
from matrix.core.bulletin import Bulletin, BulletinState, Kind
from matrix.core.case import Case, Grade, Verdict
from matrix.core.claim import Claim
from matrix.core.lead import Lead, LeadState
from matrix.matching.text import normalise
from matrix.ports import Work
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
TEXTS = (
    "云江新城明天起停水三天，请大家赶快接水",
    "转发：云江新城明天起停水3天，请大家赶快接水！！！",
    "云江新城明天起停水七天，请大家赶快接水",
    "云江新城后天起停水三天，邻居亲眼看到的",
    "停水了",
    "菜市场卖的鸡蛋是塑料做的，大家不要买",
    "听说菜市场卖的鸡蛋是塑料做的，大家千万不要买",
)
MODEL = load_model()
_NAMES = count()


class Town:
    """Messages, cases and bulletins come; two libraries look on, one of which forgets."""

    def __init__(self, store: SqlStore, issued: Issued, waiting: Waiting) -> None:
        self.store, self.issued, self.waiting = store, issued, waiting

    async def begin(self) -> None:
        async with self.store.work() as work:
            for table in (work.leads, work.claims, work.cases, work.bulletins):
                await table.clear()
            self.directories = Directories(await load_directory(work, AT.date().isoformat()))
            await work.commit()
        self.remembers = self._library()

    def _library(self) -> Library:
        return Library(self.issued, self.waiting, self.directories, MODEL)

    async def step(self, what: int, text: str) -> None:
        name = str(next(_NAMES))
        async with self.store.work() as work:
            await (self._lead, self._lead, self._lead, self._case, self._issue)[what](
                work, name, text
            )
            await work.commit()
        async with self.store.read() as work:
            await self.remembers.refresh(work)

    async def _lead(self, work: Work, name: str, text: str) -> None:
        """Queued: one claim for a wording, as ever."""
        key = normalise(text).key
        claim = await work.claims.one(key=key) or await work.claims.add(
            Claim(id=name, wording=text, key=key, first_lead=name, first_seen_at=AT)
        )
        at = AT + timedelta(seconds=int(name))
        await work.leads.add(
            Lead(
                id=name, number=name, reporter="r", platform="webchat", chat="r", text=text,
                key=key, received_at=at, last_part_at=at, claim=claim.id, state=LeadState.QUEUED,
            )
        )  # fmt: skip

    async def _case(self, work: Work, name: str, text: str) -> None:
        """Filed: leads of the very words wait no longer."""
        for lead in await work.leads.find(key=normalise(text).key, state=LeadState.QUEUED):
            await work.leads.save(replace(lead, state=LeadState.ATTACHED, case=name))
        at = AT + timedelta(seconds=int(name))
        await work.cases.add(
            Case(
                id=name, number=name, claim=name, wording=text, grade=Grade.BLUE,
                received_at=at, filed_at=at, stage_since=at,
            )
        )  # fmt: skip

    async def _issue(self, work: Work, name: str, text: str) -> None:
        """Issued, and withdrawn when it is there already."""
        change = await work.serial("bulletin-change")
        known = await work.bulletins.one(claim_key=normalise(text).key, state=BulletinState.CURRENT)
        if known is not None:
            gone = replace(known, state=BulletinState.WITHDRAWN, change=change)
            await work.bulletins.save(gone)
            return
        await work.bulletins.add(
            Bulletin(
                id=name, state=BulletinState.CURRENT, kind=Kind.IMPORTED, number=name,
                title=text[:20], short=text[:20], body="经核实，不属实。", claim_text=text,
                claim_key=normalise(text).key, issuer="测试", verdict=Verdict.FALSE, issued_at=AT,
                change=change,
            )
        )  # fmt: skip

    async def differ(self, text: str) -> None:
        """Both are asked; what decides must be the same, and all else where nothing alike waits."""
        forgets = self._library()
        remembered, full = self.remembers.find(text), forgets.find(text)
        assert remembered == full
        beside, whole = self.remembers.beside(remembered), forgets.beside(full)
        assert joins(beside) == joins(whole)
        assert beside.asks_original == whole.asks_original
        assert self.remembers.repeats_case(remembered) or not joins(whole)
        if self.waiting.own(normalise(text)) is None:
            assert beside == whole


def joins(beside: Beside) -> set[str]:
    """The cases to which the machine would join a lead by itself."""
    return {one.target for one in beside.alike if one.kind == "case" and one.identical}


async def flood(url: str, steps: Sequence[tuple[int, int, int]]) -> None:
    engine = open_engine(url)
    try:
        with indexes(None) as (issued, waiting):
            town = Town(SqlStore(engine), issued, waiting)
            await town.begin()
            for what, which, asked in steps:
                await town.step(what, TEXTS[which])
                await town.differ(TEXTS[which])
                await town.differ(TEXTS[asked])
    finally:
        await engine.dispose()


_TEXT = st.integers(0, len(TEXTS) - 1)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 4), _TEXT, _TEXT), min_size=4, max_size=14))
def test_a_flood_is_decided_as_if_every_message_were_judged_anew(
    tmp_path: Path, steps: list[tuple[int, int, int]]
) -> None:
    url = f"sqlite:///{tmp_path / 'flood.db'}"
    if not (tmp_path / "flood.db").exists():
        upgrade(url)
    asyncio.run(flood(url, steps))


class Counted(Nearest):
    """An index that counts how often it is searched."""

    searches = 0

    def search(self, text: str, limit: int):
        self.searches += 1
        return super().search(text, limit)


def test_a_wording_that_waits_is_compared_no_more_while_others_come_in(tmp_path: Path) -> None:
    async def play() -> int:
        upgrade(f"sqlite:///{tmp_path / 'flood.db'}")
        engine = open_engine(f"sqlite:///{tmp_path / 'flood.db'}")
        with indexes(None) as (issued, waiting):
            waiting.index = counted = Counted()
            town = Town(SqlStore(engine), issued, waiting)
            await town.begin()
            for _ in range(2):
                await town.step(0, TEXTS[0])
            town.remembers.beside(town.remembers.find(TEXTS[0]))
            before = counted.searches
            for number in range(20):
                await town.step(0, f"{number}路公交车改走{TEXTS[5]}")
                await town.step(0, TEXTS[0])
                town.remembers.beside(town.remembers.find(TEXTS[0]))
            again = counted.searches - before
            await town.step(3, TEXTS[2])
            found = town.remembers.beside(town.remembers.find(TEXTS[0]))
            assert [one.kind for one in found.alike].count("case") == 1
        await engine.dispose()
        return again

    assert asyncio.run(play()) == 0
