"""How a case may end: rebuttal, statement, holding notice, monitored, referred, not accepted."""

from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

FACT = "金穗家园路灯由区财政出资安装，不向住户收费。"


async def _acknowledged(p: Play) -> None:
    await story.filed(p)
    await p.press("范北辰", "assignment_acknowledge")


async def _filed_only(p: Play) -> None:
    await p.say("王芳", story.LAMPS)
    await p.press("陈静", "lead_more")
    await p.press("陈静", "lead_file_only")


async def test_a_holding_notice_then_the_rebuttal(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await p.press("范北辰", "draft_holding")
        await story.written(
            p, "范北辰", "关于金穗家园路灯收费的说法正在核查", fact="区城管局正在核查。"
        )
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("吴刚", "郑敏"))
        await story.published(p, "https://mp.weixin.qq.com/s/hold")
        await story.told(p)
        assert "核查" in await p.last("王芳")
        assert await p.states("cases") == ["acknowledged"]
        # It answers nobody.
        assert "正在看" in await p.say("李敏", "柳湾镇老粮站的围墙昨晚倒了一大片")

        await p.say("范北辰", await p.number())
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.concluded(p, "范北辰", "false", FACT)
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", why=story.LAMPS_WHY)
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        assert await p.states("bulletins", kind="holding") == ["superseded"]
        assert await p.states("bulletins", kind="first") == ["current"]
        assert FACT in await p.last("王芳")


