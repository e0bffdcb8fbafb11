"""Clocks that watch over what others do: reminders in bundles, receipts, feedback, 复燃."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.doubles.channels import ToldChannel
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.story import PHONE, bind_sms

REMINDED = ("reminder", "digest")


async def reminders(p: Play, who: str) -> list[dict[str, Any]]:
    return [m for m in await p.heard(who) if m["reply"] in REMINDED]


async def _two_dispatched(p: Play) -> None:
    """Two blue cases of one unit, five minutes apart."""
    await story.filed(p)
    p.clock.forward(minutes=5)
    await story.filed(p, "金穗家园的路灯今晚起全部熄灭，停一个月", "李敏")


async def test_reminders_to_one_person_come_in_bundles(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two_dispatched) as p:
        p.clock.forward(minutes=5)
        assert {one.owner for one in await p.all("cases")} == {"cgj"}
        await p.tick(minutes=56)
        first = len(await reminders(p, "范北辰"))
        assert first == 1
        for _ in range(4):
            await p.tick(minutes=2)
            assert len(await reminders(p, "范北辰")) == first, "the next bundle waits"
        await p.tick(minutes=2)
        assert len(await reminders(p, "范北辰")) == first + 1
        assert await p.all("nudges") == []


async def test_a_reminder_names_the_post_of_who_holds_several(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two_dispatched) as p:
        (held,) = await p.all("posts", person=p.ids["范北辰"], ended=False)
        async with p.parts.store.work() as work:
            await work.posts.add(replace(held, id="second", role="reviewer_1", version=0))
            await work.commit()
        await p.parts.reload_directory()
        p.clock.forward(minutes=5)
        await p.tick(minutes=56)
        said = "".join(m["text"] for m in await reminders(p, "范北辰"))
        assert "致：区城管局 · 承办" in said
        assert "致：" not in "".join(m["text"] for m in await reminders(p, "穆南星"))


async def test_what_is_done_meanwhile_is_not_reminded_of(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two_dispatched) as p:
        p.clock.forward(minutes=5)
        await p.tick(minutes=56)
        said = len(await reminders(p, "范北辰"))
        await p.tick(minutes=4)
        waiting = {one.person for one in await p.all("nudges")}
        assert p.ids["范北辰"] in waiting
        for _ in range(2):
            await p.press("范北辰", "assignment_acknowledge")
        await p.tick(minutes=7)
        assert len(await reminders(p, "范北辰")) == said


async def test_red_is_said_at_once_and_alone(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_two_dispatched) as p:
        p.clock.forward(minutes=5)
        await p.tick(minutes=56)
        said = len(await reminders(p, "范北辰"))
        await p.say("陈静", (await p.all("cases"))[1].number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_grade")
        await p.press("陈静", "grade_red")
        await p.tick(minutes=1)
        (red,) = (await reminders(p, "范北辰"))[said:]
        assert "熄灭" in red["text"]
        assert "两百" not in red["text"]


async def test_a_receipt_nobody_checks_is_pressed_for(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        p.links.default = "unreachable"
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        clock = await story.the(p, "deadlines", stage="check", closed_at=None)
        assert clock.due_at.isoformat() == "2026-11-10T07:05:00+00:00", "a working day from 15:05"
        before = {who: len(await reminders(p, who)) for who in ("冯涛", "陈静")}
        await p.tick(hours=19)
        assert len(await reminders(p, "冯涛")) > before["冯涛"]
        assert not any("核对回执" in m["text"] for m in await reminders(p, "陈静"))
        await p.tick(hours=5, minutes=1)
        assert any("核对回执" in m["text"] for m in await reminders(p, "陈静"))
        number = (await story.the(p, "cases")).number
        assert "健康云江" in await p.press("陈静", number, inside="核对回执")
        await p.press("陈静", "task_verify")
        assert await p.all("deadlines", stage="check", closed_at=None) == []


async def test_the_clock_of_a_receipt_ends_with_it(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("华明川", "https://mp.weixin.qq.com/s/wrong")
        assert len(await p.all("deadlines", stage="check", closed_at=None)) == 1
        await p.press("华明川", "task_undo")
        assert await p.all("deadlines", stage="check", closed_at=None) == []
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        await p.tick(minutes=1)
        assert await p.all("deadlines", stage="check", closed_at=None) == []
        await p.say("邬沐阳", "", files=[await p.file()])
        await p.press("陈静", "task_reject")
        assert await p.all("deadlines", stage="check", closed_at=None) == []
        await p.say("邬沐阳", "", files=[await p.file(9)])
        await p.say("冯涛", "看板")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert await p.all("deadlines", stage="check", closed_at=None) == []


def _breaches(heard: list[dict[str, Any]]) -> list[str]:
    return [m["text"] for m in heard if m["reply"] == "breach"]


async def test_feedback_that_has_not_arrived_in_an_hour_is_seen_once(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        await story.published(p)
        await story.told(p)
        assert await p.states("feedback") == ["in-doubt"]
        await p.tick(minutes=44)
        assert _breaches(await p.heard("陈静")) == []
        await p.tick(minutes=1)
        (said,) = _breaches(await p.heard("陈静"))
        assert "1 位报告人" in said
        assert "王芳" not in said
        await p.tick(minutes=1)
        await p.tick(hours=3)
        assert len(_breaches(await p.heard("陈静"))) == 1
        await p.press("陈静", "desk_doubts", inside="1 位报告人")
        await p.press("陈静", "doubt_arrived")
        assert await p.states("feedback") == ["sent"]


async def test_feedback_of_the_night_is_late_an_hour_after_the_morning(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, after=story.lamps_submitted, channels={"sms": channel}) as p:
        await bind_sms(p, "王芳")
        channel.verdicts[PHONE] = "lose"
        await story.signed(p)
        p.clock.forward(hours=8)
        await story.published(p)
        assert await p.states("feedback") == ["due"], "blue waits for 7:15"
        await p.tick(hours=8, minutes=20)
        assert _breaches(await p.heard("陈静")) == [], "the morning of 7:15"
        await p.tick(minutes=70)
        assert len(_breaches(await p.heard("陈静"))) == 1


async def test_feedback_that_was_told_is_no_breach(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await story.told(p)
        await p.tick(hours=2)
        assert _breaches(await p.heard("陈静")) == []


async def closed(p: Play) -> None:
    """The blue case, told and closed without a broadcast."""
    await story.lamps_published(p)
    await p.press("冯涛", "campaign_none")
    await story.told(p)
    assert await p.states("cases") == ["closed"]


def _relapses(heard: list[dict[str, Any]]) -> list[str]:
    return [m["text"] for m in heard if m["reply"] == "relapsed"]


async def _reported(p: Play, *people: str) -> None:
    for who in people:
        assert "不向住户收费" in await p.say(who, story.LAMPS), "answered, and counted all the same"
    await p.tick(minutes=1)


async def test_a_rumor_that_comes_back_is_an_alarm_once(tmp_path: Path) -> None:
    async with stage(tmp_path, after=closed) as p:
        card = await p.say("陈静", await p.number())
        assert "复燃观察到" in card
        assert "最近时限" not in card
        p.clock.forward(minutes=30)
        await _reported(p, "李敏", "李敏", "李敏", "张伟")
        assert _relapses(await p.heard("陈静")) == [], "two people, however often"
        await _reported(p, "喻耕读")
        for who in ("陈静", "范北辰"):
            (said,) = _relapses(await p.heard(who))
            assert "3 人" in said
        assert not await p.has("范北辰", "watch_reopen")
        await _reported(p, "王芳")
        assert len(_relapses(await p.heard("陈静"))) == 1, "once per episode"
        await p.press("陈静", "watch_leave")
        await p.tick(minutes=70)
        await _reported(p, "李敏", "张伟", "喻耕读")
        assert len(_relapses(await p.heard("陈静"))) == 2, "it was quiet for an hour"
        await p.press("陈静", "watch_reopen")
        assert await p.states("cases") == ["verifying"]
        assert await p.all("deadlines", stage="watch", closed_at=None) == []


async def test_the_watch_ends(tmp_path: Path) -> None:
    async with stage(tmp_path, after=closed) as p:
        await p.tick(hours=23, minutes=59)
        assert len(await p.all("deadlines", stage="watch", closed_at=None)) == 1
        await p.tick(minutes=16)
        assert await p.all("deadlines", stage="watch", closed_at=None) == []
        await _reported(p, "李敏", "张伟", "喻耕读")
        assert _relapses(await p.heard("陈静")) == []


async def test_one_area_alone_is_no_return(tmp_path: Path) -> None:
    async with stage(tmp_path, after=closed) as p:
        home = (await p.all("posts", person=p.ids["李敏"], role="supervisor"))[0].unit
        for who in ("张伟", "喻耕读"):
            (post,) = await p.all("posts", person=p.ids[who], role="supervisor")
            await p.change("posts", replace(post, unit=home))
        p.clock.forward(minutes=1)
        await _reported(p, "李敏", "张伟", "喻耕读")
        assert _relapses(await p.heard("陈静")) == []


async def test_national_clocks_stand_beside_the_local_ones(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        number = await p.number()
        before = await p.say("陈静", number)
        assert "首发（本区设定）：11 月 11 日 15:05" in before
        assert "国家规定" not in before
        for label, wanted, unwanted in (
            ("class_major", ["5 小时内", "今天 20:05", "24 小时内", "明天 15:05"], "48 小时内"),
            ("class_other", ["48 小时内", "11 月 11 日 15:05"], "24 小时内"),
            ("class_not_applicable", [], "国家规定"),
        ):
            await p.say("陈静", number)
            await p.press("陈静", "case_more")
            await p.press("陈静", "case_class")
            await p.press("陈静", label)
            shown = await p.press("陈静", "case_open")
            assert all(one in shown for one in wanted), shown
            assert unwanted not in shown
            if wanted:
                assert "国家规定" in await p.say("范北辰", number)


async def _unanswered(p: Play) -> None:
    """The orange case, dispatched, nobody acknowledges: 15 minutes, three times."""
    await story.school_filed(p)


async def _drafts(p: Play, who: str) -> list[str]:
    return [m["text"] for m in await p.heard(who) if m["reply"] == "criticism_draft"]


async def _told(p: Play, who: str) -> list[str]:
    return [m["text"] for m in await p.heard(who) if m["reply"] == "criticism"]


async def test_at_three_times_the_length_a_notice_is_drafted_and_approved(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_unanswered) as p:
        head = story.name_of(p, "unit_head", "jtj")
        leader = next(
            p.parts.services.directory.person_name(one.person)
            for one in p.parts.services.directory.posts
            if one.role == "leader"
        )
        for _ in range(3):
            await p.tick(minutes=12)
        assert await _drafts(p, leader) == []
        await p.tick(minutes=10)
        owner = [text for text in await _drafts(p, leader) if "区教体局" in text]
        (draft,) = owner
        assert "签收超时" in draft
        assert "起算 15:05，应于 15:20 前完成" in draft
        assert "15:17 催办" in draft
        assert "15:29 升级督办" in draft
        assert "经办" not in draft, "nobody has acknowledged it"
        assert len(await _drafts(p, leader)) == len(await _drafts(p, "陈静"))
        assert await _told(p, head) == []
        await p.press(leader, "criticism_issue", inside="区教体局")
        assert "区教体局" in (await _told(p, head))[-1]
        assert not await p.has("陈静", "criticism_issue", inside="责任单位：区教体局")
        await p.tick(hours=5)
        assert len(await _told(p, head)) == 1, "once, and nothing by itself"


async def test_a_draft_is_discarded(tmp_path: Path) -> None:
    async with stage(tmp_path, after=_unanswered) as p:
        await p.tick(minutes=50)
        head = story.name_of(p, "unit_head", "jtj")
        await p.press("陈静", "criticism_discard", inside="区教体局")
        await p.tick(hours=1)
        assert await _told(p, head) == []
        async with p.parts.store.read() as work:
            actions = [one.action for one in await work.events(entity="deadline")]
        assert actions.count("criticism-discarded") == 1
