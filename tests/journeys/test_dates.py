"""有效期 and 复核日期: set by who drafts, changed by who reviews or publishes."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import stage

SHOWN = "不向住户收费"


async def test_the_drafter_dates_the_text_before_it_is_submitted(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        await p.press("范北辰", "date_expiry")
        assert "有效期至：11 月 16 日" in await p.press("范北辰", "days_7")
        await p.press("范北辰", "date_expiry")
        assert "已经过了" in await p.say("范北辰", "11 月 8 日", ok=False)
        await p.press("范北辰", "date_expiry")
        assert "没有看懂日期" in await p.say("范北辰", "2 月 30 日", ok=False)
        await p.press("范北辰", "date_expiry")
        assert "有效期至：2027 年 1 月 15 日" in await p.say("范北辰", "1 月 15 日")
        await p.press("范北辰", "date_review")
        await p.say("范北辰", "2026-12-01")
        await p.press("范北辰", "draft_submit")
        assert "复核日期：12 月 1 日" in await p.last("孙丽")
        await story.signed(p)
        assert "有效期至：2027 年 1 月 15 日" in await p.last("冯涛")
        await story.published(p)
        made = await story.the(p, "bulletins", kind="first")
        assert (made.expires_at is None, made.review_at is None) == (False, False)

        await p.press("冯涛", "campaign_none")
        await story.told(p)
        p.clock.forward(days=20)
        assert SHOWN in await p.say("李敏", story.LAMPS)
        p.clock.forward(days=10)
        said = await p.say("张伟", story.LAMPS)
        assert SHOWN not in said, "past its review date it is only suggested"
        assert "这条辟谣过了复核日期（2026-12-01）" in said
        assert "过了复核日期（2026-12-01）" in await p.last("陈静")


async def test_a_reviewer_moves_the_dates_of_what_is_out(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        number = await p.number()
        said = await p.say("吴刚", "通报")
        assert number in said
        await p.press("吴刚", number)
        await p.press("吴刚", "date_review")
        assert "复核日期：12 月 9 日" in await p.press("吴刚", "days_30")
        await p.press("吴刚", "date_review")
        await p.say("吴刚", "长期")
        assert (await story.the(p, "bulletins", kind="first")).review_at is None
        await p.say("冯涛", f"通报 {number}")
        await p.press("冯涛", "date_expiry")
        assert "有效期至：11 月 16 日" in await p.press("冯涛", "days_7")
        assert "没有这份通报" in await p.say("陈静", "通报 云江-9999", ok=False)
        await p.say("陈静", f"通报 {number}")
        assert not await p.has("陈静", "date_expiry")

        await p.tick(days=8)
        assert await p.states("bulletins", kind="first") == ["expired"]
        await p.say("冯涛", f"通报 {number}")
        assert not await p.has("冯涛", "bulletin_prolong", inside="金穗家园路灯")
        await p.say("吴刚", f"通报 {number}")
        await p.press("吴刚", "date_expiry")
        await p.say("吴刚", "2027-06-30")
        assert await p.states("bulletins", kind="first") == ["current"]
        assert SHOWN in await p.say("李敏", story.LAMPS)


async def test_a_text_that_is_over_before_it_is_out_is_not_published(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        await p.press("范北辰", "date_expiry")
        await p.press("范北辰", "days_7")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        p.clock.forward(days=8)
        assert "有效期或复核日期已过" in await p.press("冯涛", "publish_link", ok=False)
        await p.press("冯涛", "date_expiry")
        await p.press("冯涛", "days_long")
        await p.say("冯涛", "待发布")
        await p.press("冯涛", await p.number())
        await p.say("冯涛", story.LINK)
        assert await p.states("bulletins", kind="first") == ["current"]


async def test_dates_wait_while_a_correction_is_under_way(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        number = await p.number()
        await p.say("冯涛", f"通报 {number}")
        await p.press("冯涛", "bulletin_correct")
        await p.say("冯涛", "合同编号有误。")
        await p.say("吴刚", f"通报 {number}")
        await p.press("吴刚", "date_review")
        assert "已有一份更正在办" in await p.press("吴刚", "days_30", ok=False)
