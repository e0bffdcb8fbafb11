"""What becomes of a lead: answered, confirmed, asked back, rejected, referred, withdrawn."""

import json
from pathlib import Path

from bot.tables.commands import export_table
from config.matching import load_model
from handlers.importing.links import link_rows
from tests.journeys import story
from tests.journeys.play import Play, stage

KNOWN = "转发！急！河东镇主水管爆裂，从明天开始停水三天，家家户户赶紧接水存水，转给家里人！"
ELSEWHERE = KNOWN.replace("河东镇", "云溪街道")


async def _lead(p: Play) -> str:
    return str((await p.all("leads"))[-1].state)


async def _links(p: Play) -> set[str]:
    """Where the links of the newest lead stand."""
    lead = (await p.all("leads"))[-1]
    return {str(one.state) for one in await p.all("links", lead=lead.id)}


async def test_a_known_rumor_is_answered_rated_and_disputed(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        said = await p.say("王芳", KNOWN)
        assert "已有辟谣" in said
        assert await _lead(p) == "answered"
        await p.press("王芳", "rate_useful")
        assert (await p.all("leads"))[-1].rating == "useful"
        await p.press("王芳", "lead_dispute")
        assert await _lead(p) == "queued"
        assert [one.state for one in await p.all("links")] == ["undone"]
        assert "报告人" in await p.last("陈静")


async def test_the_same_template_elsewhere_waits_for_the_desk(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        said = await p.say("王芳", ELSEWHERE)
        assert "很像" in said
        assert "云溪街道" in said
        assert await _lead(p) == "queued"
        await p.press("陈静", "lead_confirm")
        assert "停水" in await p.last("王芳")
        assert await _lead(p) == "answered"
        await p.press("陈静", "lead_undo")
        assert await _lead(p) == "queued"
        assert "undone" in [str(one.state) for one in await p.all("links")]


async def test_the_reporter_says_that_it_is_another_matter(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", ELSEWHERE)
        await p.press("王芳", "lead_view")
        await p.press("王芳", "lead_not_this")
        assert await _lead(p) == "queued"
        assert {str(one.state) for one in await p.all("links")} == {"undone"}


async def test_withdrawn_before_it_is_dispatched(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", ELSEWHERE)
        await p.say("王芳", "撤回")
        assert await _lead(p) == "withdrawn"
        assert {str(one.state) for one in await p.all("links")} == {"undone"}
        await p.say("王芳", story.LAMPS)
        await p.press("陈静", "lead_file", inside="路灯")
        assert "撤" in await p.say("王芳", "撤回", ok=False)
        assert await _lead(p) == "attached"


async def test_attached_to_a_running_case_and_undone(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        await p.say("李敏", ELSEWHERE)
        await p.press("陈静", "lead_more", inside="主水管")
        await p.press("陈静", "lead_merge")
        await p.press("陈静", number)
        assert await _lead(p) == "attached"
        assert "dismissed" in await _links(p)
        await p.press("陈静", "lead_undo")
        assert await _lead(p) == "queued"
        assert "dismissed" not in await _links(p)
        await p.press("陈静", "lead_open")
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_merge")
        await p.say("陈静", number)
        assert await _lead(p) == "attached"


async def test_candidates_dismissed_by_the_desk(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("李敏", ELSEWHERE)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_dismiss")
        assert {str(one.state) for one in await p.all("links")} == {"dismissed"}
        assert await _lead(p) == "queued"


async def test_a_bare_link_is_asked_back_lapses_and_is_answered_late(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", "https://news.yunjiang.example/share/20261118-7f3a.html")
        assert await _lead(p) == "needs-info"
        await p.tick(days=29)
        assert await _lead(p) == "needs-info"
        await p.tick(days=2)
        assert await _lead(p) == "lapsed"
        await p.say("王芳", f"补充 {story.LAMPS}")
        assert await _lead(p) == "queued"
        assert "路灯" in await p.last("陈静")


async def test_the_desk_asks_for_more(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_ask")
        await p.say("陈静", "请发群里的截图。")
        assert "请发群里的截图" in await p.last("王芳")
        assert await _lead(p) == "needs-info"
        await p.press("王芳", "lead_supplement")
        await p.say("王芳", "群里的原话：每户两百，本周五前交齐。")
        assert await _lead(p) == "queued"


async def test_rejected_taken_back_and_rejected_for_good(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        before = len(await p.heard("王芳"))
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_reject")
        await p.press("陈静", "reason_not_ours")
        assert await _lead(p) == "rejected"
        await p.press("陈静", "lead_undo")
        assert await _lead(p) == "queued"
        await p.tick(minutes=40)
        assert len(await p.heard("王芳")) == before, "what is taken back was never said"
        await p.press("陈静", "lead_open")
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_reject")
        await p.press("陈静", "reason_not_ours")
        await p.tick(minutes=31)
        assert len(await p.heard("王芳")) == before + 1
        assert await p.states("feedback") == ["sent"]
        await p.press("王芳", "lead_unsatisfied")
        assert await _lead(p) == "queued"


async def test_referred_and_taken_back_in_time_only(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        for wait, state in ((10, "queued"), (31, "referred")):
            await p.press("陈静", "lead_more" if wait == 10 else "lead_open")
            if wait == 31:
                await p.press("陈静", "lead_more")
            await p.press("陈静", "lead_refer")
            await p.press("陈静", "refer_12345")
            assert await _lead(p) == "referred"
            p.clock.forward(minutes=wait)
            said = await p.press("陈静", "lead_undo", ok=wait == 10)
            assert said
            assert await _lead(p) == state


async def test_our_own_rebuttal_forwarded_is_no_rumor(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        title = "【演示】河东镇供水正常，主管道完好，没有停水计划"
        said = await p.say("王芳", f"大家看看：{title}", forwarded=True)
        assert await _lead(p) == "rejected", said
        assert title in said


async def test_joined_to_the_running_case_and_disputed(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        said = await p.say("张伟", story.LAMPS)
        assert number in said
        assert await _lead(p) == "attached"
        await p.press("张伟", "lead_dispute")
        assert await _lead(p) == "queued"
        assert await _links(p) == {"undone"}


async def test_leads_that_say_the_same_are_filed_together(tmp_path: Path) -> None:
    """同类线索: a new wording joins the lead that waits; undone, it is a claim of its own again."""
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        first = str((await p.all("leads"))[0].number)
        await p.say("李敏", "听说" + story.LAMPS[:-4] + "，有没有这回事呀")
        card = await p.last("陈静")
        assert "同类线索" in card
        assert first in card
        own = {one.claim for one in await p.all("leads")}
        assert len(own) == 2

        await p.press("陈静", "alike_to")
        assert "一起立案" in await p.last("陈静")
        assert len({one.claim for one in await p.all("leads")}) == 1
        assert {str(one.state) for one in await p.all("links") if one.target_kind == "claim"} == {
            "confirmed"
        }
        await p.press("陈静", "lead_apart")
        assert {one.claim for one in await p.all("leads")} == own

        await p.press("陈静", "lead_open")
        assert "同类线索" not in await p.last("陈静")
        await p.press("陈静", "lead_file", inside="有没有这回事")
        assert sorted(await p.states("leads")) == ["attached", "queued"]


async def test_links_go_out_as_labelled_pairs(tmp_path: Path) -> None:
    """What the machine held alike, why, by which model, and what people said of it."""
    async with stage(tmp_path) as p:
        await p.say("王芳", ELSEWHERE)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_dismiss")
        number = str((await p.all("leads"))[0].number)
        path = tmp_path / "links.jsonl"
        assert await export_table(p.parts.services.store, "links", path) > 0
        row = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
        assert (row["lead"], row["label"], row["state"]) == (number, "different", "dismissed")
        assert row["target_kind"] == "bulletin"
        assert row["model_version"] == load_model().version
        assert json.loads(row["reasons"])
        async with p.parts.services.store.read() as work:
            assert await link_rows(work, "0101-99") == []
            assert len(await link_rows(work, number)) == len(await link_rows(work))
