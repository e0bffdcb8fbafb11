"""What a release must never do (lessons §22), as far as a conversation can meet it."""

from pathlib import Path

from matrix.core.conversation import Inbound
from tests.journeys import story
from tests.journeys.play import stage

LINKS = tuple(f"https://news.example.cn/a/{n}.html" for n in range(10))
NAMES = (
    "云溪街道", "实验二小", "河东镇中心小学", "区人民医院", "滨江大道", "云江大桥", "荔枝街道",
    "望江名邸", "云汇广场", "区疾控中心",
)  # fmt: skip
NOTICES = (
    "云江区气象台发布大雾黄色预警，请注意行车安全。",
    "云溪街道办事处关于秋季疫苗接种时间的通知：11 月 12 日上午九点起，凭身份证到服务中心接种。",
    "河东镇中心小学 11 月 13 日召开家长会，请准时参加。",
    "区水务局计划检修通知：11 月 15 日 22 时至次日 5 时，北塘路沿线水压降低。",
    "供电检修：11 月 16 日 9 时至 12 时，石桥街道铁匠铺社区停电检修。",
    "滨江大道 11 月 14 日夜间铺设沥青，22 时至 6 时半幅通行。",
    "区图书馆周一闭馆，周二至周日正常开放。",
    "2026 年度城乡居民医保集中缴费期截至 12 月 31 日。",
    "区人民医院体检中心周六上午开放预约。",
    "荔枝街道便民服务中心搬迁至南湖路 8 号，11 月 20 日起办公。",
)


async def test_three_people_at_once_are_one_claim_and_three_sightings(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for who in ("王芳", "李敏", "张伟"):
            await p.say(who, story.LAMPS)
        claim = await story.the(p, "claims")
        sightings = await p.all("sightings", claim=claim.id)
        assert len({one.person for one in sightings}) == 3
        leads = await p.all("leads")
        assert len({one.number for one in leads}) == 3
        assert claim.first_lead == leads[0].id
        await p.press("陈静", "lead_file")
        assert set(await p.states("leads")) == {"attached"}
        assert len(await p.all("cases")) == 1


async def test_links_names_and_notices_stay_unanswered(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for text in (*LINKS, *NAMES, *NOTICES):
            p.clock.forward(minutes=2)
            said = await p.say("王芳", text, forwarded=True)
            assert "已有辟谣" not in said, text
        assert "answered" not in await p.states("leads")


async def test_groups_hear_nothing_about_links_names_and_notices(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        person = (await p.all("identities", person=p.ids["王芳"]))[0]
        for number, quoted in enumerate((*LINKS, *NAMES, *NOTICES)):
            p.clock.forward(minutes=2)
            await p.parts.dispatcher.store(
                Inbound(
                    id=p.parts.services.ids.new(), platform="webchat", message_id=f"g{number}",
                    external=person.external, chat="group-1", in_group=True, mentioned=True,
                    text="真的吗", quoted=quoted, received_at=p.clock.now(),
                )
            )  # fmt: skip
            await p.settle()
        assert await p.all("deliveries", address="group-1") == []
        assert "answered" not in await p.states("leads")


async def test_a_picture_alone_is_kept_and_one_line_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        said = await p.say("王芳", "", files=[await p.file()])
        (lead,) = await p.all("leads")
        assert (lead.state, len(lead.attachments)) == ("needs-info", 1)
        assert lead.number in said


async def test_what_is_no_text_in_our_encoding_is_refused_and_nothing_is_stored(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as p:
        url = f"/api/webchat/chats/{p.ids['王芳']}/messages"
        for body in ('{"text": "谣言"}'.encode("gb18030"), b"\xff\xfe\x00", b"[]", b"{", b"MZ\x90"):
            answer = await p.http.post(
                url, content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code in {400, 422}, body
        assert await p.all("leads") == []
        assert not await p.all("inbox", state="failed")
        assert "收到" in await p.say("王芳", story.LAMPS)


async def test_a_button_pressed_twice_acts_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        token = await p.button("陈静", "lead_file")
        await p.token("陈静", token)
        again = await p.token("陈静", token, ok=False)
        assert "已" in again
        assert len(await p.all("cases")) == 1


async def test_the_second_person_is_told_who_was_faster(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        token = await p.button("赵强", "lead_file")
        await p.press("陈静", "lead_file")
        assert not await p.has("赵强", "lead_file"), "the card has changed"
        assert "陈静" in await p.token("赵强", token, ok=False)
        assert len(await p.all("cases")) == 1
        late = await p.button("穆南星", "assignment_acknowledge")
        await p.press("范北辰", "assignment_acknowledge")
        assert "范北辰" in await p.token("穆南星", late, ok=False)


async def test_foreign_forged_and_old_buttons_do_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        token = await p.button("陈静", "lead_file")
        for who, what in (("王芳", token), ("赵强", token), ("陈静", "forged-token")):
            assert await p.token(who, what, ok=False)
        p.clock.forward(days=31)
        assert await p.token("陈静", token, ok=False)
        assert await p.states("leads") == ["queued"]
        assert await p.all("cases") == []


async def test_odd_messages_get_an_answer_and_break_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for text in ("停水" * 50_000, "😀😀😀", "", "\u200b", "\x00", "   ", "\u202e123"):
            p.clock.forward(minutes=2)
            assert await p.say("王芳", text, ok=False)
        assert "answered" not in await p.states("leads")


async def test_numbers_typed_for_buttons_get_their_own_question(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", story.LAMPS)
        shown = (await p.heard("王芳"))[-1]["buttons"]
        withdraw = next(b for b in shown if b["label"] == "撤回")
        await p.say("王芳", str(withdraw["number"]))
        assert await p.states("leads") == ["withdrawn"]


async def test_too_many_messages_are_refused_politely(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for n in range(31):
            last = await p.say("王芳", f"查 第{n}次", ok=False)
        assert "过一会儿" in last
