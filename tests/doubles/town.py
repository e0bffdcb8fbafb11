"""A small district of its own, no sample: one unit, a person for every role, four accounts."""

from datetime import UTC, datetime

from handlers.importing.plan import apply, plan
from matrix.matching.text import normalise
from storage.unit_of_work import SqlStore
from tests.doubles.small_district import Counter

CHANNEL = -1001234
"""The chat of the account that is posted to directly."""
ROLES = {
    "王芳": "supervisor", "李敏": "supervisor", "陈静": "desk", "范北辰": "handler",
    "孙丽": "reviewer_1", "吴刚": "reviewer_2", "郑敏": "reviewer_3", "冯涛": "publisher",
    "韩雪": "operator", "邬沐阳": "operator",
}  # fmt: skip
RUNS = {"韩雪": "a2", "邬沐阳": "a4"}
HANDLES = {name: f"p{number}" for number, name in enumerate(ROLES, 1)}
_UNIT = {"code": "cgj", "name": "江北区城市管理局", "short_name": "区城管局", "kind": "department", "parent": "", "area": "990200", "vertical": ""}  # fmt: skip
_DESK = {"code": "desk", "name": "江北区联合辟谣值班台", "short_name": "值班台", "kind": "desk", "parent": "", "area": "990200", "vertical": ""}  # fmt: skip


def _account(
    code: str, name: str, platform: str, tier: str, hosts: str, **more: str
) -> dict[str, str]:
    return {
        "code": code, "name": name, "unit": "cgj", "platform": platform, "tier": tier,
        "capability": "manual", "address": "", "filing_number": "", "hosts": hosts,
        "group_size": "", "area": "990200", "consent_on": "", **more,
    }  # fmt: skip


TABLES = {
    "areas": [
        {"code": "990200", "name": "江北区", "kind": "district", "parent": "", "aliases": "江北"}
    ],
    "units": [_UNIT, _DESK],
    "topics": [
        {"code": "lamps", "name": "市政照明", "lead_unit": "cgj", "co_units": "", "keywords": "路灯:5;停电:3", "floor": ""}
    ],
    "people": [{"handle": HANDLES[name], "name": name, "note": ""} for name in ROLES],
    "accounts": [
        _account("a1", "江北发布", "wechat_official", "main", "mp.weixin.qq.com"),
        _account("a2", "江北发布微博", "weibo", "second", "weibo.com"),
        _account("a3", "江北频道", "telegram", "second", "", capability="direct", address=str(CHANNEL)),
        _account("a4", "金穗家园业主群", "wechat_group", "ally", "", consent_on="2026-09-01"),
    ],
    "posts": [
        {
            "person": HANDLES[name], "unit": "desk" if role == "desk" else "cgj", "role": role,
            "valid_from": "2026-01-01", "valid_to": "", "deputy_of": "",
            "accounts": RUNS.get(name, ""),
        }
        for name, role in ROLES.items()
    ],
}  # fmt: skip


async def bring_town(store: SqlStore) -> None:
    """Import it the way the administrator does."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    async with store.work() as work:
        made = await plan(work, TABLES, key_of=lambda text: normalise(text).key, today="2026-11-01")
        assert not made.faults, made.faults
        await apply(work, made, ids=Counter(), at=at)
        await work.commit()
