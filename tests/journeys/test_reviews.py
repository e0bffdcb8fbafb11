"""Three reviews: sent back, pulled back, undone; nobody signs their own or twice."""

from pathlib import Path

import pytest

from tests.journeys import story
from tests.journeys.play import Play, stage


async def _newest(p: Play) -> str:
    return (await p.states("revisions"))[-1]


@pytest.mark.parametrize("step", [0, 1, 2])
async def test_sent_back_with_a_comment_and_written_again(tmp_path: Path, step: int) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        await story.signed(p, story.REVIEWERS[:step])
        reviewer = story.REVIEWERS[step]
        await p.press(reviewer, "review_back")
        await p.say(reviewer, "第二段请写明合同编号。")
        assert await _newest(p) == "sent-back"
        assert await p.states("cases") == ["drafting"]
        assert "合同编号" in await p.last("范北辰")
        await p.press("范北辰", "draft_open")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", fact="合同编号 2026-7：不收费。")
        await p.press("范北辰", "draft_submit")
        assert await _newest(p) == "review-1"
        assert "合同编号" in await p.press("孙丽", "review_diff")


@pytest.mark.parametrize("step", [0, 1, 2, 3])
async def test_pulled_back_by_its_drafter(tmp_path: Path, step: int) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        await story.signed(p, story.REVIEWERS[:step])
        await p.press("范北辰", "draft_pull_back")
        assert await p.states("revisions") == ["pulled-back", "draft"]
        assert await p.states("cases") == ["drafting"]
        assert not await p.has("冯涛", "publish_link")
        await p.press("范北辰", "draft_submit")
        assert await _newest(p) == "review-1"


async def test_signatures_are_taken_back_until_the_next_one(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        for step, reviewer in enumerate(story.REVIEWERS):
            await p.press(reviewer, "review_pass")
            await p.press(reviewer, "review_undo")
            assert await _newest(p) == f"review-{step + 1}"
            await p.press(reviewer, "review_pass")
        assert await _newest(p) == "signed"
        assert await p.states("cases") == ["approved"]
        await p.press("孙丽", "review_undo", ok=False)
        assert await _newest(p) == "signed"


async def test_the_publisher_gives_a_signed_text_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        await story.signed(p)
        await p.press("冯涛", "publish_return")
        assert await p.states("cases") == ["drafting"]
        await p.press("范北辰", "draft_open")
        await p.press("范北辰", "draft_submit")
        assert await _newest(p) == "review-1"


async def _urgent(p: Play) -> str:
    number = await story.filed(p, story.SCHOOL)
    await p.press("王倩", "assignment_acknowledge")
    await story.evidence(p, "王倩", "区疾控检测结论：未检出致病菌。")
    await story.evidence(p, "王倩", "学校晨检记录。")
    await story.concluded(p, "王倩", "false", "实验二小没有学生食物中毒。")
    await p.press("王倩", "draft_start")
    await story.written(p, "王倩", "实验二小未发生食物中毒", why="区疾控采样未检出致病菌。")
    await p.press("王倩", "draft_submit_urgent")
    await story.signed(p, ("吴刚", "郑敏"))
    assert await _newest(p) == "signed-urgent"
    return number


async def test_the_urgent_path_is_ratified(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _urgent(p)
        await story.published(p)
        await p.press("冯涛", "campaign_none")
        await story.told(p)
        assert await p.states("cases") == ["checking"], "not closed before it is ratified"
        await p.press("孙丽", "review_ratify")
        assert await _newest(p) == "ratified"
        assert await p.states("cases") == ["closed"]


async def test_refused_after_publication_opens_a_correction(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _urgent(p)
        await story.published(p)
        await p.press("孙丽", "review_refuse")
        assert await p.states("revisions") == ["refused", "draft"]
        assert (await story.the(p, "cases")).correction_open
        assert await p.has("王倩", "draft_take")


async def test_refused_before_publication_is_written_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _urgent(p)
        await p.press("孙丽", "review_refuse")
        assert await p.states("cases") == ["drafting"]
        assert not await p.has("冯涛", "publish_link")
        await p.press("王倩", "draft_open")
        await p.press("王倩", "draft_submit")
        assert await _newest(p) == "review-1"


async def test_who_verified_an_urgent_case_does_not_sign_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        posts = await p.all("posts", role="reviewer_1")
        own = next(one for one in posts if one.person == p.ids["孙丽"])
        await p.change("posts", type(own)(**{**_fields(own), "person": p.ids["王倩"]}))
        await story.filed(p, story.SCHOOL)
        await p.press("王倩", "assignment_acknowledge")
        await story.evidence(p, "王倩", "区疾控检测结论。")
        await story.evidence(p, "王倩", "学校晨检记录。")
        await story.concluded(p, "王倩", "false", "没有学生食物中毒。")
        await p.press("曹听澜", "case_open") if await p.has("曹听澜", "case_open") else None
        await p.say("曹听澜", await p.number())
        await p.press("曹听澜", "draft_start")
        await story.written(p, "曹听澜", "实验二小未发生食物中毒", why="未检出致病菌，均已返校。")
        await p.press("曹听澜", "draft_submit")
        await p.press("王倩", "review_pass", ok=False)
        assert await _newest(p) == "review-1"


def _fields(entity: object) -> dict[str, object]:
    from dataclasses import fields

    return {field.name: getattr(entity, field.name) for field in fields(entity)}  # type: ignore[arg-type]


async def test_everybody_finds_what_waits_for_them_by_one_word(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        number = await p.number()
        assert number in await p.say("范北辰", "待办"), "the unit's cases"
        assert number in await p.say("孙丽", "待办"), "the reviewer's texts"
        assert "待办" in await p.say("孙丽", "帮助")
        await story.signed(p)
        assert number in await p.say("冯涛", "待办"), "what is to be published"
        assert "待办" not in await p.say("王芳", "帮助"), "nothing waits for a reporter"
