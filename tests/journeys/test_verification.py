"""Questions to units, consultation, doubts."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage


async def _ask(p: Play, unit: str) -> None:
    await p.press("王倩", "verify_ask")
    await p.press("王倩", unit)
    await p.press("王倩", "standard_question")


async def _answer(p: Play, who: str, finding: str) -> None:
    await p.press(who, f"finding_{finding}")
    await p.say(who, "现场检查记录。")
    await p.press(who, "public_yes")


async def _of(p: Play, unit: str) -> str:
    return str((await p.all("verifications", unit=unit))[-1].state)


async def test_units_answer_ask_for_time_or_are_late(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        await p.press("王倩", "assignment_acknowledge")
        for unit in ("区市监局", "区卫健局", "区公安分局", "云溪街道"):
            await _ask(p, unit)
        assert await p.states("cases") == ["verifying"]

        await _answer(p, "罗沐阳", "deny")
        assert await _of(p, "sjj") == "answered"
        assert "不属实" in "".join(m["text"] for m in await p.heard("王倩"))

        await p.press("安谷雨", "verify_defer")
        await p.press("安谷雨", "hours_1")
        assert await _of(p, "wjw") == "needs-time"
        await _answer(p, "安谷雨", "unknown")
        assert await _of(p, "wjw") == "answered"
        assert len(await p.all("evidence")) == 1, "not knowing is no evidence"

        await p.press("王倩", "verify_withdraw", inside="云溪街道")
        assert await _of(p, "t01") == "withdrawn"

        await p.tick(minutes=80)
        assert await _of(p, "gaj") == "overdue"
        await _answer(p, "尤向暖", "deny")
        assert await _of(p, "gaj") == "answered"
        assert "区公安分局" in await p.press("王倩", "verify_compare")


async def test_a_consultation_keeps_positions_and_its_decision(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        await p.press("范北辰", "assignment_acknowledge")
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await p.say("范北辰", number)
        await p.press("范北辰", "case_consult")
        await p.say("范北辰", "收费说法从何而来？")
        assert await p.states("cases") == ["consulting"]
        await p.press("褚凤鸣", "case_position")
        await p.say("褚凤鸣", "社区没有收过费。")
        await p.press("范北辰", "case_settle")
        await p.say("范北辰", "按不实处理。")
        assert await p.states("cases") == ["verifying"]
        held = await story.the(p, "consultations")
        assert held.decision == "按不实处理。"
        assert list(held.positions) == [p.ids["褚凤鸣"]]

        await p.press("范北辰", "case_open")
        await p.press("范北辰", "case_consult")
        await p.say("范北辰", "再议一次。")
        await p.say("范北辰", number)
        await story.concluded(p, "范北辰", "false", "不收费。")
        assert await p.states("cases") == ["concluded"]


async def test_no_verdict_without_evidence(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await p.press("范北辰", "case_conclude")
        await p.press("范北辰", "verdict_false")
        assert "依据" in await p.say("范北辰", "不收费。", ok=False)
        assert await p.states("cases") == ["acknowledged"]


async def test_doubts_bring_the_case_back_to_verification(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_concluded) as p:
        number = await p.number()
        await p.press("范北辰", "case_doubt")
        assert await p.states("cases") == ["verifying"]

        await p.press("范北辰", "case_open")
        await story.concluded(p, "范北辰", "false", "金穗家园路灯由区财政出资安装。")
        await p.press("范北辰", "draft_start")
        await p.say("范北辰", number)
        await p.press("范北辰", "case_doubt")
        assert await p.states("cases") == ["verifying"]

        await p.press("范北辰", "case_open")
        await story.concluded(p, "范北辰", "false", "金穗家园路灯由区财政出资安装。")
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", why=story.LAMPS_WHY)
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("孙丽",))
        await p.press("吴刚", "case_doubt")
        assert await p.states("cases") == ["verifying"]
        assert (await p.states("revisions"))[-1] == "pulled-back"
        assert not await p.has("吴刚", "review_pass")


async def test_the_reporter_is_asked_under_a_pseudonym(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await p.press("范北辰", "enquiry_ask")
        await p.say("范北辰", "在哪个群看到的？")
        assert "在哪个群看到的" in await p.last("王芳")
        await p.press("王芳", "enquiry_reply")
        await p.say("王芳", "楼栋群。")
        assert "楼栋群" in await p.last("范北辰")
        assert "王芳" not in "".join(m["text"] for m in await p.heard("范北辰"))


async def test_a_new_draft_begins_with_what_is_known(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.evidence(p, "范北辰", "财务科内部台账", public=False)
        await story.concluded(p, "范北辰", "false", "路灯由区财政出资安装，不向住户收费。")
        card = await p.press("范北辰", "draft_start")
        assert "事实：路灯由区财政出资安装" in card
        assert "为什么不实：区城管局：路灯改造合同第三条。" in card
        assert "内部台账" not in card, "what may not be published is not offered for publication"
        assert "怎么办：请不要转发" in card
