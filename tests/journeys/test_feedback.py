"""What reporters are told, once, by a channel that refuses or goes silent."""

from pathlib import Path

from matrix.core.conversation import Inbound
from tests.doubles.channels import ToldChannel
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.story import PHONE, bind_sms


async def _no_campaign(p: Play) -> None:
    await p.press("冯涛", "campaign_none")


async def test_refused_on_one_channel_is_told_on_another(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        assert any("王芳" in text for text in channel.texts(PHONE))
        channel.verdicts[PHONE] = "refuse"
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        assert await p.states("feedback") == ["sent"]
        assert "不向住户收费" in await p.last("王芳")


async def test_in_doubt_is_settled_by_the_desk(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        await story.published(p)
        await _no_campaign(p)
        await story.told(p)
        assert await p.states("feedback") == ["in-doubt"]
        await p.tick(minutes=30)
        assert await p.states("feedback") == ["in-doubt"]
        assert await p.states("cases") == ["checking"]
        listed = await p.say("陈静", "待核投递")
        assert "王芳" not in listed
        await p.press("陈静", "doubt_arrived")
        assert await p.states("feedback") == ["sent"]
        assert await p.states("cases") == ["closed"]


async def test_in_doubt_is_said_again(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        channel.verdicts.clear()
        await p.say("陈静", "待核投递")
        await p.press("陈静", "doubt_resend")
        assert await p.states("feedback") == ["sent"]
        assert sum("不向住户收费" in text for text in channel.texts(PHONE)) == 1


async def test_in_doubt_is_given_up(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        await p.say("陈静", "待核投递")
        await p.press("陈静", "doubt_drop")
        assert await p.states("feedback") == ["undeliverable"]


async def test_nowhere_to_reach_is_shown_to_the_desk(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_submitted) as p:
        await p.say("高原", "解绑 王芳")
        await story.signed(p)
        await story.published(p)
        await _no_campaign(p)
        await story.told(p)
        assert await p.states("feedback") == ["undeliverable"]
        assert await p.states("cases") == ["closed"], "it holds up no case"
        lead = await story.the(p, "leads")
        assert lead.number in await p.last("陈静")
        assert "王芳" not in await p.last("陈静")


async def test_who_joins_late_is_told_what_the_others_were(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await story.told(p)
        assert await p.states("feedback") == ["sent"]
        await p.say("李敏", story.FEES)
        await p.press("陈静", "lead_more", inside="物业费")
        await p.press("陈静", "lead_merge")
        await p.press("陈静", await p.number())
        await p.tick(minutes=1)
        assert "不向住户收费" in await p.last("李敏")
        assert await p.states("feedback") == ["sent", "sent"]


async def _says(p: Play, text: str) -> None:
    """Something from the second chat account."""
    ids = p.parts.services.ids
    await p.parts.dispatcher.store(
        Inbound(
            id=ids.new(), platform="sms", message_id=ids.new(), external=PHONE, chat=PHONE,
            text=text, received_at=p.clock.now(),
        )
    )  # fmt: skip
    await p.settle()


async def test_a_mere_reply_in_doubt_is_seen_too(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await _says(p, "帮助")
        assert "待核投递 1 条" in await p.say("陈静", "交班")
        listed = await p.say("陈静", "待核投递")
        assert "一句回答" in listed
        assert "王芳" not in listed
        channel.verdicts.clear()
        await p.press("陈静", "doubt_resend")
        assert any("一条线索" in text for text in channel.texts(PHONE))
        assert "暂无" in await p.say("陈静", "待核投递")


async def test_what_matters_comes_before_mere_replies(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await _says(p, "帮助")
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        said = await p.say("陈静", "待核投递")
        assert said.index("给报告人的答复") < said.index("一句回答")


async def _changed(p: Play, verb: str, reason: str) -> None:
    """The publisher opens a correction, update or withdrawal; the unit takes it on."""
    await p.say("冯涛", "待发布")
    await p.press("冯涛", await p.number())
    await p.press("冯涛", f"bulletin_{verb}")
    await p.say("冯涛", reason)


async def test_a_mistake_found_in_the_first_quarter_of_an_hour_is_never_told(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        before = len(await p.heard("王芳"))
        await p.tick(minutes=10)
        await _changed(p, "correct", "费用一句写错了。")
        await p.tick(minutes=30)
        assert len(await p.heard("王芳")) == before, "held while the correction is written"
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "路灯由财政和物业出资", fact="路灯由区财政和物业出资。")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/right")
        await story.told(p)
        (said,) = (await p.heard("王芳"))[before:]
        assert "有结果了" in said["text"]
        assert "财政和物业" in said["text"]
        assert await p.states("feedback") == ["sent"], "one outcome, the right one"


async def test_withdrawn_before_anybody_was_told(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        before = len(await p.heard("王芳"))
        await p.tick(minutes=14)
        await _changed(p, "withdraw", "合同已变更，原说明不再准确。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "撤回关于金穗家园路灯的说明")
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("吴刚", "郑敏"))
        await story.published(p, "https://mp.weixin.qq.com/s/withdrawn")
        await p.tick(minutes=60)
        (said,) = (await p.heard("王芳"))[before:]
        assert "首发的说明已撤回" in said["text"]
        assert "之前就线索" not in said["text"], "there was nothing before"
        assert "不向住户收费" not in said["text"]


async def test_an_update_in_time_takes_the_place_of_the_first_text(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        before = len(await p.heard("王芳"))
        await _changed(p, "update", "补充退费电话。")
        await p.press("范北辰", "draft_take")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", todo="退费请拨打 12345。")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/update")
        await p.tick(minutes=14)
        assert len(await p.heard("王芳")) == before
        await p.tick(minutes=1)
        (said,) = (await p.heard("王芳"))[before:]
        assert "s/update" in said["text"]


async def test_who_joins_in_the_quarter_hour_is_told_together_with_the_others(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        p.clock.forward(minutes=10)
        await p.say("李敏", story.FEES)
        await p.press("陈静", "lead_more", inside="物业费")
        await p.press("陈静", "lead_merge")
        await p.press("陈静", await p.number())
        await p.tick(minutes=4)
        assert await p.states("feedback") == ["due", "due"]
        await p.tick(minutes=1)
        assert await p.states("feedback") == ["sent", "sent"]


async def test_the_district_sets_how_long_feedback_waits(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_submitted, PIYAO_FEEDBACK_MINUTES="0") as p:
        await story.signed(p)
        await story.published(p)
        await p.tick(seconds=1)
        assert await p.states("feedback") == ["sent"]
