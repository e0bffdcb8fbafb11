"""A reporter: bursts, edits, pictures, groups, notices; and strangers."""

from pathlib import Path

from matrix.core.conversation import Inbound
from tests.journeys import story
from tests.journeys.play import Play, stage
from tests.journeys.test_leads import KNOWN

SAMPLE_LINK = "https://news.yunjiang.example/share/20261118-7f3a.html"


async def _stranger(p: Play, text: str, external: str = "wx-1") -> list[str]:
    """Somebody whom nobody has invited speaks in the web chat."""
    await p.parts.dispatcher.store(
        Inbound(
            id=p.parts.services.ids.new(), platform="webchat",
            message_id=p.parts.services.ids.new(), external=external, chat=external, text=text,
            received_at=p.clock.now(),
        )
    )  # fmt: skip
    await p.settle()
    answer = await p.http.get(f"/api/webchat/chats/{external}/messages", params={"limit": 50})
    return [m["text"] for m in answer.json() if not m["mine"]]


async def test_a_burst_is_one_lead_and_two_rumors_are_two(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        p.clock.forward(seconds=5)
        await p.say("王芳", "就在楼下")
        await p.say("王芳", "", files=[await p.file()])
        lead = await story.the(p, "leads")
        assert len(lead.parts) == 2
        assert len(lead.attachments) == 1
        p.clock.forward(seconds=5)
        await p.say("王芳", story.FEES)
        assert len(await p.all("leads")) == 2


async def test_a_picture_alone_is_kept_and_asked_about(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", "", files=[await p.file()])
        assert await p.states("leads") == ["needs-info"]
        await p.press("王芳", "lead_supplement")
        await p.say("王芳", story.LAMPS)
        assert await p.states("leads") == ["queued"]


async def test_where_and_seen_in_are_asked_one_at_a_time(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", "听说小区的物业费下个月要翻倍，业主都炸了")
        await p.press("王芳", "云溪街道")
        await p.press("王芳", "seen_group")
        lead = await story.the(p, "leads")
        assert (lead.about_area, lead.seen_in) == ("990101001", "group")
        assert "云溪街道" in await p.last("陈静")


async def test_an_edit_updates_the_lead_and_is_marked(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS, message_id="m1")
        before = (await story.the(p, "leads")).received_at
        due = {one.id: one.due_at for one in await p.all("deadlines", closed_at=None)}
        p.clock.forward(minutes=2)
        await p.say("王芳", "每户收费三百元", edits="m1")
        lead = await story.the(p, "leads")
        assert lead.edited
        assert lead.received_at == before
        assert due == {one.id: one.due_at for one in await p.all("deadlines", closed_at=None)}


async def test_the_same_message_twice_is_one(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for _ in range(2):
            await p.say("王芳", story.LAMPS, message_id="m1")
        assert len(await p.all("leads")) == 1


async def test_own_leads_search_and_notices(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", KNOWN)
        number = (await story.the(p, "leads")).number
        assert number in await p.say("王芳", "我的线索")
        assert number in await p.say("王芳", number)
        assert "停水" in await p.say("王芳", "查 河东镇停水")
        await p.say("王芳", "停止通知")
        p.clock.forward(minutes=5)
        await p.say("王芳", story.LAMPS)
        await p.press("陈静", "lead_more", inside="路灯")
        await p.press("陈静", "lead_reject")
        await p.press("陈静", "reason_not_ours")
        heard = len(await p.heard("王芳"))
        await p.tick(hours=1)
        assert len(await p.heard("王芳")) == heard
        await p.say("王芳", "恢复通知")


async def test_a_stranger_reports_under_a_pseudonym(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        said = await _stranger(p, KNOWN)
        assert any("停水" in text for text in said)
        lead = await story.the(p, "leads")
        assert (await p.all("people", id=lead.reporter))[0].name == ""


async def test_a_stranger_is_turned_away_where_the_district_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, PIYAO_PUBLIC_REPORTS="off") as p:
        said = await _stranger(p, KNOWN)
        assert len(said) == 1
        assert await p.all("leads") == []


async def test_the_desk_enters_a_lead_for_a_caller(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("陈静", "代录")
        await p.say("陈静", story.LAMPS)
        lead = await story.the(p, "leads")
        assert lead.entered_by == p.ids["陈静"]
        await p.press("陈静", "lead_file")
        assert await p.states("cases") == ["dispatched"]


async def test_others_are_asked_what_they_mean(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("何平", story.LAMPS)
        assert await p.all("leads") == []
        await p.press("何平", "as_lead")
        assert await p.states("leads") == ["queued"]


async def test_danger_to_life_puts_the_emergency_numbers_first(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        said = await p.say("王芳", "梧桐里小区3栋着火了，五楼窗口还有两个人被困，快来人救命啊！")
        first = said.split("发“帮助”看可以做什么。")[-1]
        assert first.index("119") < first.index("线索")


async def test_groups_hear_only_what_is_certain(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:

        async def group(**more: object) -> int:
            await p.say("王芳", "@辟谣矩阵", group="g1", ok=False, **more)
            answer = await p.http.get("/api/webchat/chats/group:g1/messages")
            return len([m for m in answer.json() if not m["mine"]])

        assert await group() == 0
        assert await group(quoted=KNOWN) == 0, "nobody asked"
        assert await group(quoted=KNOWN, mentioned=True) == 1
        assert await group(quoted=SAMPLE_LINK, mentioned=True) == 1
        assert await group(quoted=story.LAMPS, mentioned=True) == 1
        assert await p.states("leads") == ["answered", "needs-info", "queued"]
        assert "收到" in await p.last("王芳")
