"""Numbers: alone, in a sentence, shared by several things; and what lies in a supervisor's area."""

import dataclasses
from datetime import timedelta
from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage


async def _years_ago(p: Play, number: str) -> None:
    """The only lead becomes one of last year with this number."""
    lead = await story.the(p, "leads")
    before = lead.received_at - timedelta(days=365)
    await p.change("leads", dataclasses.replace(lead, number=number, received_at=before))


async def test_a_number_within_a_sentence_finds_it(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        case, lead = await p.number(), await p.number("leads")
        assert "路灯" in await p.say("陈静", f"请问{case}怎么样了？")
        assert "路灯" in await p.say("王芳", f"线索 {lead} 现在什么情况")
        assert "路灯" in await p.say("王芳", f"{case} 怎么样了"), "the own lead in the case"
        assert "路灯" in await p.say("范北辰", f"看看 {case.replace('-', '－')} 的进度")
        assert len(await p.all("leads")) == 1


async def test_forwarded_long_linked_and_unknown_stay_leads(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        lead = await p.number("leads")
        for text, more in (
            (f"{lead} 现在什么情况", {"forwarded": True}),
            (f"有人说 {lead} 那件事是真的，小区里都在传，说路灯钱要收到明年年底，不交就停电", {}),
            (f"https://v.example/{lead} 看看", {}),
            ("明天 1230-99 路公交车全部停运，大家早点出门", {}),
        ):
            p.clock.forward(minutes=2)
            before = len(await p.all("leads"))
            await p.say("王芳", text, **more)
            assert len(await p.all("leads")) == before + 1, text


async def test_what_others_reported_is_not_found_by_its_number(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        lead = await p.number("leads")
        assert "没有找到" in await p.say("李敏", lead, ok=False)
        await p.say("李敏", f"{lead} 现在什么情况")
        assert len(await p.all("leads")) == 2, "out of sight, so it is what is reported"


async def test_digits_that_fit_several_things_are_offered(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.FEES)
        number = await p.number("leads")
        await _years_ago(p, number)
        await p.say("王芳", story.LAMPS)
        newest = (await p.all("leads"))[-1]
        await p.change("leads", dataclasses.replace(newest, number=number))
        said = await p.say("陈静", number)
        assert "对得上几个" in said
        await p.press("陈静", f"线索 {number} · 2025-11-09")
        assert "物业费" in await p.last("陈静")
        assert "对得上几个" in await p.say("王芳", f"{number} 怎么样了")
        await p.press("王芳", f"线索 {number} · 2026-11-09")
        assert "路灯" in await p.last("王芳")


async def test_bare_digits_fit_a_case_and_the_leads_of_a_day(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        case = await story.the(p, "cases")
        await p.change("cases", dataclasses.replace(case, number="云江-1109"))
        assert "对得上几个" in await p.say("陈静", "1109")
        await p.press("陈静", "案件 云江-1109")
        assert "路灯" in await p.last("陈静")
        assert "路灯" in await p.say("范北辰", "1109"), "the unit sees the case, no leads"
        assert "路灯" in await p.say("王芳", "1109"), "a reporter sees the own lead only"


async def test_a_task_by_its_serial(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        number = await p.number()
        mine = (await p.all("tasks", operator=p.ids["华明川"]))[0]
        assert "转" in await p.say("冯涛", f"转{mine.serial}")
        said = await p.say("华明川", f"{number} 转{mine.serial} 在哪里")
        assert f"转{mine.serial}" in said
        assert "我的任务" in await p.say("华明川", f"{number} 怎么样了")


async def test_a_supervisor_sees_the_area_but_not_who_reported(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        names = {one.person for one in p.parts.services.directory.posts if one.unit == "t01"}
        near = next(
            name for name, id_ in p.ids.items()
            if id_ in names and name != "王芳"
            and any(x.person == id_ and x.role == "supervisor"
                    for x in p.parts.services.directory.posts)
        )  # fmt: skip
        await p.say("王芳", story.LAMPS)
        number = await p.number("leads")
        said = await p.say(near, "本辖区")
        assert number in said
        assert "王芳" not in said
        assert number not in await p.say("李敏", "本辖区"), "another town"
        assert number not in await p.say(near, "我的线索")
        said = await p.say(near, number)
        assert "路灯" in said
        assert not await p.has(near, "lead_withdraw")
        assert "王芳" not in said
        token = await p.button("王芳", "lead_withdraw")
        assert "不能用" in await p.token(near, token, ok=False)
        assert await p.states("leads") == ["queued"]
        await p.say("王芳", "撤回")
        assert number not in await p.say(near, "本辖区")
        assert "没有找到" in await p.say(near, number, ok=False)


async def test_the_area_list_goes_on_to_the_next_page(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for count in range(11):
            await p.say(
                "王芳", f"云溪街道第 {count} 小学门口的路灯要收费了，大家都在说", forwarded=True
            )
        await p.say("王芳", "我的线索")
        assert "11 条" in await p.press("王芳", "lead_area")
        assert "第 0 小学" in await p.press("王芳", "next_page")
