"""`piyao import wecom`: first what would change, then a question, then all or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.administration import import_corporation
from config.settings import Settings, load
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore
from tests.doubles.town import bring_town
from tests.doubles.wecom_rig import without_proxy
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import CONTACT_SECRET, Member


class Office:
    """The small town, and a corporation of which some are in it already."""

    def __init__(self, api: WeCom, settings: Settings) -> None:
        self.api, self.settings = api, settings
        self.shown: list[str] = []
        self.asked: list[str] = []

    async def run(self, *, yes: bool = True) -> int:
        def confirm(text: str) -> bool:
            self.asked.append(text)
            return yes

        self.shown.clear()
        return await import_corporation(self.settings, confirm, self.shown.append)

    async def all(self, kind: str, /, **criteria: Any) -> list[Any]:
        store = SqlStore(open_engine(self.settings.url))
        async with store.read() as work:
            found = list(await getattr(work, kind).find(**criteria))
        await store.engine.dispose()
        return found

    @property
    def text(self) -> str:
        return "\n".join(self.shown)


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    without_proxy(monkeypatch)
    async with WeCom() as api:
        settings = load(
            {
                "PIYAO_DATA": str(tmp_path), "PIYAO_SECRET_KEY": "k" * 40,
                "PIYAO_WECOM_CORP_ID": api.corp, "PIYAO_WECOM_AGENT_ID": api.agent,
                "PIYAO_WECOM_SECRET": api.secret, "PIYAO_WECOM_BASE_URL": api.url,
                "PIYAO_WECOM_CONTACT_SECRET": CONTACT_SECRET,
            }
        )  # fmt: skip
        import asyncio

        await asyncio.to_thread(upgrade, settings.url)
        store = SqlStore(open_engine(settings.url))
        await bring_town(store)
        await store.engine.dispose()
        api.departments |= {
            2: ("江北区城市管理局", 1), 3: ("江岸街道", 1), 4: ("市政科", 2),
        }  # fmt: skip
        api.add(
            Member(userid="fanbeichen", name="范北辰", departments={2: False}, position="科员"),
            Member(userid="xinren", name="新人", departments={4: True}, position="科长"),
            Member(userid="wangge", name="王格", departments={3: False}),
            Member(userid="xianren", name="闲人", departments={3: False}),
        )
        api.tags = {"网格员": {"wangge"}, "团建": {"xianren"}}
        yield Office(api, settings)


async def test_the_difference_is_shown_and_nothing_is_written_without_a_yes(
    office: Office,
) -> None:
    before = len(await office.all("people"))
    assert await office.run(yes=False) == 1
    assert "新增 wc3" in office.text
    assert "新增 xinren" in office.text
    assert "绑定 4 人" in office.text
    assert "没有岗位标签、只登记姓名的成员 1 人：闲人" in office.text
    assert len(await office.all("people")) == before
    assert not await office.all("identities")


async def test_departments_members_posts_and_bindings(office: Office) -> None:
    assert await office.run() == 0
    units = {one.id: one for one in await office.all("units")}
    assert "wc2" not in units, "a unit of the same name is that unit"
    assert (units["wc3"].kind, units["wc4"].parent) == ("town", "cgj")
    people = {one.handle: one for one in await office.all("people")}
    assert people["xinren"].note == "科长"
    assert "fanbeichen" not in people, "the only one of that name is that person"
    posts = {(one.person, one.unit, one.role) for one in await office.all("posts")}
    assert (people["wangge"].id, "wc3", "supervisor") in posts
    assert (people["xinren"].id, "wc4", "unit_head") in posts
    bound = {one.external: one for one in await office.all("identities")}
    fan = next(one for one in people.values() if one.name == "范北辰")
    assert bound["fanbeichen"].person == fan.id
    assert bound["fanbeichen"].platform == "wecom"
    assert bound["fanbeichen"].chat == "fanbeichen"


async def test_a_second_time_there_is_nothing_to_do(office: Office) -> None:
    await office.run()
    assert await office.run() == 0
    assert "没有需要写入的变更" in office.text
    assert len(office.asked) == 1
    assert len(await office.all("identities")) == 4


async def test_a_renamed_department_and_a_new_member_are_all_that_changes(
    office: Office,
) -> None:
    await office.run()
    office.api.departments[3] = ("江岸新区街道", 1)
    office.api.add(Member(userid="houlai", name="后来", departments={3: False}))
    await office.run()
    assert "修改 wc3" in office.text
    assert "绑定 1 人" in office.text
    assert {one.id: one.name for one in await office.all("units")}["wc3"] == "江岸新区街道"


async def test_namesakes_are_never_taken_for_each_other(office: Office) -> None:
    office.api.add(Member(userid="fan2", name="范北辰", departments={3: False}))
    await office.run()
    bound = {one.external: one.person for one in await office.all("identities")}
    people = {one.id: one for one in await office.all("people")}
    assert people[bound["fan2"]].handle == "fan2"
    assert people[bound["fanbeichen"]].handle == "fanbeichen"


async def test_what_the_server_refuses_is_said_without_the_secret(office: Office) -> None:
    office.api.fail("department/list", errcode=60011, errmsg="no privilege")
    assert await office.run() == 1
    assert "60011 no privilege" in office.text
    assert CONTACT_SECRET not in office.text