async def test_a_late_holding_notice_never_stands_for_the_rebuttal(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await p.press("范北辰", "draft_holding")
        await story.written(p, "范北辰", "正在核查", fact="区城管局正在核查。")
        await p.press("范北辰", "draft_submit")
        await p.say("范北辰", await p.number())
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.concluded(p, "范北辰", "false", FACT)
        await p.press("范北辰", "draft_start")
        await story.signed(p, ("吴刚", "郑敏"))
        assert await p.states("cases") == ["drafting"]


async def test_what_is_true_gets_a_statement_only(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await story.evidence(p, "范北辰", "物业收费公示")
        await story.concluded(p, "范北辰", "true", "确有每户二百元的收费，已责令退还。")
        card = await p.press("范北辰", "draft_start")
        assert "情况说明" in card
        await story.written(p, "范北辰", "关于金穗家园路灯收费的情况说明")
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        assert "属实" in await p.last("王芳")
        await story.started(p)
        assert await p.states("campaigns") == ["running"]
        # A statement is no rebuttal: it answers nobody by itself.
        assert "不实" not in await p.say("李敏", story.LAMPS)


async def test_monitored_by_a_leader_until_its_review_date(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await story.concluded(p, "范北辰", "doubtful", "尚无法联系到收费的人。")
        assert "只监测到哪一天" in await p.press("何平", "case_monitor")
        assert "已经过了" in await p.say("何平", "2026-11-01", ok=False)
        assert await p.states("cases") == ["concluded"], "no day, no monitoring"
        await p.say("何平", "11 月 19 日")
        assert "11 月 19 日" in await p.say("何平", "影响小，继续观察。")
        assert await p.states("cases") == ["monitor-only"]
        await p.tick(days=9)
        assert await p.states("cases") == ["monitor-only"]
        await p.tick(days=2)
        assert await p.states("cases") == ["verifying"]
        assert "监测期满" in await p.last("范北辰")
        assert (await story.the(p, "deadlines", stage="verify", closed_at=None)).due_at > (
            p.clock.now()
        )
        number = await p.number()
        await p.say("范北辰", number)
        await story.concluded(p, "范北辰", "unverifiable", "查无此人。")
        await p.press("何平", "case_monitor")
        await p.press("何平", "days_30")
        await p.say("何平", "继续观察。")
        assert "复核日期：" in await p.say("陈静", number)
        await p.press("陈静", "case_resume")
        assert await p.states("cases") == ["verifying"]


async def test_what_is_true_and_monitored_comes_back_by_a_person_only(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await story.evidence(p, "范北辰", "物业收费公示")
        await story.concluded(p, "范北辰", "true", "确有每户二百元的收费，已责令退还。")
        await p.press("何平", "case_monitor")
        said = await p.say("何平", "已当面退还，不再扩散。")
        assert "自动转回查证" not in said
        assert (await story.the(p, "cases")).review_at is None
        await p.tick(days=60)
        assert await p.states("cases") == ["monitor-only"]


async def test_monitored_and_closed_by_the_desk(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_concluded) as p:
        number = await p.number()
        await p.say("何平", number)
        await p.press("何平", "case_monitor")
        await p.say("何平", "传播很少，不宜放大。")
        await p.tick(minutes=1)
        assert await p.states("feedback") == ["sent"]
        await p.say("陈静", number)
        await p.press("陈静", "case_close")
        assert await p.states("cases") == ["closed"]


async def test_an_opinion_is_referred_recalled_and_closed(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        said = await story.concluded(p, "范北辰", "opinion", "是对收费的意见，不是说法。")
        assert not await p.has("范北辰", "draft_start"), said
        await p.press("陈静", "case_open")
        await p.press("陈静", "case_refer")
        await p.press("陈静", "refer_12345")
        assert await p.states("cases") == ["referred"]
        number = await p.number()
        await p.say("陈静", number)
        assert "还不能办结" in await p.press("陈静", "case_close", ok=False)
        await p.tick(minutes=31)
        await p.say("陈静", number)
        await p.press("陈静", "case_close")
        assert await p.states("cases") == ["closed"]


async def test_an_opinion_is_closed_and_its_reporters_are_told(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_acknowledged) as p:
        await story.concluded(p, "范北辰", "opinion", "是对收费的意见，不是说法。")
        number = await p.number()
        await p.say("范北辰", number)
        assert not await p.has("范北辰", "draft_start")
        assert not await p.has("何平", "case_monitor")
        await p.press("陈静", "case_open")
        assert await p.has("陈静", "case_refer")
        await p.press("陈静", "case_close")
        assert await p.states("cases") == ["closed"]
        assert "done" in await p.states("assignments", unit="cgj")
        await p.tick(minutes=1)
        assert "意见或诉求" in await p.last("王芳")
        assert await p.states("feedback") == ["sent"]


async def test_only_an_opinion_is_closed_without_a_word(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_concluded) as p:
        await p.say("陈静", await p.number())
        assert not await p.has("陈静", "case_close")


async def test_filed_referred_recalled_and_not_accepted(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_filed_only) as p:
        await p.press("陈静", "case_refer")
        await p.press("陈静", "refer_upward")
        assert await p.states("cases") == ["referred"]
        await p.press("陈静", "case_recall")
        assert await p.states("cases") == ["filed"]
        assert await p.states("feedback") == [], "what is taken back is not owed"
        await p.press("陈静", "case_decline")
        await p.press("陈静", "reason_not_rumor")
        assert await p.states("cases") == ["not-accepted"]
        await p.tick(minutes=1)
        assert await p.states("feedback") == ["sent"]


async def test_published_without_a_broadcast_closed_and_reopened(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_none")
        await story.told(p)
        assert await p.states("cases") == ["closed"]
        assert await p.states("assignments", unit="cgj") == ["done"]
        number = await p.number()
        await p.say("陈静", number)
        await p.press("陈静", "case_reopen")
        assert await p.states("cases") == ["verifying"]
        await p.press("范北辰", "assignment_acknowledge")
        await story.concluded(p, "范北辰", "partly_true", "灯杆广告位另收费。")
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "路灯不收费，灯杆广告位收费", why=story.LAMPS_WHY)
        said = await p.press("范北辰", "draft_submit", ok=False)
        assert "先写清哪一部分属实" in said, "the true part comes first"
        await story.written(
            p, "范北辰", "路灯不收费，灯杆广告位收费", fact="广告位收费属实。路灯不向住户收费。"
        )
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/again")
        assert await p.states("bulletins", case=(await story.the(p, "cases")).id) == [
            "superseded", "current",
        ]  # fmt: skip


async def _held(p: Play) -> None:
    """Doubtful, with its 核查中提示 in public; the review date is the usual one."""
    await _acknowledged(p)
    await story.concluded(p, "范北辰", "doubtful", "尚无法联系到收费的人。")
    assert "复核日期：11 月 16 日" in await p.press("范北辰", "draft_start")
    await story.written(p, "范北辰", "关于路灯收费的说法正在核查", fact="正在核查。")
    await p.press("范北辰", "draft_submit")
    await story.signed(p, ("吴刚", "郑敏"))
    await story.published(p)


async def test_a_doubtful_case_stays_open_after_its_holding_notice(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_held) as p:
        await story.told(p)
        assert await p.states("feedback") == ["sent"]
        assert await p.states("cases") == ["monitor-only"], "told, and still open"
        assert await p.states("assignments", unit="cgj") == ["acknowledged"]
        await p.tick(days=6)
        assert await p.states("cases") == ["monitor-only"]
        await p.tick(days=2)
        assert await p.states("cases") == ["verifying"], "looked at again on its day"
        assert await p.states("bulletins", kind="holding") == ["current"]
        await p.press("范北辰", "case_open")
        await story.evidence(p, "范北辰", "路灯改造合同第三条")
        await story.concluded(p, "范北辰", "false", FACT)
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "金穗家园路灯改造不收费", why=story.LAMPS_WHY)
        await p.press("范北辰", "draft_submit")
        await story.signed(p)
        await story.published(p, "https://mp.weixin.qq.com/s/first")
        assert await p.states("bulletins", kind="holding") == ["superseded"]
        await p.press("冯涛", "campaign_none")
        await story.told(p)
        assert await p.states("cases") == ["closed"], "a verdict's end"


async def test_the_review_date_of_a_holding_notice_is_the_cases(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_held) as p:
        await p.say("吴刚", f"通报 {await p.number()}")
        assert "长期" not in await p.press("吴刚", "date_review")
        assert "必须有复核日期" in await p.say("吴刚", "长期", ok=False)
        await p.press("吴刚", "date_review")
        await p.press("吴刚", "days_30")
        await p.tick(days=20)
        assert await p.states("cases") == ["monitor-only"]
        await p.tick(days=11)
        assert await p.states("cases") == ["verifying"]
        await p.press("范北辰", "case_open")
        await story.concluded(p, "范北辰", "unverifiable", "查无此人。")
        await p.press("范北辰", "draft_start")
        await story.written(p, "范北辰", "关于路灯收费的说法仍在核查", fact="仍在核查。")
        await p.press("范北辰", "draft_submit")
        await story.signed(p, ("吴刚", "郑敏"))
        await story.published(p, "https://mp.weixin.qq.com/s/still")
        assert await p.states("bulletins", kind="holding") == ["superseded", "current"]
        assert await p.states("cases") == ["monitor-only"]
