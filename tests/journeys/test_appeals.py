"""异议: whoever reads a bulletin may say that it is wrong; the desk answers, once."""

from dataclasses import replace
from pathlib import Path

from matrix.core.roles import Role
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.test_leads import KNOWN

WRONG = "说明里写金穗家园，我们是金穗花园，被写错了，电话 13800138000"


async def _filed(p: Play, who: str = "李敏") -> str:
    """Appealed against the lamps' bulletin, found by searching."""
    await p.say(who, "查 金穗家园路灯收费")
    await p.press(who, "appeal_file")
    return await p.say(who, WRONG)


async def test_upheld_the_text_is_corrected_and_the_appellant_told_once(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        number = await p.number()
        leads, claims = len(await p.all("leads")), len(await p.all("claims"))
        said = await _filed(p)
        appeal = await story.the(p, "appeals")
        assert appeal.number in said
        assert (len(await p.all("leads")), len(await p.all("claims"))) == (leads, claims)
        assert "13800138000" not in appeal.text
        card = await p.last("陈静")
        assert appeal.number in card
        assert "李敏" not in card
        assert "异议待答复 1 件" in await p.say("陈静", "交班")
        await p.say("陈静", "待办")
        await p.press("陈静", appeal.number)
        await p.press("陈静", "appeal_uphold")
        await p.say("陈静", "小区名写错，应为金穗花园。")
        assert await p.states("appeals") == ["upheld"]
        assert "异议成立" not in await p.last("李敏"), "it may still be taken back"
        assert (await story.the(p, "cases")).correction_open
        assert "小区名写错" in await p.last("范北辰")
        await p.tick(minutes=30)
        told = await p.last("李敏")
        assert "异议成立" in told
        assert "小区名写错" in told
        heard = len(await p.heard("李敏"))
        await p.tick(hours=1)
        assert len(await p.heard("李敏")) == heard
        assert "异议成立" in await p.say("李敏", appeal.number)
        assert "李敏" not in await p.say("范北辰", number)
        assert "小区名写错" in await p.press("范北辰", "case_appeals")
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        assert "异议 → 异议成立" in await p.press("陈静", "look_log")


async def test_denied_with_a_reason_and_asked_again(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        number = await p.number()
        await p.say("李敏", f"异议 {number} {WRONG}")
        assert "还在核实" in await p.say("李敏", f"异议 {number} 还是不对", ok=False)
        assert "1 件" in await p.say("范北辰", number)
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "合同所写就是金穗家园。")
        assert await p.states("appeals") == ["denied"]
        await p.tick(minutes=30)
        assert "没有错误" in await p.last("李敏")
        assert "异议答复" in await p.say("张伟", "查 金穗家园路灯收费"), "its reason is public"
        assert "合同所写就是金穗家园" in await p.last("张伟")
        assert "李敏" not in await p.last("张伟")
        assert not (await story.the(p, "cases")).correction_open
        await p.say("李敏", f"异议 {number} 合同是旧的，现在已改名")
        assert await p.states("appeals") == ["denied", "open"]


async def test_from_an_answer_against_an_imported_text(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", KNOWN)
        await p.press("王芳", "appeal_file")
        await p.say("王芳", "河东镇确实停过半天水")
        await p.press("陈静", "appeal_uphold")
        await p.say("陈静", "停水属实，已请区水务局更正。")
        assert "已有辟谣" not in await p.say("李敏", KNOWN), "only suggested from now on"
        await p.tick(minutes=30)
        assert "不再直接引用" in await p.last("王芳")


async def test_the_word_alone_asks_which_and_knows_the_own_lead(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", KNOWN)
        lead = await p.number("leads")
        await p.say("王芳", "异议")
        assert "没有对上" in await p.say("王芳", "1230-99", ok=False)
        await p.say("王芳", "异议")
        assert "哪里不对" in await p.say("王芳", lead)
        await p.say("王芳", "河东镇确实停过半天水")
        assert await p.states("appeals") == ["open"]
        assert "没有找到" in await p.say("李敏", (await story.the(p, "appeals")).number, ok=False)


async def test_the_original_is_forgotten_in_time(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        p.clock.forward(days=366)
        await p.parts.forget_old()
        assert (await story.the(p, "appeals")).sealed, "not before it is answered"
        await p.say("陈静", "待办")
        await p.press("陈静", (await story.the(p, "appeals")).number)
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "核对无误。")
        await p.parts.forget_old()
        assert not (await story.the(p, "appeals")).sealed


async def test_an_answer_that_reaches_nobody_comes_back_to_the_desk(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        await p.say("高原", "解绑 李敏")
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "核对无误。")
        await p.tick(minutes=30)
        assert "送不到" in "".join(m["text"] for m in (await p.heard("陈静"))[-2:])


async def test_taken_back_within_half_an_hour_nothing_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        before = len(await p.heard("李敏"))
        await p.press("陈静", "appeal_uphold")
        await p.say("陈静", "小区名写错。")
        assert (await story.the(p, "cases")).correction_open
        await p.press("陈静", "appeal_undo")
        assert await p.states("appeals") == ["open"]
        assert not (await story.the(p, "cases")).correction_open
        assert not await p.has("范北辰", "draft_take")
        assert await p.all("deadlines", stage="draft", closed_at=None) == []
        assert "不向住户收费" in await p.say("张伟", story.LAMPS), "as before"
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "合同上没有写错。")
        await p.press("陈静", "appeal_undo")
        assert await p.states("appeals") == ["open"]
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "合同所写就是金穗家园。")
        await p.tick(minutes=30)
        (said,) = (await p.heard("李敏"))[before:]
        assert "没有错误" in said["text"], "one answer, the last"


async def test_what_has_been_acted_on_or_is_half_an_hour_old_stands(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        await p.press("陈静", "appeal_uphold")
        await p.say("陈静", "小区名写错。")
        await p.press("范北辰", "draft_take")
        assert "撤销" in await p.press("陈静", "appeal_undo", ok=False)
        assert await p.states("appeals") == ["upheld"]
        await p.tick(minutes=31)
        assert "异议成立" in await p.last("李敏")


async def test_who_was_right_hears_of_the_correction(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        await p.press("陈静", "appeal_uphold")
        await p.say("陈静", "小区名写错。")
        await p.press("范北辰", "draft_take")
        await story.written(
            p, "范北辰", "更正：金穗花园路灯改造不收费", fact="金穗花园路灯不收费。"
        )
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/right")
        told = "".join(m["text"] for m in await p.heard("李敏"))
        assert "所指的说明已更正" in told
        assert "s/right" in told
        await story.told(p)
        assert "金穗花园" in await p.last("王芳"), "and so does everyone whom the original reached"


async def test_it_has_a_clock_of_its_own(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await _filed(p)
        assert "答复时限" in await p.last("陈静")
        number = (await story.the(p, "appeals")).number
        await p.tick(hours=13)
        assert number not in await p.last("陈静"), "at night nobody is reminded"
        await p.tick(hours=7)
        assert any(
            number in m["text"] and "答复异议" in m["text"] for m in await p.heard("陈静")
        ), [m["text"] for m in (await p.heard("陈静"))[-3:]]
        await p.press("陈静", "appeal_deny")
        await p.say("陈静", "核对无误。")
        assert await p.all("deadlines", stage="appeal", closed_at=None) == []


async def test_with_a_picture_and_its_words(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("李敏", "查 金穗家园路灯收费")
        await p.press("李敏", "appeal_file")
        assert "图片已收下" in await p.say("李敏", "", files=[await p.file()])
        await p.say("李敏", WRONG)
        assert len((await story.the(p, "appeals")).attachments) == 1
        assert "附件：1 个" in await p.last("陈静")


async def test_nobody_answers_for_a_text_of_their_own(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        desk = next(x for x in await p.all("posts") if x.person == p.ids["陈静"])
        async with p.parts.store.work() as work:
            own = replace(desk, id="own", version=0, role=Role.HANDLER, unit="cgj")
            await work.posts.add(own)
            await work.commit()
        await p.parts.reload_directory()
        await _filed(p)
        assert "另一位同事" in await p.press("陈静", "appeal_deny", ok=False)
        assert await p.states("appeals") == ["open"]
