"""What the clocks see: receipts to check, feedback to arrive, rumors that return, the last rung."""

from pathlib import Path

from tests.doubles.channels import ToldChannel
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.test_feedback import PHONE, _bind


async def _closed(p: Play) -> None:
    await story.lamps_published(p)
    await p.press("冯涛", "campaign_none")


async def test_a_receipt_that_nobody_checks_is_reminded_of(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("邬沐阳", "", files=[await p.file()])
        await p.tick(hours=20)
        assert "核对回执" in await p.last("冯涛")
        assert "核对回执" in await p.last("陈静")
        await p.press("陈静", "task_verify")
        task = await story.task(p, "a049")
        assert not await p.all("deadlines", subject=f"task:{task.id}", closed_at=None)


async def test_feedback_that_does_not_arrive_is_a_breach_shown_once(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await _bind(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        await story.published(p)
        await p.tick(minutes=50)
        assert not [m for m in await p.heard("陈静") if "一小时还没有收到结果" in m["text"]]
        await p.tick(minutes=11)
        await p.tick(minutes=60)
        shown = [m for m in await p.heard("陈静") if "一小时还没有收到结果" in m["text"]]
        assert len(shown) == 1
        assert "王芳" not in shown[0]["text"]


async def test_a_closed_rumor_that_returns_alarms_once_a_wave(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_closed) as p:
        assert await p.states("cases") == ["closed"]
        reporters = ("李敏", "张伟", "王芳")
        for who in reporters[:2]:
            assert "已有辟谣" in await p.say(who, story.LAMPS)
        assert not await p.has("陈静", "case_watch")
        assert "已有辟谣" in await p.say(reporters[2], story.LAMPS)
        assert "又传开了" in await p.last("陈静")
        assert "又传开了" in await p.last("范北辰")

        await p.press("陈静", "case_watch")
        assert "继续观察" in await p.last("陈静")
        await p.tick(minutes=61)
        for who in reporters:
            await p.say(who, f"转发：{story.LAMPS}")
        await p.press("陈静", "case_reopen", inside="又传开了")
        assert await p.states("cases") == ["verifying"]
        assert not await p.all("deadlines", stage="watch", closed_at=None)


async def test_the_watch_ends_by_itself(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_closed) as p:
        await p.tick(days=2)
        assert not await p.all("deadlines", stage="watch", closed_at=None)
        for who in ("李敏", "张伟", "王芳"):
            await p.say(who, story.LAMPS)
        assert not await p.has("陈静", "case_watch")


async def test_national_clocks_hang_on_the_class_a_person_sets(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        assert "国家规定" not in await p.say("陈静", number)
        for wanted, times in (("class_major", 2), ("class_other", 1), ("class_not_applicable", 0)):
            await p.press("陈静", "case_more")
            await p.press("陈静", "case_class")
            await p.press("陈静", wanted)
            assert (await p.say("陈静", number)).count("国家规定") == times


async def test_the_last_rung_drafts_a_notice_that_a_person_sends(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await p.tick(days=9)
        drafted = [m for m in await p.heard("陈静", limit=60) if "通报稿" in m["text"]]
        assert drafted
        assert not [m for m in await p.heard("潘东篱", limit=60) if "超时未办的通报" in m["text"]]
        await p.press("陈静", "notice_send")
        told = [m for m in await p.heard("潘东篱", limit=60) if "超时未办的通报" in m["text"]]
        assert len(told) == 1
        assert "还没有发出" not in told[0]["text"]
        if await p.has("陈静", "notice_drop"):
            await p.press("陈静", "notice_drop")


async def test_an_undo_of_owner_and_grade_ends(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_owner")
        await p.say("陈静", "区水务局")
        await p.tick(minutes=31)
        assert "30 分钟" in await p.press("陈静", "undo", ok=False)
        await p.press("陈静", "lead_open", inside="水务") if await p.has(
            "陈静", "lead_open"
        ) else None
        await p.press("陈静", "lead_file")
        await p.press("陈静", "case_grade")
        await p.press("陈静", "grade_yellow")
        await p.press("陈静", "undo")
        assert (await p.all("cases"))[0].grade == "blue"
