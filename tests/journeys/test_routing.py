"""Whose business: elsewhere, the nation's, under vertical management; and how sure that is."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

ELSEWHERE = "郑州的自来水厂停水三天了，超市的水都被抢光了，大家快囤水"
NATIONAL = "国务院刚发的文件，延迟退休下个月开始，养老金要少发两成，快转"
TAXES = "税务局说北塘街道个体户下月起每月多交三百块税，不交就封店"
MINISTRY = "https://www.mohrss.example.cn/answer/20261109.html"


async def test_a_matter_elsewhere_goes_upward_with_one_press(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", ELSEWHERE)
        card = await p.last("陈静")
        assert "建议：上报上级部门" in card
        assert "说的是外地（郑州），没有本区地点" in card
        assert "把握：不大，可能判断有误" in card
        await p.press("陈静", "lead_refer_up")
        assert await p.states("leads") == ["referred"]
        await p.tick(minutes=31)
        assert "上级部门" in await p.last("王芳")
        assert not await p.has("陈静", "lead_refer_up")


async def test_the_desk_keeps_it_when_it_knows_better(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", "郑州那边的物业费下个月翻倍，业主都炸了")
        assert "上报" in await p.last("陈静")
        await p.press("王芳", "云溪街道")
        card = await p.last("陈静")
        assert "上报" not in card
        assert "同时提到外地（郑州）" in card
        await p.press("陈静", "lead_file")
        number = await p.number()
        assert "把握：一般" in await p.say("陈静", number)


async def test_national_policy_goes_upward_with_the_ministrys_answer(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", NATIONAL)
        assert "事项=全国性政策 → 建议上报上级，附主管部委的答复" in await p.last("陈静")
        said = await p.press("陈静", "lead_refer_up")
        assert "主管部委的公开答复链接" in said
        assert "没有看到链接" in await p.say("陈静", "在人社部网站", ok=False)
        await p.press("陈静", "lead_undo")
        await p.press("陈静", "lead_open")
        await p.press("陈静", "lead_refer_up")
        await p.say("陈静", f"看这里 {MINISTRY}")
        await p.tick(minutes=31)
        assert MINISTRY in await p.last("王芳")


async def test_a_filed_case_of_national_policy_is_linked_for_all(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for reporter in ("王芳", "李敏"):
            await p.say(reporter, NATIONAL)
        await p.press("陈静", "lead_more", inside="国务院")
        await p.press("陈静", "lead_file_only")
        await p.press("陈静", "case_refer")
        await p.press("陈静", "refer_upward")
        await p.say("陈静", MINISTRY)
        await p.tick(minutes=31)
        for reporter in ("王芳", "李敏"):
            assert MINISTRY in await p.last(reporter)


async def test_under_vertical_management_the_superior_coordinates(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", TAXES)
        card = await p.last("陈静")
        assert "区税务局属垂直管理 → 值班台协调" in card
        assert "无人可联系" not in card
        await p.say("李敏", "云江区供电的变压器坏了，限电一个月，晚上全区停电")
        card = await p.last("陈静")
        assert "云江供电属垂直管理 → 区经信局协调" in card
        await p.press("陈静", "lead_file", inside="变压器")
        assert set(await _units(p)) >= {"jxj", "gdzx"}


async def _units(p: Play) -> list[str]:
    return [one.unit for one in await p.all("assignments")]


async def test_three_reporters_at_once_raise_the_influence(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        for reporter in ("李敏", "张伟"):
            await p.say(reporter, story.LAMPS)
        said = await p.say("陈静", number)
        assert "3 人报告，传得快" in said
        assert "把握：较大" in said
