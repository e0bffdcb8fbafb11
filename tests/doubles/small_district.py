"""A district of two areas and two units as tables of cells, and ways to bring it in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from handlers.importing.plan import Plan, apply, plan
from storage.engine import open_engine
from storage.tables import METADATA
from storage.unit_of_work import SqlStore

TODAY = "2026-09-01"
NOW = datetime(2026, 9, 1, 2, tzinfo=UTC)
Tables = dict[str, list[dict[str, str]]]

DISTRICT: Tables = {
    "areas": [
        {"code": "990101", "name": "云江区", "kind": "district", "parent": "", "aliases": "云江;云江县"},
        {"code": "990101001", "name": "云溪街道", "kind": "town", "parent": "990101", "aliases": ""},
    ],
    "calendars": [
        {"code": "night", "name": "昼夜值守", "blocks": "09:00-12:00;13:30-17:30;20:00-02:00", "weekdays": "1;2;3;4;5;6", "statutory": "否"},
    ],
    "days": [
        {"day": "2026-12-25", "works": "否", "calendar": "", "note": "本区停电检修"},
        {"day": "2026-12-26", "works": "是", "calendar": "night", "note": ""},
    ],
    "units": [
        {"code": "wjw", "name": "云江区卫生健康局", "short_name": "区卫健局", "kind": "department", "parent": "", "area": "990101", "vertical": "否", "calendar": "night"},
        {"code": "t01", "name": "云溪街道办事处", "short_name": "云溪街道", "kind": "town", "parent": "", "area": "990101001", "vertical": "否"},
    ],
    "places": [
        {"name": "云溪", "kind": "stem", "area": "990101001", "strength": "weak", "aliases": "", "blocklist": "云溪茶;云溪酒"},
        {"name": "实验小学", "kind": "school", "area": "990101001", "strength": "strong", "aliases": "实小", "blocklist": ""},
    ],
    "topics": [
        {"code": "medical", "name": "医疗", "lead_unit": "wjw", "co_units": "t01", "keywords": "医院:3;疫情:5", "floor": "panic"},
    ],
    "people": [
        {"handle": "p1", "name": "王芳", "note": ""},
        {"handle": "p2", "name": "李敏", "note": "网格员"},
    ],
    "accounts": [
        {"code": "a1", "name": "健康云江", "unit": "wjw", "platform": "weibo", "tier": "main", "capability": "manual", "hosts": "weibo.com;m.weibo.cn", "group_size": "12", "area": "990101", "consent_on": ""},
    ],
    "posts": [
        {"person": "p1", "unit": "wjw", "role": "handler", "valid_from": "2026-01-01", "valid_to": "", "deputy_of": "", "accounts": ""},
        {"person": "p2", "unit": "t01", "role": "handler", "valid_from": "2026-01-01", "valid_to": "", "deputy_of": "p1", "accounts": ""},
        {"person": "p1", "unit": "wjw", "role": "operator", "valid_from": "2026-01-01", "valid_to": "", "deputy_of": "", "accounts": "a1"},
    ],
    "shifts": [
        {"unit": "wjw", "day": "2026-09-01", "begins": "17:30", "ends": "09:00", "person": "p1"},
    ],
    "bulletins": [
        {"number": "云江-0001", "title": "题", "claim": "网传的话", "short": "短", "body": "第一段\n第二段", "verdict": "部分属实", "issuer": "wjw", "issued_on": "2026-03-03", "url": "https://example.org/1", "topics": "medical", "areas": "990101", "expires_on": "2027-03-03", "review_on": ""},
    ],
}  # fmt: skip


class Counter:
    """Ids 1, 2, 3 …"""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self) -> str:
        return f"{next(self._numbers):08d}"

    def token(self) -> str:
        return self.new()


IDS = Counter()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqlStore]:
    """An empty store in a file."""
    engine = open_engine(f"sqlite:///{folder}/piyao.db")
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield SqlStore(engine)
    await engine.dispose()


def key_of(text: str) -> str:
    return f"key:{text}"


async def look(store: SqlStore, tables: Mapping[str, list[dict[str, str]]]) -> Plan:
    async with store.read() as work:
        return await plan(work, tables, key_of=key_of, today=TODAY)


async def bring(store: SqlStore, tables: Mapping[str, list[dict[str, str]]]) -> Plan:
    async with store.work() as work:
        made = await plan(work, tables, key_of=key_of, today=TODAY)
        if not made.faults:
            await apply(work, made, ids=IDS, at=NOW, person="p1", role="admin")
            await work.commit()
        return made


def altered(table: str, row: int, **cells: str) -> Tables:
    tables = deepcopy(DISTRICT)
    tables[table][row].update(cells)
    return tables


def codes(made: Plan) -> list[tuple[str, int, str, str]]:
    return [(one.table, one.row_number, one.column, one.code) for one in made.faults]
