"""The library follows the database: bulletins decide, waiting leads and cases stand beside."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.following import indexes
from bot.library import Library
from config.matching import load_model
from handlers.importing.directory import load_directory
from handlers.services import Directories
from matrix.core.bulletin import Bulletin, BulletinState, Kind
from matrix.core.case import Case, Grade, Verdict
from matrix.core.claim import Claim
from matrix.core.lead import Lead, LeadState
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
WATER = "云江新城明天起停水三天，请大家赶快接水"
EGGS = "菜市场卖的鸡蛋是塑料做的，大家不要买"
LAMPS = "滨河路的路灯坏了半个月没有人修"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    yield SqlStore(engine)
    await engine.dispose()


class Reader:
    """A library over a folder, refreshed before every look."""

    def __init__(self, store: SqlStore, library: Library) -> None:
        self.store, self.library = store, library

    async def find(self, text: str):
        async with self.store.read() as work:
            await self.library.refresh(work)
        return self.library.find(text)

    async def beside(self, text: str):
        return self.library.beside(await self.find(text))


@pytest.fixture
async def directories(store: SqlStore) -> Directories:
    async with store.read() as work:
        return Directories(await load_directory(work, AT.date().isoformat()))


@pytest.fixture
def reader(store: SqlStore, directories: Directories, tmp_path: Path) -> Iterator[Reader]:
    with indexes(tmp_path / "index") as (issued, waiting):
        yield Reader(store, Library(issued, waiting, directories, load_model()))


async def issue(store: SqlStore, name: str, text: str) -> None:
    async with store.work() as work:
        await work.bulletins.add(
            Bulletin(
                id=name, state=BulletinState.CURRENT, kind=Kind.IMPORTED, number=name,
                title=text[:20], short=text[:20], body="经核实，不属实。", claim_text=text,
                claim_key=name, issuer="测试", verdict=Verdict.FALSE, issued_at=AT,
                change=await work.serial("bulletin-change"),
            )
        )  # fmt: skip
        await work.commit()


async def queue(store: SqlStore, name: str, text: str, at: datetime = AT) -> None:
    async with store.work() as work:
        await work.claims.add(Claim(id=name, wording=text, key=name, first_seen_at=at))
        await work.leads.add(
            Lead(
                id=name, number=name, reporter="r", platform="webchat", chat="r", text=text,
                key=name, received_at=at, last_part_at=at, claim=name, state=LeadState.QUEUED,
            )
        )  # fmt: skip
        await work.commit()


async def test_what_waits_does_not_move_what_the_bulletins_say(reader, store):
    await issue(store, "water", WATER)
    await issue(store, "eggs", EGGS)
    asked = "听说新城明天起要停水三天，是不是真的，要不要接水"
    alone = await reader.find(asked)
    for number in range(30):
        await queue(store, f"l{number}", f"{WATER}，第{number}栋除外")
    await queue(store, "same", asked.removeprefix("听说"))
    assert (await reader.beside(asked)).alike[0].target == "same"
    assert await reader.find(asked) == alone


async def test_a_waiting_lead_and_a_case_are_shown_beside_and_never_answer(reader, store):
    await queue(store, "lamps", LAMPS)
    async with store.work() as work:
        await work.cases.add(
            Case(
                id="k", number="1", claim="eggs", wording=EGGS, grade=Grade.BLUE,
                received_at=AT, filed_at=AT, stage_since=AT,
            )
        )  # fmt: skip
        await work.commit()
    for text, kind, target in ((LAMPS, "claim", "lamps"), (EGGS, "case", "k")):
        found = await reader.find(text)
        assert (found.decision, found.candidates) == ("none", ())
        alike = (await reader.beside(text)).alike
        assert [(one.kind, one.target, one.identical) for one in alike] == [(kind, target, True)]


async def test_a_lead_is_compared_for_72_hours(reader, store):
    await queue(store, "lamps", LAMPS)
    await queue(store, "eggs", EGGS, AT + timedelta(hours=72))
    assert (await reader.beside(LAMPS)).alike
    await queue(store, "water", WATER, AT + timedelta(hours=72, seconds=1))
    assert not (await reader.beside(LAMPS)).alike
    assert (await reader.beside(EGGS)).alike


async def test_a_withdrawn_bulletin_is_gone_at_once(reader, store):
    await issue(store, "water", WATER)
    assert (await reader.find(WATER)).decision == "match"
    async with store.work() as work:
        bulletin = await work.bulletins.get("water")
        change = await work.serial("bulletin-change")
        gone = replace(bulletin, state=BulletinState.WITHDRAWN, change=change)
        await work.bulletins.save(gone)
        await work.commit()
    assert (await reader.find(WATER)).candidates == ()


async def test_an_index_deleted_under_the_running_product_is_made_again(reader, store, tmp_path):
    await issue(store, "water", WATER)
    await queue(store, "lamps", LAMPS)
    await reader.find(WATER)
    shutil.rmtree(tmp_path / "index")
    await issue(store, "eggs", EGGS)
    await queue(store, "bus", "二路公交车明年起不再经过一中")
    for text in (WATER, EGGS):
        assert (await reader.find(text)).decision == "match"
    assert (await reader.beside(LAMPS)).alike


async def test_a_restart_takes_up_where_the_index_stands(store, directories, tmp_path):
    await issue(store, "water", WATER)
    for text in (WATER, EGGS):
        with indexes(tmp_path / "index") as (issued, waiting):
            reader = Reader(store, Library(issued, waiting, directories, load_model()))
            assert (await reader.find(text)).decision == "match"
        await issue(store, "eggs", EGGS) if text == WATER else None


async def test_after_a_kill_what_was_not_written_is_taken_in_again(store, directories, tmp_path):
    """The mark beside the index says what is on disk, not what was seen."""
    for number in range(120):
        await issue(store, f"road{number}", f"第{number}号路明晚封路施工")
    with indexes(tmp_path / "index") as (issued, waiting):
        reader = Reader(store, Library(issued, waiting, directories, load_model()))
        await reader.find(WATER)
        await issue(store, "water", WATER)
        assert (await reader.find(WATER)).decision == "match"
        shutil.copytree(tmp_path / "index", tmp_path / "killed")
    with indexes(tmp_path / "killed") as (issued, waiting):
        assert issued.index.count == 120
        reader = Reader(store, Library(issued, waiting, directories, load_model()))
        assert (await reader.find(WATER)).decision == "match"
        assert issued.index.count == 121


async def test_what_was_judged_before_is_judged_anew_when_a_bulletin_comes(reader, store):
    asked = f"听说{WATER}"
    assert (await reader.find(asked)).candidates == ()
    await issue(store, "lamps", LAMPS)
    assert (await reader.find(asked)).decision == "none"
    await issue(store, "water", WATER)
    first = await reader.find(asked)
    assert first.candidates[0].target == "water"
    assert await reader.find(asked) == first
