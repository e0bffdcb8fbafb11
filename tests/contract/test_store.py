"""Repositories, unit of work and event log: the same promises on SQLite and PostgreSQL."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event

from matrix.core.case import Case, CaseState, Grade, Verdict
from matrix.core.claim import Claim, Sighted, Sighting
from matrix.core.conversation import Inbound
from matrix.core.errors import NotFound, StaleVersion
from matrix.core.events import Event
from matrix.core.lead import Lead
from storage.engine import open_engine, sync_url
from storage.migrate import upgrade
from storage.tables import METADATA
from storage.unit_of_work import SqlStore

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlStore]:
    await asyncio.to_thread(upgrade, database_url)
    engine = open_engine(database_url)
    yield SqlStore(engine)
    await engine.dispose()


def case(**changes: object) -> Case:
    made = Case(
        id="c1",
        number="云江-0001",
        claim="k",
        wording="停水三天",
        grade=Grade.ORANGE,
        received_at=AT,
        filed_at=AT,
        stage_since=AT,
        co_units=("swj", "t01"),
        routing=(("topic", "swj", "water"),),
        assessment={"severity": 2},
        verdict=Verdict.FALSE,
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def inbound(message_id: str, row: str) -> Inbound:
    return Inbound(
        id=row, platform="webchat", message_id=message_id, external="p", chat="p", received_at=AT
    )


async def test_the_migrations_make_the_tables(store: SqlStore) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, METADATA))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_what_is_stored_comes_back_equal(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add(case())
        await work.commit()
    async with store.read() as work:
        assert await work.cases.get("c1") == case()


async def test_the_migrations_make_the_tables_of_the_entities(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)
    engine = create_engine(sync_url(database_url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


async def test_without_commit_nothing_is_kept(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add(case())
    async with store.read() as work:
        assert await work.cases.maybe("c1") is None
        with pytest.raises(NotFound):
            await work.cases.get("c1")


async def test_the_slower_of_two_writes_nothing(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add(case())
        await work.commit()
    async with store.read() as work:
        read = await work.cases.get("c1")
    async with store.work() as work:
        saved = await work.cases.save(dataclasses.replace(read, owner="swj"))
        await work.commit()
    assert saved.version == 1
    async with store.work() as work:
        with pytest.raises(StaleVersion):
            await work.cases.save(dataclasses.replace(read, owner="t01"))
    async with store.read() as work:
        assert (await work.cases.get("c1")).owner == "swj"


async def test_the_beginning_and_end_of_a_text_are_compared(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add(case())
        await work.cases.add(case(id="c2", number="云江-1001"))
        await work.cases.add(case(id="c3", number="云%-0001"))
        await work.commit()
    async with store.read() as work:
        found = await work.cases.find(number__ends="-0001")
        assert [one.id for one in found] == ["c1", "c3"]
        assert [one.id for one in await work.cases.find(number__starts="云%")] == ["c3"]


async def test_a_taken_key_is_refused_and_the_transaction_lives_on(store: SqlStore) -> None:
    async with store.work() as work:
        await work.inbox.add(inbound("m1", "1"))
        with pytest.raises(StaleVersion):
            await work.inbox.add(inbound("m1", "2"))
        await work.inbox.add(inbound("m2", "3"))
        await work.commit()
    async with store.read() as work:
        assert [m.id for m in await work.inbox.find()] == ["1", "3"]


async def test_identical_text_from_two_at_once_is_one_claim(store: SqlStore) -> None:
    async def upsert(name: str) -> bool:
        async with store.work() as work:
            try:
                await work.claims.add(Claim(id=name, wording="停水", key="same", first_seen_at=AT))
            except StaleVersion:
                return False
            await work.commit()
            return True

    kept = await asyncio.gather(*(upsert(name) for name in "abc"))
    assert sorted(kept) == [False, False, True]


async def test_criteria(store: SqlStore) -> None:
    async with store.work() as work:
        for number in range(5):
            await work.cases.add(
                case(
                    id=f"c{number}",
                    number=f"n{number}",
                    received_at=AT + timedelta(hours=number),
                    state=CaseState.CLOSED if number == 4 else CaseState.FILED,
                    review_at=AT if number == 2 else None,
                )
            )
        await work.commit()
    async with store.read() as work:

        async def ids(**criteria: object) -> list[str]:
            return [one.id for one in await work.cases.find(**criteria)]

        assert await ids(state=CaseState.FILED) == ["c0", "c1", "c2", "c3"]
        assert await ids(state__in=(CaseState.CLOSED,)) == ["c4"]
        assert await ids(received_at__gt=AT + timedelta(hours=2)) == ["c3", "c4"]
        assert await ids(received_at__lte=AT) == ["c0"]
        assert await ids(review_at=None, limit=2) == ["c0", "c1"]
        assert await ids(review_at__ne=None) == ["c2"]
        assert await ids(order="-received_at", limit=2) == ["c4", "c3"]
        assert await ids(order="received_at", limit=2, offset=1) == ["c1", "c2"]
        assert await work.cases.count(state__ne=CaseState.CLOSED) == 4


async def test_serials_have_no_holes_and_roll_back(store: SqlStore) -> None:
    async with store.work() as work:
        assert [await work.serial("lead"), await work.serial("lead")] == [1, 2]
        assert await work.serial("case") == 1
        await work.commit()
    async with store.work() as work:
        assert await work.serial("lead") == 3
    async with store.work() as work:
        assert await work.serial("lead") == 3


async def test_the_log_keeps_its_order(store: SqlStore) -> None:
    async with store.work() as work:
        for number in range(20):
            await work.record(
                Event(
                    id=f"e{19 - number:02d}", at=AT, entity="case", entity_id="c1",
                    action=f"a{number}", data={"n": number},
                )
            )  # fmt: skip
        await work.commit()
    async with store.read() as work:
        assert [e.action for e in await work.events(entity_id="c1")] == [f"a{n}" for n in range(20)]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
async def test_any_text_survives(store: SqlStore, text: str) -> None:
    async with store.work() as work:
        await work.inbox.remove("x")
        await work.inbox.add(dataclasses.replace(inbound("m", "x"), text=text))
        await work.commit()
    async with store.read() as work:
        assert (await work.inbox.get("x")).text == text


async def test_several_are_saved_at_once_or_none_where_one_was_overtaken(store: SqlStore) -> None:
    ids = [f"c{n:04}" for n in range(1200)]
    async with store.work() as work:
        await work.cases.add_all([case(id=one, number=one) for one in ids])
        await work.commit()
    async with store.work() as work:
        found = await work.cases.find(order="id")
        saved = await work.cases.save_all(
            [dataclasses.replace(one, verdict_basis=f"第 {one.number}") for one in found]
        )
        await work.commit()
    assert {one.version for one in saved} == {found[0].version + 1}
    async with store.work() as work:
        assert await work.cases.find(order="id") == saved
        await work.cases.save(saved[700])
        with pytest.raises(StaleVersion):
            await work.cases.save_all([dataclasses.replace(one, reason="x") for one in saved])
    async with store.read() as work:
        assert await work.cases.count(reason="x") == 0


@asynccontextmanager
async def statements_of(store: SqlStore, work: Any) -> AsyncIterator[list[str]]:
    """What reaches the database, whichever way it goes."""
    asked: list[str] = []
    if store.engine.dialect.name == "sqlite":
        raw = await work.connection.get_raw_connection()
        await raw.driver_connection.set_trace_callback(asked.append)
        yield asked
        await raw.driver_connection.set_trace_callback(None)
        return

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine.sync_engine, "before_cursor_execute", note)


async def test_what_is_known_is_not_read_again(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add_all([case(id=f"c{n}", number=f"n{n}") for n in range(3)])
        await work.commit()
    async with store.work() as work, statements_of(store, work) as asked:
        await work.cases.load(["c0", "c1", "c0", "", "nobody"])
        first = await work.cases.get("c0")
        saved = await work.cases.save(dataclasses.replace(first, wording="停电两天"))
        assert await work.cases.get("c0") == saved
        assert (await work.cases.get("c1")).number == "n1"
        await work.cases.load(["c1"])
        assert [statement.split(" ", 1)[0] for statement in asked] == ["SELECT", "UPDATE"]
        await work.cases.remove("c0")
        assert await work.cases.maybe("c0") is None


async def test_a_save_writes_what_differs_and_all_of_what_was_not_read(store: SqlStore) -> None:
    told = dataclasses.replace(
        case(), version=1, owner="swj", grade=Grade.RED, review_at=AT, co_units=(),
        assessment={"severity": 3}, routing=(("area", "t01", ""),),
    )  # fmt: skip
    async with store.work() as work:
        first = await work.cases.add(case())
        second = await work.cases.add(case(id="c2", number="云江-0002"))
        changed = dataclasses.replace(told, version=0)
        assert await work.cases.save(changed) == told
        assert await work.cases.save(dataclasses.replace(told, owner="")) == dataclasses.replace(
            told, version=2, owner=""
        )
        await work.commit()
    async with store.work() as work:
        # Nothing was read here: all that the caller holds is what stands afterwards.
        await work.cases.save(dataclasses.replace(first, version=2, owner="jtj"))
        kept = dataclasses.replace(second, version=0, reason="二")
        assert (await work.cases.save_all([kept]))[0].version == 1
        await work.commit()
    async with store.read() as work:
        assert await work.cases.get("c1") == dataclasses.replace(first, version=3, owner="jtj")
        assert await work.cases.get("c2") == dataclasses.replace(kept, version=1)
    async with store.work() as work:
        several = [await work.cases.get("c1"), await work.cases.get("c2")]
        # Each its own field: what is written for both is right for both.
        given = [
            dataclasses.replace(several[0], owner="swj"),
            dataclasses.replace(several[1], review_at=AT),
        ]
        await work.cases.save_all(given)
        await work.commit()
    async with store.read() as work:
        found = [await work.cases.get("c1"), await work.cases.get("c2")]
        assert found == [dataclasses.replace(one, version=one.version + 1) for one in given]


async def test_who_was_overtaken_reads_anew(store: SqlStore) -> None:
    async with store.work() as work:
        await work.cases.add(case())
        await work.commit()
    async with store.read() as slow:
        old = await slow.cases.get("c1")
        async with store.work() as quick:
            await quick.cases.save(dataclasses.replace(old, wording="更快"))
            await quick.commit()
    async with store.work() as work:
        await work.cases.get("c1")
        with pytest.raises(StaleVersion):
            await work.cases.save(old)
        assert (await work.cases.get("c1")).wording == "更快"


async def test_events_are_seen_before_the_commit_and_gone_without_it(store: SqlStore) -> None:
    async with store.work() as work:
        await work.record(*(moved(f"e{number}") for number in range(3)))
        assert [one.id for one in await work.events(entity_id="c1")] == ["e0", "e1", "e2"]
        await work.record(moved("e3"))
    async with store.read() as work:
        assert await work.events(entity_id="c1") == []


def moved(event_id: str) -> Event:
    return Event(id=event_id, at=AT, entity="case", entity_id="c1", action="file")


def seen(number: int, **fields: Any) -> Sighting:
    given: dict[str, Any] = {
        "id": f"s{number}", "lead": f"l{number}", "claim": "water", "person": f"p{number % 3}",
        "area": "990101" if number % 2 else "", "chat": f"c{number % 4}",
        "seen_at": AT + timedelta(minutes=number),
    }  # fmt: skip
    return Sighting(**(given | fields))


async def test_sightings_are_counted_each_once(store: SqlStore) -> None:
    """Those of the claim, and those of other wordings whose leads were put to the case."""
    async with store.work() as work:
        await work.sightings.add_all([seen(n) for n in range(6)])
        await work.sightings.add_all([seen(n, claim="other", person="q") for n in (6, 7)])
        await work.leads.add_all(
            [
                Lead(
                    id=f"l{n}", number=f"n{n}", reporter="p", platform="sms", chat="c", case=case,
                    text="停水", key=f"k{n}", received_at=AT, last_part_at=AT,
                )
                for n, case in ((0, "case"), (6, "case"), (7, "another"))
            ]
        )  # fmt: skip
        claim = await work.sighted("water", "", AT + timedelta(minutes=3))
        assert claim == Sighted(leads=6, persons=3, areas=1, chats=4, fresh=2, first=AT)
        both = await work.sighted("water", "case", AT)
        assert (both.leads, both.persons, both.fresh, both.first) == (7, 4, 6, AT)
        alone = await work.sighted("", "case", AT)
        assert (alone.leads, alone.persons, alone.areas) == (2, 2, 0)
        nothing = await work.sighted("fire", "", AT)
        assert (nothing.leads, nothing.first) == (0, None)
        assert await work.sighted("", "", AT) == nothing
        await work.commit()
    async with store.read() as work:
        assert await work.sighted("water", "case", AT) == both
