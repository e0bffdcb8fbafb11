"""The directory made of what was imported."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from handlers.importing.directory import load_directory
from storage.unit_of_work import SqlStore
from tests.doubles.small_district import (
    DISTRICT,
    TODAY,
    bring,
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


async def test_alarms_are_warnings(store: SqlStore) -> None:
    tables = deepcopy(DISTRICT)
    tables["posts"] = [tables["posts"][0]]
    made = await look(store, tables)
    assert made.faults == ()
    assert made.warnings == (("nobody-reachable", "", "t01"),)


async def test_the_directory(district: SqlStore) -> None:
    async with district.read() as work:
        directory = await load_directory(work, TODAY)
    assert directory.tables.reachable == {"wjw", "t01"}
    assert [hit.area for hit in directory.gazetteer.find("云江县实小门口")] == [
        "990101",
        "990101001",
    ]
    assert directory.gazetteer.find("云溪茶涨价") == ()
    assert [hit.strong for hit in directory.gazetteer.find("在云溪那边")] == [False]
    assert directory.gazetteer.related("990101", "990101001")
    assert directory.person_name("p1") == "王芳"


async def test_the_directory_leaves_out_what_has_ended(district: SqlStore) -> None:
    ends = {
        "people": [{"handle": "p1", "name": "王芳", "ended": "是"}],
        "topics": [{**DISTRICT["topics"][0], "ended": "是"}],
        "places": [{**DISTRICT["places"][1], "ended": "是"}],
        "posts": [{**DISTRICT["posts"][1], "valid_to": "2026-08-31"}],
    }
    assert (await bring(district, ends)).faults == ()
    async with district.read() as work:
        directory = await load_directory(work, TODAY)
    assert directory.tables.reachable == frozenset()
    assert directory.tables.topics == []
    assert "medical" in directory.topics
    assert directory.gazetteer.find("实小门口") == ()
    assert [post.person for post in directory.posts] == ["p2"]
    assert directory.person_name("p1") == "王芳"
