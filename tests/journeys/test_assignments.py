"""Acknowledged, returned, designated, handed over, stale, expired, void."""

from dataclasses import replace
from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage


async def _of(p: Play, unit: str) -> str:
    return str((await p.all("assignments", unit=unit))[-1].state)


async def _return(p: Play, who: str, instead: str) -> None:
    await p.press(who, "assignment_return")
    await p.say(who, f"不属于本单位，应由{instead}办理。")
    await p.press("陈静", instead, inside="退回")


async def test_three_returns_then_the_desk_designates(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        await _return(p, "范北辰", "区住建局")
        assert await _of(p, "cgj") == "returned"
        await _return(p, "吴凌波", "区规资局")
        await _return(p, "倪千帆", "区城管局")
        assert await _of(p, "cgj") == "designated"
        assert not await p.has("范北辰", "assignment_return")
        await p.press("范北辰", "assignment_acknowledge")
        assert await _of(p, "cgj") == "acknowledged"
        case = await story.the(p, "cases")
        assert case.state == "acknowledged"
        assert case.returns == 3
        assert number == case.number


async def test_a_designation_is_changed_expires_and_is_acknowledged_late(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await _return(p, "范北辰", "区住建局")
        await _return(p, "吴凌波", "区规资局")
        await _return(p, "倪千帆", "区城管局")
        await p.press("陈静", "undo", inside="区城管局")
        assert await _of(p, "cgj") == "void"
        assert await _of(p, "zrj") == "designated"
        await p.tick(hours=3)
        assert await _of(p, "zrj") == "expired"
        assert "超时" in "".join(m["text"] for m in await p.heard("陈静"))
        await p.press("倪千帆", "assignment_acknowledge")
        made = (await p.all("assignments", unit="zrj"))[-1]
        assert (made.state, made.late) == ("acknowledged", True)


async def test_given_to_another_unit_before_and_after_it_is_acknowledged(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        for unit, code, before in (("区住建局", "zjj", "cgj"), ("区规资局", "zrj", "zjj")):
            await p.say("陈静", number)
            await p.press("陈静", "case_more")
            await p.press("陈静", "case_owner")
            await p.say("陈静", unit)
            assert await _of(p, before) == "void"
            assert await _of(p, code) == "offered"
        await p.press("倪千帆", "assignment_acknowledge")
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_owner")
        await p.say("陈静", "区住建局")
        assert await _of(p, "zrj") == "void"
        await p.tick(hours=3)
        assert await _of(p, "zjj") == "expired"
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_owner")
        await p.say("陈静", "区城管局")
        assert await _of(p, "zjj") == "void"


async def test_a_stale_acknowledgement_reopens_the_offer(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        await p.press("王倩", "assignment_acknowledge")
        due = (await p.all("deadlines", stage="first-publication"))[0].due_at
        await p.tick(minutes=90)
        assert await _of(p, "jtj") == "acknowledged"
        await p.tick(minutes=31)
        assert await _of(p, "jtj") == "offered"
        assert (await p.all("deadlines", stage="first-publication"))[0].due_at == due
        await p.press("曹听澜", "assignment_acknowledge")
        assert (await p.all("assignments", unit="jtj"))[-1].person == p.ids["曹听澜"]


async def test_handed_over_to_a_colleague_clocks_unchanged(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        before = {one.id: one.due_at for one in await p.all("deadlines", closed_at=None)}
        await p.say("范北辰", await p.number())
        await p.press("范北辰", "assignment_handover")
        await p.press("范北辰", "穆南星")
        made = (await p.all("assignments", unit="cgj"))[-1]
        assert (made.state, made.person) == ("acknowledged", p.ids["穆南星"])
        assert before == {one.id: one.due_at for one in await p.all("deadlines", closed_at=None)}


async def test_who_has_left_the_unit_gets_nothing_handed_over(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await p.say("范北辰", await p.number())
        await p.press("范北辰", "assignment_handover")
        token = await p.button("范北辰", "穆南星")
        for post in await p.all("posts", person=p.ids["穆南星"]):
            await p.change("posts", replace(post, ended=True))
        before = len(await p.heard("穆南星"))
        assert "本单位同事" in await p.token("范北辰", token, ok=False)
        made = (await p.all("assignments", unit="cgj"))[-1]
        assert (made.state, made.person) == ("acknowledged", p.ids["范北辰"])
        assert len(await p.heard("穆南星")) == before


async def test_what_was_given_back_is_not_handed_over(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_handover")
        token = await p.button("范北辰", "穆南星")
        await _return(p, "范北辰", "区住建局")
        assert "不能再转交" in await p.token("范北辰", token, ok=False)
        assert (await p.all("assignments", unit="cgj"))[-1].person != p.ids["穆南星"]


async def test_red_and_orange_dispatch_themselves(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.SCHOOL)
        await p.say("李敏", story.LAMPS)
        await p.tick(minutes=31)
        assert await p.states("cases") == ["dispatched"]
        assert await p.has("王倩", "assignment_acknowledge")
        assert "自动" in "".join(m["text"] for m in await p.heard("陈静"))


async def test_filed_only_then_dispatched(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_file_only")
        assert await p.states("cases") == ["filed"]
        await p.press("陈静", "case_dispatch")
        assert await p.states("cases") == ["dispatched"]
        assert await _of(p, "cgj") == "offered"


async def test_a_card_names_the_post_it_speaks_to_where_there_are_several(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        assert (await p.last("曹听澜")).endswith("致：区教体局 · 承办"), "also runs an account"
        assert "致：" not in await p.last("王倩"), "holds one post"
        await p.press("曹听澜", "assignment_acknowledge")
        card = (await p.heard("曹听澜"))[-2]["text"]
        assert "致：区教体局 · 承办\n— 已由 曹听澜" in card


async def test_the_card_of_an_operator_names_the_bodies_whose_accounts_it_lists(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        assert (await p.last("华明川")).endswith("致：区卫健局 · 账号运营")
        assert "致：区委宣传部、区融媒体中心 · 账号运营" in await p.last("韩雪")


async def test_a_leader_designates_another_owner_after_dispatch(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number, leader = await p.number(), story.name_of(p, "leader", "desk")
        await p.press("范北辰", "assignment_acknowledge")
        await p.say(leader, number)
        await p.press(leader, "case_owner")
        assert "区住建局" in await p.say(leader, "区住建局")
        assert await _of(p, "cgj") == "void"
        assert await _of(p, "zjj") == "designated"
        assert "不用再办" in await p.last("范北辰")
        assert "仍是协办" in await p.last("褚凤鸣")
        assert "分管领导指定为区住建局" in await p.last("陈静")
        assert not await p.has("吴凌波", "assignment_return"), "designated"
        await p.press("范北辰", "case_conclude", ok=False)
        await p.press(leader, "undo")
        assert await _of(p, "zjj") == "void"
        assert await _of(p, "cgj") == "offered"
        await p.say(leader, number)
        await p.press(leader, "case_owner")
        await p.say(leader, "北塘街道")
        town = await p.all("assignments", unit="t06", state__ne="void")
        assert [one.lead for one in town] == [True]
        await p.press(leader, "undo")
        live = await p.all("assignments", state="offered")
        assert sorted((one.unit, one.lead) for one in live) == [("cgj", True), ("t06", False)]
        await p.press("范北辰", "assignment_acknowledge")
        assert await p.states("cases") == ["acknowledged"]


async def test_the_owner_of_what_is_published_stays(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("陈静", await p.number())
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_owner")
        assert "不能再改主办" in await p.say("陈静", "区住建局", ok=False)
        assert await _of(p, "cgj") == "done"
        assert not await p.all("assignments", unit="zjj", state__ne="void")
