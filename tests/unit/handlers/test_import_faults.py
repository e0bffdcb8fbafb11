"""Every fault of an import is told, and with any fault nothing is written."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from handlers.importing.export import export_rows
from handlers.importing.plan import apply, plan
from matrix.core.bulletin import Bulletin, BulletinState, Kind
from matrix.core.errors import NotFound, StaleVersion
from storage.unit_of_work import SqlStore
from tests.doubles.small_district import (
    DISTRICT,
    IDS,
    NOW,
    TODAY,
    altered,
    bring,
    codes,
    key_of,
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


async def test_a_bulletin_that_was_corrected_cannot_be_ended_by_a_file(district: SqlStore) -> None:
    await put_bulletin(district, "b2", "云江-0002", Kind.IMPORTED, BulletinState.CORRECTED)
    row = {**DISTRICT["bulletins"][0], "number": "云江-0002", "ended": "是"}
    assert codes(await look(district, {"bulletins": [row]})) == [
        ("bulletins", 2, "number", "cannot_end")
    ]


async def test_a_bulletin_reviewed_here_is_neither_overwritten_nor_exported(
    district: SqlStore,
) -> None:
    await put_bulletin(district, "b2", "云江-0002", Kind.FIRST, BulletinState.CURRENT)
    row = {**DISTRICT["bulletins"][0], "number": "云江-0002"}
    assert codes(await look(district, {"bulletins": [row]})) == [
        ("bulletins", 2, "number", "own_bulletin")
    ]
    async with district.read() as work:
        _, rows = await export_rows(work, "bulletins")
    assert [one["number"] for one in rows] == ["云江-0001"]


async def put_bulletin(
    store: SqlStore, name: str, number: str, kind: Kind, state: BulletinState
) -> None:
    async with store.work() as work:
        await work.bulletins.add(
            Bulletin(
                id=name,
                state=state,
                kind=kind,
                number=number,
                title="题",
                short="短",
                body="文",
                claim_text="话",
                issuer="wjw",
            )
        )
        await work.commit()


@pytest.mark.parametrize(
    ("table", "row", "cells", "column", "code"),
    [
        ("areas", 1, {"code": "99010100"}, "code", "bad_code"),
        ("areas", 1, {"code": "９９０１０１"}, "code", "bad_code"),
        ("areas", 1, {"kind": "village"}, "kind", "unknown_value"),
        ("areas", 1, {"parent": "990102"}, "parent", "unknown_reference"),
        ("areas", 1, {"parent": ""}, "parent", "empty"),
        ("areas", 0, {"parent": "990101001"}, "parent", "cycle"),
        ("areas", 1, {"valid_from": "昨天"}, "valid_from", "bad_date"),
        ("areas", 1, {"valid_from": "2026-02-30"}, "valid_from", "bad_date"),
        ("areas", 1, {"valid_from": "2026-02-03", "valid_to": "2026-02-02"}, "valid_to", "dates_reversed"),
        ("areas", 1, {"ended": "完"}, "ended", "unknown_value"),
        ("areas", 1, {"code": ""}, "code", "empty"),
        ("areas", 1, {"name": "云\x07溪"}, "name", "control_character"),
        ("areas", 1, {"code": "990101"}, "code", "duplicate"),
        ("units", 0, {"parent": "wjw"}, "parent", "cycle"),
        ("units", 0, {"code": "w j w"}, "code", "bad_code"),
        ("units", 0, {"kind": "ministry"}, "kind", "unknown_value"),
        ("units", 0, {"area": "990999"}, "area", "unknown_reference"),
        ("units", 0, {"vertical": "也许"}, "vertical", "unknown_value"),
        ("units", 0, {"vertical_coordinator": "nobody"}, "vertical_coordinator", "unknown_reference"),
        ("units", 0, {"short_name": " "}, "short_name", "empty"),
        ("places", 0, {"strength": "medium"}, "strength", "unknown_value"),
        ("places", 0, {"area": "990999"}, "area", "unknown_reference"),
        ("places", 1, {"name": "云溪", "kind": "stem"}, "name", "duplicate"),
        ("topics", 0, {"lead_unit": ""}, "lead_unit", "one_lead_unit"),
        ("topics", 0, {"lead_unit": "wjw;t01"}, "lead_unit", "one_lead_unit"),
        ("topics", 0, {"lead_unit": "nobody"}, "lead_unit", "unknown_reference"),
        ("topics", 0, {"co_units": "t01;nobody"}, "co_units", "unknown_reference"),
        ("topics", 0, {"keywords": "医院"}, "keywords", "bad_keyword"),
        ("topics", 0, {"keywords": "医院:6"}, "keywords", "bad_keyword"),
        ("topics", 0, {"floor": "fire"}, "floor", "unknown_value"),
        ("people", 0, {"handle": "p 1"}, "handle", "bad_code"),
        ("people", 1, {"handle": "p1"}, "handle", "duplicate"),
        ("people", 0, {"name": ""}, "name", "empty"),
        ("accounts", 0, {"unit": "nobody"}, "unit", "unknown_reference"),
        ("accounts", 0, {"tier": "third"}, "tier", "unknown_value"),
        ("accounts", 0, {"capability": "magic"}, "capability", "unknown_value"),
        ("accounts", 0, {"group_size": "many"}, "group_size", "bad_number"),
        ("accounts", 0, {"tier": "ally"}, "consent_on", "empty"),
        ("posts", 0, {"role": "king"}, "role", "unknown_value"),
        ("posts", 0, {"role": "machine"}, "role", "unknown_value"),
        ("posts", 0, {"person": "p9"}, "person", "unknown_reference"),
        ("posts", 0, {"unit": ""}, "unit", "empty"),
        ("posts", 0, {"deputy_of": "p1"}, "deputy_of", "self_reference"),
        ("posts", 0, {"deputy_of": "p9"}, "deputy_of", "unknown_reference"),
        ("posts", 2, {"accounts": "a1;a9"}, "accounts", "unknown_reference"),
        ("posts", 2, {"role": "handler"}, "person", "duplicate"),
        ("bulletins", 0, {"issuer": ""}, "issuer", "empty"),
        ("bulletins", 0, {"issuer": "nobody"}, "issuer", "unknown_reference"),
        ("bulletins", 0, {"issued_on": ""}, "issued_on", "empty"),
        ("bulletins", 0, {"issued_on": "20260303"}, "issued_on", "bad_date"),
        ("bulletins", 0, {"url": ""}, "url", "empty"),
        ("bulletins", 0, {"url": "www.example.org"}, "url", "bad_url"),
        ("bulletins", 0, {"verdict": "属实"}, "verdict", "unknown_value"),
        ("bulletins", 0, {"topics": "medical;moon"}, "topics", "unknown_reference"),
        ("bulletins", 0, {"expires_on": "2026-03-02"}, "expires_on", "dates_reversed"),
    ],
)  # fmt: skip
async def test_one_fault_is_told_and_nothing_is_written(
    store: SqlStore, table: str, row: int, cells: dict[str, str], column: str, code: str
) -> None:
    made = await bring(store, altered(table, row, **cells))
    assert (table, row + 2, column, code) in codes(made)
    assert made.changes == ()
    async with store.read() as work:
        assert await work.areas.count() == 0
        assert await work.events() == []


async def test_every_fault_of_every_table_is_told_at_once(store: SqlStore) -> None:
    tables = altered("areas", 1, kind="village", valid_from="never")
    tables["units"][0]["area"] = "990999"
    tables["bulletins"][0].update(url="x", verdict="假")
    assert codes(await look(store, tables)) == [
        ("areas", 3, "kind", "unknown_value"),
        ("areas", 3, "valid_from", "bad_date"),
        ("units", 2, "area", "unknown_reference"),
        ("bulletins", 2, "verdict", "unknown_value"),
        ("bulletins", 2, "url", "bad_url"),
    ]


async def test_wrong_missing_columns_and_tables(store: SqlStore) -> None:
    made = await look(store, {"people": [{"handle": "p1", "nom": "王芳"}], "cars": [{"x": "1"}]})
    assert codes(made) == [
        ("cars", 0, "", "unknown_table"),
        ("people", 1, "name", "missing_column"),
        ("people", 1, "nom", "unknown_column"),
    ]


async def test_a_longer_cycle_shows_its_way(store: SqlStore) -> None:
    tables = deepcopy(DISTRICT)
    tables["units"][0]["parent"] = "t01"
    tables["units"][1]["parent"] = "wjw"
    made = await look(store, tables)
    assert [(one.code, one.detail) for one in made.faults] == [
        ("cycle", "wjw → t01 → wjw"),
        ("cycle", "t01 → wjw → t01"),
    ]


async def test_a_cycle_with_what_is_stored(district: SqlStore) -> None:
    await bring(district, {"units": [{**DISTRICT["units"][1], "parent": "wjw"}]})
    made = await look(district, {"units": [{**DISTRICT["units"][0], "parent": "t01"}]})
    assert codes(made) == [("units", 2, "parent", "cycle")]


async def test_a_row_with_a_fault_does_not_make_its_references_unknown(store: SqlStore) -> None:
    made = await look(store, altered("units", 0, kind="ministry"))
    assert codes(made) == [("units", 2, "kind", "unknown_value")]


async def test_blank_rows_are_skipped_but_counted(store: SqlStore) -> None:
    people = [{"handle": "", "name": ""}, {}, {"handle": "p1", "name": ""}]
    assert codes(await look(store, {"people": people})) == [("people", 4, "name", "empty")]
    async with store.read() as work:
        made = await plan(
            work, {"people": people}, key_of=key_of, today=TODAY, first_rows={"people": 1}
        )
    assert codes(made) == [("people", 3, "name", "empty")]


async def test_a_plan_with_faults_or_overtaken_is_not_applied(district: SqlStore) -> None:
    faulty = await look(district, altered("areas", 0, kind="village"))
    changing = await look(district, {"people": [{"handle": "p1", "name": "王小芳"}]})
    await bring(district, {"people": [{"handle": "p1", "name": "王大芳"}]})
    async with district.work() as work:
        with pytest.raises(ValueError, match="faults"):
            await apply(work, faulty, ids=IDS, at=NOW)
        with pytest.raises(StaleVersion):
            await apply(work, changing, ids=IDS, at=NOW)


async def test_no_such_table_to_export(store: SqlStore) -> None:
    async with store.read() as work:
        with pytest.raises(NotFound):
            await export_rows(work, "cars")
