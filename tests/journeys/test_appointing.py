"""The administrator adds people and posts in a chat, looks at them, and takes them back."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from handlers.importing.export import export_rows
from handlers.importing.plan import plan
from matrix.core.conversation import Inbound
from matrix.matching.text import normalise
from tests.journeys import story
from tests.journeys.play import Play, stage

ADMIN = "高原"


async def _added(p: Play, name: str, handle: str = "") -> str:
    """A new person; the handle, by which the story can play them."""
    said = await p.say(ADMIN, f"添加人员 {name} {handle}")
    found = re.search(rf"{name}（(\w+)）", said)
    assert found, said
    p.ids[name] = found.group(1)
    return found.group(1)


async def _appointed(p: Play, unit: str, role: str) -> str:
    """From the question for the unit to the answer."""
    await p.say(ADMIN, unit)
    return await p.press(ADMIN, f"post_{role}")


async def _joins(p: Play, name: str, said: str) -> str:
    """The person sends the code of the invitation."""
    start = said.rindex("PY-")
    return await p.say(name, said[start : start + 15])


async def _posts(p: Play, name: str) -> list[Any]:
    return await p.all("posts", person=p.ids[name], ended=False)


async def _offered(p: Play) -> list[str]:
    """The buttons under the newest message."""
    return [one["label"] for one in (await p.heard(ADMIN))[-1]["buttons"]]


async def test_a_new_person_is_added_invited_and_does_the_work(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        handle = await _added(p, "郝新来")
        assert handle == "ry001"
        assert "哪个单位" in await p.press(ADMIN, "admin_add_post")
        said = await _appointed(p, "区城管局", "handler")
        assert "已添加岗位：郝新来 · 区城管局 · 承办" in said
        assert "从 11 月 9 日 起任职" in said
        assert "还没有绑定" in said
        code = await p.press(ADMIN, "admin_invite", inside="已添加岗位")
        assert "郝新来" in await _joins(p, "郝新来", code)
        number = await story.filed(p)
        assert number in await p.last("郝新来")
        await p.press("郝新来", "assignment_acknowledge")
        (made,) = [one for one in await p.all("assignments", unit="cgj") if one.person]
        assert made.person == handle
        steps = await _steps(p, handle)
        assert steps == [("person", "add"), ("person", "invite"), ("person", "bind")]
        (post,) = await _posts(p, "郝新来")
        assert await _steps(p, post.id) == [("post", "add")]
        # Who has acted in the post keeps it until it is ended.
        p.clock.forward(minutes=2)
        await p.say("郝新来", number)
        await story.evidence(p, "郝新来", "路灯改造合同第三条")
        refused = await p.press(ADMIN, "undo", inside="已添加岗位", ok=False)
        assert "结束任职" in refused
        assert len(await _posts(p, "郝新来")) == 1


async def _steps(p: Play, entity_id: str) -> list[tuple[str, str]]:
    async with p.parts.store.read() as work:
        return [(one.entity, one.action) for one in await work.events(entity_id=entity_id)]


async def test_both_are_taken_back_and_leave_no_way_in(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _added(p, "郝新来", "hxl")
        code = await p.press(ADMIN, "admin_invite", inside="hxl")
        await p.press(ADMIN, "admin_add_post", inside="hxl")
        await _appointed(p, "无", "admin")
        refused = await p.press(ADMIN, "undo", inside="已添加人员", ok=False)
        assert "先撤销岗位" in refused
        assert "已撤销 郝新来" in await p.press(ADMIN, "undo", inside="已添加岗位")
        assert await _posts(p, "郝新来") == []
        # A refused press used nothing up.
        assert "已撤销：郝新来" in await p.press(ADMIN, "undo", inside="已添加人员")
        (left,) = await p.all("people", handle="hxl")
        assert left.ended
        assert "郝新来" not in await p.say("郝新来", code[code.rindex("PY-") :][:15], ok=False)
        assert await p.all("identities", person="hxl") == []
        assert "没有对上人" in await p.say(ADMIN, "邀请 郝新来", ok=False)
        assert "对上 0 人" in await p.say(ADMIN, "人员 郝新来")
        await _gone(p)


async def _gone(p: Play) -> None:
    """Old buttons do nothing for who has left: the card has lost them, a question has not."""
    assert not await p.has(ADMIN, "admin_add_post", inside="已添加人员")
    old = await p.press(ADMIN, "post_leader", inside="郝新来 在", ok=False)
    assert "没有对上人" in old
    assert await _posts(p, "郝新来") == []


async def test_who_was_taken_back_is_added_again_under_the_same_handle(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _added(p, "郝新来", "hxl")
        first = (await p.all("people", handle="hxl"))[0]
        await p.press(ADMIN, "undo", inside="已添加人员")
        assert "hxl" in await p.say(ADMIN, "添加人员 甄未来 hxl", ok=False), "it names another"
        await _added(p, "郝新来", "hxl")
        found = await p.all("people", handle="hxl")
        assert [(one.id, one.ended) for one in found] == [(first.id, False)]
        assert "hxl" in await p.say(ADMIN, "添加人员 郝新来 hxl", ok=False), "is there already"
        assert "已撤销：郝新来" in await p.press(ADMIN, "undo", inside="已添加人员")


async def test_a_post_taken_back_is_given_again_the_same_day(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say(ADMIN, "添加岗位 王倩")
        await _appointed(p, "xczx", "reviewer_1")
        await p.press(ADMIN, "undo")
        await p.say(ADMIN, "添加岗位 王倩")
        await _appointed(p, "xczx", "reviewer_1")
        held = [post for post in await _posts(p, "王倩") if post.unit == "xczx"]
        assert [(post.valid_from, post.valid_to) for post in held] == [("2026-11-09", "")]
        assert "待审" in await p.say("王倩", "帮助")


async def test_half_an_hour_later_nothing_is_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _added(p, "郝新来")
        await p.press(ADMIN, "admin_add_post")
        await _appointed(p, "荔枝街道", "coordinator")
        p.clock.forward(minutes=31)
        assert "超过 30 分钟" in await p.press(ADMIN, "undo", inside="已添加岗位", ok=False)
        assert "超过 30 分钟" in await p.press(ADMIN, "undo", inside="已添加人员", ok=False)
        assert len(await _posts(p, "郝新来")) == 1


NO_NAMES = (
    ("13800001234", "手机号"),
    ("１３８００００１２３４", "手机号"),
    ("王明 13800001234", "手机号"),
    ("王明13800001234", "手机号"),
    ("11010519491231002X", "身份证号"),
    ("20261109", "不能用"),
    ("——", "不能用"),
    ("王\u200b明", "不能用"),
    ("王\x07明", "不能用"),
    ("王" * 21, "不能用"),
    ("王明 李亮", "代号"),
    ("王明 wm 01", "代号"),
    ("王明 p001", "王芳"),
)


async def test_what_is_no_name_is_refused_in_words(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        before = len(await p.all("people"))
        for typed, why in NO_NAMES:
            assert why in await p.say(ADMIN, f"添加人员 {typed}", ok=False), typed
        assert len(await p.all("people")) == before


async def test_the_same_name_is_shown_and_another_needs_a_handle(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say(ADMIN, "添加人员")
        said = await p.say(ADMIN, " 王芳 ")
        assert "王芳（p001）· 已绑定" in said
        assert "云溪街道 · 网格员" in said
        assert "同名" in said
        await p.press(ADMIN, "add_post_to")
        await _appointed(p, "云溪街道", "coordinator")
        assert [post.role for post in await _posts(p, "王芳")] == ["supervisor", "coordinator"]
        assert "王芳（wf2）" in await p.say(ADMIN, "添加人员 王芳 wf2")
        # By the name alone nobody is meant any more.
        assert "重名" in await p.say(ADMIN, "邀请 王芳", ok=False)
        assert "邀请码" in await p.say(ADMIN, "邀请 wf2")


async def test_several_units_are_offered_and_only_roles_that_make_sense(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _added(p, "郝新来")
        await p.press(ADMIN, "admin_add_post")
        assert "没有对上单位" in await p.say(ADMIN, "区太空局", ok=False)
        assert "这里只列出前面几个" in await p.say(ADMIN, "云江区")
        assert "“公安”对得上几个单位" in await p.say(ADMIN, "公安")
        assert await _offered(p) == ["区公安分局", "区交警大队", "取消"]
        await p.press(ADMIN, "区交警大队")
        assert await p.has(ADMIN, "post_handler", inside="区交警大队")
        for role in ("public", "desk", "coordinator", "machine", "clock"):
            assert not await p.has(ADMIN, f"post_{role}", inside="区交警大队")
        await p.say(ADMIN, "添加岗位 郝新来")
        await p.press(ADMIN, "no_unit")
        for role in ("supervisor", "handler", "unit_head", "operator", "coordinator"):
            assert not await p.has(ADMIN, f"post_{role}", inside="在云江担任")
        await p.press(ADMIN, "post_leader", inside="在云江担任")
        assert [(post.unit, post.role) for post in await _posts(p, "郝新来")] == [("", "leader")]


async def test_the_same_post_twice_is_refused(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say(ADMIN, "添加岗位 王倩")
        await p.say(ADMIN, "区教体局")
        refused = await p.press(ADMIN, "post_handler", ok=False)
        assert "已经有这个岗位" in refused
        assert "2026-01-01" in refused
        assert len(await _posts(p, "王倩")) == 1


async def test_an_operator_gets_accounts_that_nobody_runs(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=("a001", "a008", "a029", "a030", "a042", "a049")) as p:
        await p.say(ADMIN, "添加岗位 王倩")
        refused = await _taken(p, "云溪街道")
        assert "窦澄怀、邬沐阳" in refused
        await p.say(ADMIN, "结束任职 窦澄怀")
        await p.press(ADMIN, "post_operator", inside="窦澄怀")
        await p.say(ADMIN, "添加岗位 王倩")
        await _appointed(p, "云溪街道", "operator")
        said = await p.press(ADMIN, "云溪在线")
        assert "账号：云溪在线" in said
        await p.say(ADMIN, "添加岗位 王倩")
        # The only one that is left needs no question.
        assert "账号：云溪在线微博" in await _appointed(p, "云溪街道", "operator")
        assert await _runs(p) == [("a029", "a042")]
        # Taken back is what was given last; then the whole post.
        await p.press(ADMIN, "undo", inside="云溪在线微博")
        assert await _runs(p) == [("a029",)]
        await p.press(ADMIN, "undo", inside="账号：云溪在线")
        assert await _runs(p) == []
        await p.say(ADMIN, "添加岗位 王倩")
        await _appointed(p, "云溪街道", "operator")
        await p.press(ADMIN, "all_accounts", inside="王倩")
        assert await _runs(p) == [("a029", "a042")]


async def test_two_questions_never_give_one_account_twice(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=("a001", "a029", "a042")) as p:
        await p.say(ADMIN, "结束任职 窦澄怀")
        await p.press(ADMIN, "post_operator", inside="窦澄怀")
        for name in ("周磊", "王倩"):
            await p.say(ADMIN, f"添加岗位 {name}")
            await _appointed(p, "云溪街道", "operator")
        await p.press(ADMIN, "云溪在线", inside="周磊 运营")
        assert "已有人运营：云溪在线" in await p.press(ADMIN, "云溪在线", inside="王倩", ok=False)
        # All are those that are left.
        await p.press(ADMIN, "all_accounts", inside="王倩 运营")
        assert await _runs(p) == [("a042",)]


async def _taken(p: Play, unit: str) -> str:
    await p.say(ADMIN, unit)
    return await p.press(ADMIN, "post_operator", ok=False)


async def _runs(p: Play) -> list[tuple[str, ...]]:
    return [post.accounts for post in await _posts(p, "王倩") if post.role == "operator"]


async def test_tasks_that_wait_keep_an_operators_post(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say(ADMIN, "结束任职 华明川")
        await p.press(ADMIN, "post_operator", inside="华明川")
        await p.say(ADMIN, "添加岗位 安谷雨")
        await _appointed(p, "区卫健局", "operator")
        await story.started(p)
        assert "健康云江" in await p.last("安谷雨")
        assert "有任务在等" in await p.press(ADMIN, "undo", ok=False)


async def test_people_are_listed_ten_a_page_and_one_is_opened(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say(ADMIN, "人员")
        first = await p.last(ADMIN)
        assert first.count("已绑定") == 10
        second = await p.press(ADMIN, "next_page")
        assert "（p011）" in second
        assert await p.press(ADMIN, "previous_page") == first
        assert "上一页" not in await _offered(p)
        unit = await p.say(ADMIN, "人员 区教体局")
        for name in ("王倩", "周磊", "曹听澜", "陶明川"):
            assert name in unit
        assert "刘洋" not in unit
        card = await p.press(ADMIN, "王倩 p006")
        assert "王倩（p006）· 已绑定" in card
        await p.press(ADMIN, "admin_unbind", inside="王倩（p006）· 已绑定")
        assert await p.all("identities", person="p006", revoked_at=None) == []
        assert "王倩（p006）· 未绑定" in await p.say(ADMIN, "人员 王倩")
        assert await _offered(p) == ["添加岗位", "邀请", "结束任职"]
        await p.press(ADMIN, "admin_end_post", inside="未绑定")
        await p.press(ADMIN, "区教体局 承办")
        assert "岗位" not in await p.say(ADMIN, "人员 p006")
        assert await _offered(p) == ["添加岗位", "邀请"]


async def test_what_was_added_goes_out_and_in_without_a_change(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _added(p, "郝新来")
        await p.press(ADMIN, "admin_add_post")
        await _appointed(p, "区城管局", "handler")
        await _added(p, "甄未来", "zwl")
        await p.press(ADMIN, "admin_add_post", inside="zwl")
        await _appointed(p, "无", "publisher")
        await p.press(ADMIN, "undo", inside="甄未来 · 云江")
        await p.press(ADMIN, "undo", inside="zwl")
        async with p.parts.store.read() as work:
            tables = {name: (await export_rows(work, name))[1] for name in ("people", "posts")}
            found = await plan(
                work, tables, key_of=lambda text: normalise(text).key, today="2026-11-09"
            )
        assert {row["handle"]: row["ended"] for row in tables["people"]}["zwl"] == "是"
        assert ["ry001", "cgj", "handler", "2026-11-09", "", "", "", ""] in [
            list(row.values()) for row in tables["posts"]
        ]
        assert not found.faults
        assert not found.writes


async def test_only_the_administrator_does_any_of_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        people, posts = len(await p.all("people")), len(await p.all("posts"))
        for who in ("陈静", "何平", "王倩"):
            for typed in ("添加人员 郝新来", "添加岗位 王倩", "人员"):
                assert "p001" not in await p.say(who, typed, ok=False)
        assert (len(await p.all("people")), len(await p.all("posts"))) == (people, posts)
        help_ = await p.say("陈静", "帮助")
        assert "添加人员" not in help_
        help_ = await p.say(ADMIN, "帮助")
        assert "添加人员 姓名" in help_
        # A button of before outlives the post that it was for, but does nothing.
        await _added(p, "郝新来")
        (mine,) = await p.all("posts", person=p.ids[ADMIN])
        await _ended_elsewhere(p, mine)
        await p.say(ADMIN, "结束任职 高原")
        await p.press(ADMIN, f"post_{mine.role}")
        await p.press(ADMIN, "admin_add_post", ok=False)
        assert not await p.all("dialogs", person=p.ids[ADMIN])


async def _ended_elsewhere(p: Play, mine: Any) -> None:
    """A question that is still open is answered by nobody whose post has ended meanwhile."""
    for typed, answer in (
        ("添加人员", "甄未来"), ("邀请", "王倩"), ("解绑", "王倩"), ("添加岗位 王倩", "区城管局"),
    ):  # fmt: skip
        await p.say(ADMIN, typed)
        await p.change("posts", replace(await _now(p, mine), ended=True))
        assert "不能做这一步" in await p.say(ADMIN, answer, ok=False)
        await p.change("posts", replace(await _now(p, mine), ended=False))
    assert not await p.all("people", name="甄未来")
    assert not await p.all("invitations")
    assert await p.all("identities", person=p.ids["王倩"], revoked_at=None)


async def _now(p: Play, post: Any) -> Any:
    return (await p.all("posts", id=post.id))[0]


async def test_a_post_with_a_case_in_hand_is_not_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await _added(p, "郝新来")
        await p.press(ADMIN, "admin_add_post")
        await _appointed(p, "区城管局", "handler")
        code = await p.press(ADMIN, "admin_invite", inside="已添加岗位")
        await _joins(p, "郝新来", code)
        await p.say("范北辰", await p.number())
        await p.press("范北辰", "assignment_handover")
        await p.press("范北辰", "郝新来")
        await p.press(ADMIN, "undo", inside="已添加岗位", ok=False)
        assert len(await _posts(p, "郝新来")) == 1


_NEVER_DONE = (
    "CREATE TRIGGER broken BEFORE UPDATE ON inbox WHEN NEW.state = 'done'"
    " BEGIN SELECT RAISE(ABORT, 'broken'); END"
)


async def test_who_was_not_committed_is_not_in_the_directory(tmp_path: Path) -> None:
    def known(p: Play) -> bool:
        people = p.parts.services.directory.people.values()
        return "郝新来" in {one.name for one in people}

    async with stage(tmp_path) as p:
        async with p.parts.store.engine.begin() as connection:
            await connection.execute(text(_NEVER_DONE))
        said = Inbound(
            id=p.parts.services.ids.new(), platform="webchat", message_id="m1",
            external=p.ids[ADMIN], chat=p.ids[ADMIN], text="添加人员 郝新来",
            received_at=p.clock.now(),
        )  # fmt: skip
        await p.parts.dispatcher.store(said)
        await p.parts.dispatcher.step()
        assert not known(p)
        async with p.parts.store.engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER broken"))
        p.clock.forward(minutes=1)
        await p.parts.dispatcher.step()
        assert known(p)
