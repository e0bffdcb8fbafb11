"""What an import writes, what it leaves alone, and what an export gives back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.importing.export import export_rows
from handlers.importing.schema import TABLES
from matrix.core.bulletin import BulletinState, Kind
from matrix.core.case import Verdict
from matrix.core.directory import Person, Post
from matrix.core.roles import Role
from storage.unit_of_work import SqlStore
from tests.doubles.small_district import (
    DISTRICT,
    bring,
    codes,
    look,
    opened,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def district(store: SqlStore) -> SqlStore:
    made = await bring(store, DISTRICT)
    assert made.faults == ()
    return store


async def test_a_first_import_makes_everything(district: SqlStore) -> None:
    async with district.read() as work:
        area = await work.areas.get("990101")
        post = await work.posts.one(role=Role.OPERATOR)
        place = await work.places.one(name="云溪")
        topic = await work.topics.get("medical")
        bulletin = await work.bulletins.one(number="云江-0001")
    assert area.aliases == ("云江", "云江县")
    assert post is not None
    assert (post.person, post.accounts) == ("p1", ("a1",))
    assert place is not None
    assert place.blocklist == ("云溪茶", "云溪酒")
    assert topic.keywords == (("医院", 3), ("疫情", 5))
    assert bulletin is not None
    assert (bulletin.kind, bulletin.state) == (Kind.IMPORTED, BulletinState.CURRENT)
    assert bulletin.verdict is Verdict.PARTLY_TRUE
    assert bulletin.issued_at == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert bulletin.expires_at == datetime(2027, 3, 3, 15, 59, 59, tzinfo=UTC)
    assert bulletin.claim_key == "key:网传的话"
    assert bulletin.change == 1
    assert bulletin.answers


async def test_the_log_names_fields_and_never_text(district: SqlStore) -> None:
    async with district.read() as work:
        events = await work.events(entity="bulletin")
        everything = await work.events()
    assert len(everything) == 18
    assert [(one.action, one.target, one.person) for one in events] == [
        ("import-new", "current", "p1")
    ]
    assert "网传的话" not in str([one.data for one in everything])
    assert "王芳" not in str([one.data for one in everything])


async def test_a_repeated_import_changes_nothing(district: SqlStore) -> None:
    async with district.read() as work:
        before = len(await work.events())
    made = await bring(district, DISTRICT)
    assert made.faults == ()
    assert made.changes == ()
    async with district.read() as work:
        assert len(await work.events()) == before
        assert await work.last_change() == 1


@pytest.mark.parametrize("table", TABLES)
async def test_what_goes_out_comes_in_unchanged(district: SqlStore, table: str) -> None:
    async with district.read() as work:
        header, rows = await export_rows(work, table)
    assert header == TABLES[table].header
    assert len(rows) == len(DISTRICT[table])
    for row in DISTRICT[table]:
        assert (
            row.items()
            <= next(
                one for one in rows if all(one[k] == row[k] for k in TABLES[table].key_columns)
            ).items()
        )
    made = await look(district, {table: rows})
    assert made.faults == ()
    assert made.changes == ()


async def test_a_missing_row_is_never_deleted(district: SqlStore) -> None:
    await bring(district, {name: rows[:1] for name, rows in DISTRICT.items()})
    async with district.read() as work:
        assert await work.units.count(ended=False) == 2
        assert await work.posts.count(ended=False) == 3
        assert await work.people.count(ended=False) == 2


@pytest.mark.parametrize("table", [name for name in TABLES if name != "bulletins"])
async def test_only_the_ended_column_ends(district: SqlStore, table: str) -> None:
    row = DISTRICT[table][0]
    made = await bring(district, {table: [{**row, "ended": "是"}]})
    assert [change.kind for change in made.changes] == ["ended"]
    assert made.changes[0].fields == (("ended", "", "是"),)
    assert (await bring(district, {table: [row]})).changes == ()
    back = await bring(district, {table: [{**row, "ended": ""}]})
    assert [change.kind for change in back.changes] == ["changed"]


async def test_an_ended_bulletin_is_withdrawn_for_good(district: SqlStore) -> None:
    row = DISTRICT["bulletins"][0]
    made = await bring(district, {"bulletins": [{**row, "ended": "是"}]})
    assert [change.kind for change in made.changes] == ["ended"]
    async with district.read() as work:
        bulletin = await work.bulletins.one(number="云江-0001")
        events = await work.events(entity="bulletin", action="withdraw")
    assert bulletin is not None
    assert bulletin.state is BulletinState.WITHDRAWN
    assert bulletin.change == 2
    assert [(one.source, one.target) for one in events] == [("current", "withdrawn")]
    again = await look(district, {"bulletins": [{**row, "ended": ""}]})
    assert codes(again) == [("bulletins", 2, "number", "cannot_revive")]


async def test_a_formula_is_text(district: SqlStore) -> None:
    row = {**DISTRICT["people"][0], "note": '=HYPERLINK("http://x","y")'}
    made = await bring(district, {"people": [row]})
    assert made.faults == ()
    async with district.read() as work:
        assert (await work.people.get("p1")).note == '=HYPERLINK("http://x","y")'


async def test_an_absent_column_keeps_and_an_empty_cell_empties(district: SqlStore) -> None:
    await bring(district, {"people": [{"handle": "p2", "name": "李敏"}]})
    async with district.read() as work:
        assert (await work.people.get("p2")).note == "网格员"
    made = await bring(district, {"people": [{"handle": "p2", "name": "李敏", "note": ""}]})
    assert made.changes[0].fields == (("note", "网格员", ""),)


async def test_what_the_program_itself_keeps_is_not_touched(district: SqlStore) -> None:
    async with district.work() as work:
        person = await work.people.get("p1")
        await work.people.save(
            Person(id="p1", version=person.version, handle="p1", name="王芳", greeted=True)
        )
        await work.commit()
    await bring(district, {"people": [{"handle": "p1", "name": "王芳芳"}]})
    async with district.read() as work:
        person = await work.people.get("p1")
    assert (person.name, person.greeted) == ("王芳芳", True)


async def test_spreadsheet_dates_and_full_width_separators(district: SqlStore) -> None:
    await bring(
        district,
        {
            "posts": [{**DISTRICT["posts"][0], "valid_from": "2026/1/1", "valid_to": "2026/12/31"}],
            "topics": [{**DISTRICT["topics"][0], "keywords": "医院：3；疫情：5；疫苗:4"}],
        },
    )
    async with district.read() as work:
        posts = await work.posts.find(role=Role.HANDLER, person="p1")
        topic = await work.topics.get("medical")
    assert [post.valid_to for post in posts] == ["2026-12-31"]
    assert topic.keywords == (("医院", 3), ("疫情", 5), ("疫苗", 4))


async def test_people_who_registered_themselves_stay_inside(district: SqlStore) -> None:
    async with district.work() as work:
        await work.people.add(Person(id="x9", handle="pub-x9", name=""))
        await work.posts.add(Post(id="x10", person="x9", role=Role.PUBLIC))
        await work.commit()
    async with district.read() as work:
        _, people = await export_rows(work, "people")
        _, posts = await export_rows(work, "posts")
    assert [one["handle"] for one in people] == ["p1", "p2"]
    assert {one["person"] for one in posts} == {"p1", "p2"}


async def test_posts_name_people_by_handle_whatever_their_id(district: SqlStore) -> None:
    async with district.work() as work:
        await work.people.add(Person(id="opaque", handle="p7", name="周磊"))
        await work.commit()
    row = {"person": "p7", "role": "leader"}
    assert len((await bring(district, {"posts": [row]})).changes) == 1
    assert (await bring(district, {"posts": [row]})).changes == ()
    async with district.read() as work:
        assert await work.posts.count(person="opaque") == 1
        _, rows = await export_rows(work, "posts")
    assert "p7" in {one["person"] for one in rows}
