"""大事件: a main case speaks for those below it; each keeps its clocks, and parts again."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.test_clocks import reminders


async def _two(p: Play) -> None:
    """Two blue cases of two units."""
    await story.filed(p)
    p.clock.forward(seconds=1)
    await story.filed(p, story.FEES, "李敏")


async def _linked(p: Play) -> tuple[str, str]:
    main, child = [one.number for one in await p.all("cases", order="number")]
    await p.say("陈静", child)
    await p.press("陈静", "case_more")
    await p.press("陈静", "case_link")
    assert main in await p.say("陈静", main)
    return main, child


async def test_a_child_is_silent_and_says_what_waited_when_it_parts(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two) as p:
        main, child = await _linked(p)
        before = {who: len(await reminders(p, who)) for who in ("范北辰", "吴凌波")}
        assert f"挂在主案件 {main} 下" in await p.say("吴凌波", child)
        assert "下面挂着 1 件" in await p.say("陈静", main)
        await p.tick(minutes=62)
        assert len(await reminders(p, "范北辰")) > before["范北辰"]
        assert len(await reminders(p, "吴凌波")) == before["吴凌波"]
        (clock,) = [
            one for one in await p.all("deadlines", stage="acknowledge") if one.unit == "zjj"
        ]
        assert clock.rung > 0, "its own clock runs"
        await p.press("陈静", "case_detach")
        await p.tick(minutes=1)
        assert len(await reminders(p, "吴凌波")) == before["吴凌波"] + 1, "one message, not many"
        assert "挂在主案件" not in await p.say("吴凌波", child)


async def test_when_the_main_case_is_out_its_children_speak_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two) as p:
        main, _ = await _linked(p)
        await p.tick(minutes=62)
        said = len(await reminders(p, "吴凌波"))
        await p.say("陈静", main)
        await p.press("陈静", "case_more")
        await p.press("范北辰", "assignment_acknowledge")
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.concluded(p, "范北辰", "opinion", "是对收费的意见。")
        await p.say("陈静", main)
        await p.press("陈静", "case_close")
        await p.tick(minutes=1)
        assert len(await reminders(p, "吴凌波")) == said + 1


async def test_one_level_only_and_nothing_that_has_ended(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two) as p:
        main, child = await _linked(p)
        await p.say("陈静", main)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_link")
        assert "只能挂一级" in await p.say("陈静", child, ok=False)
        assert "没有这个案件" in await p.say("陈静", "云江-9999", ok=False)
        await p.press("陈静", "dialog_cancel")
        await p.say("陈静", child)
        await p.press("陈静", "case_more")
        assert not await p.has("陈静", "case_link", inside="挂在主案件")
        await p.press("陈静", "case_detach")
        await p.press("陈静", "case_open")
