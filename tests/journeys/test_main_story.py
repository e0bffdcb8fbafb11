"""From a forwarded rumor to feedback, a correction and its spread: eight people and more."""

from pathlib import Path

import pytest

from tests.journeys import story
from tests.journeys.play import Play, stage

TITLE = "实验二小无学生食物中毒，8 人为感冒发热请假"
FACT = "实验二小没有学生食物中毒，8 名学生因感冒发热请假，均已返校。"


async def _published(p: Play) -> str:
    number = await story.filed(p, story.SCHOOL)
    await p.say("张伟", story.SCHOOL)
    card = await p.press("王倩", "assignment_acknowledge")
    assert number in card
    await p.press("王倩", "verify_ask")
    await p.press("王倩", "区市监局")
    await p.press("王倩", "standard_question")
    await p.press("罗沐阳", "finding_deny")
    await p.say("罗沐阳", "经核查，8 名学生为感冒发热请假，检测未见食源性致病菌。")
    await p.press("罗沐阳", "public_yes")
    assert "不属实" in await p.press("王倩", "verify_compare")
    await story.evidence(p, "王倩", "学校晨检记录与区疾控检测结论一致。")
    await story.concluded(p, "王倩", "false", FACT)
    await p.press("王倩", "draft_start")
    await story.written(
        p, "王倩", TITLE, why="网上图片拍摄于 2023 年外地。区疾控采样未检出致病菌。",
        todo="请家长留意学校通知。",
    )  # fmt: skip
    await p.press("王倩", "draft_submit")
    await story.signed(p)
    await story.published(p)
    return number


async def test_a_rumor_is_rebutted_spread_and_corrected(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _played(p)


@pytest.mark.postgres
async def test_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with stage(tmp_path, DATABASE_URL=postgres_url) as p:
        await _played(p)


async def _played(p: Play) -> None:
    number = await _published(p)
    assert FACT not in await p.last("王芳"), "a quarter of an hour to find mistakes"
    await story.told(p)
    assert FACT in await p.last("王芳")
    assert "第一个报告" in await p.last("王芳")
    assert FACT in await p.last("张伟")
    assert "第一个报告" not in await p.last("张伟")

    board = await story.started(p)
    assert f"{number} 同步转发 1/6" in board
    await p.say("韩雪", "https://weibo.com/1/2")
    await p.say("华明川", "https://mp.weixin.qq.com/s/h")
    await p.say("谢慎之", "https://mp.weixin.qq.com/s/x")
    await p.say("卞秋实", "https://mp.weixin.qq.com/s/b")
    await p.say("邬沐阳", "", files=[await p.file()])
    await p.tick(minutes=1)
    assert await p.states("campaigns") == ["running"]
    await p.press("冯涛", "task_verify")
    assert await p.states("campaigns") == ["converged"]
    assert await p.states("cases") == ["closed"]
    assert set(await p.states("tasks")) == {"verified"}

    answer = await p.say("李敏", story.SCHOOL)
    assert FACT in answer

    await _corrected(p, number)


async def _corrected(p: Play, number: str) -> None:
    await p.say("冯涛", "待发布")
    await p.press("冯涛", number)
    await p.press("冯涛", "bulletin_correct")
    await p.say("冯涛", "请假学生为 9 人，原写 8 人。")
    # From now on the text is only suggested, never stated.
    assert FACT not in await p.say("喻耕读", story.SCHOOL)
    await p.press("王倩", "draft_take")
    await p.press("王倩", "edit_fact")
    await p.say("王倩", FACT.replace("8 名", "9 名"))
    await p.press("王倩", "draft_submit")
    await story.signed(p)
    await story.published(p, "https://mp.weixin.qq.com/s/def456")
    await story.told(p)
    for reporter in ("王芳", "张伟", "李敏"):
        assert "9 名" in await p.last(reporter)
    assert sorted(await p.states("bulletins", kind="first")) == ["corrected"]
    await story.started(p)
    original, successor = await p.all("campaigns")
    assert set(successor.accounts) >= set(original.accounts)
    assert "更正" in await p.last("华明川")
