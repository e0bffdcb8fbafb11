"""Invitations, a lost phone, the end of a post, coordinators and leaders."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from matrix.core.conversation import Inbound
from tests.journeys import story
from tests.journeys.play import Play, stage


async def _invited(p: Play, name: str) -> str:
    said = await p.say("高原", f"邀请 {name}")
    start = said.rindex("PY-")
    return said[start : start + 15]


async def _says(p: Play, external: str, text: str) -> str:
    await p.parts.dispatcher.store(
        Inbound(
            id=p.parts.services.ids.new(), platform="webchat",
            message_id=p.parts.services.ids.new(), external=external, chat=external, text=text,
            received_at=p.clock.now(),
        )
    )  # fmt: skip
    await p.settle()
    answer = await p.http.get(f"/api/webchat/chats/{external}/messages", params={"limit": 50})
    return "\n".join(m["text"] for m in answer.json() if not m["mine"])


async def test_an_invitation_binds_once_and_in_time(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        code = await _invited(p, "王倩")
        assert "王倩" in await _says(p, "phone-1", code)
        bound = await p.all("identities", person=p.ids["王倩"], revoked_at=None)
        assert "phone-1" in {one.external for one in bound}
        for external, what in (
            ("phone-2", code),
            ("phone-3", "PY-forged000000"),
        ):
            assert "王倩" not in await _says(p, external, what)
            assert await p.all("identities", external=external) == []
        late = await _invited(p, "周磊")
        p.clock.forward(hours=73)
        assert "周磊" not in await _says(p, "phone-4", late)
        assert await p.all("identities", external="phone-4") == []


async def test_a_new_invitation_ends_the_older_one(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        old = await _invited(p, "王倩")
        await _invited(p, "王倩")
        await _says(p, "phone-1", old)
        assert await p.all("identities", external="phone-1") == []


async def test_a_lost_phone_is_unbound(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.say("高原", "解绑")
        await p.say("高原", "范北辰")
        assert await p.all("identities", person=p.ids["范北辰"], revoked_at=None) == []
        # What is typed on the lost phone is a stranger's.
        await p.press("范北辰", "assignment_acknowledge", ok=False)
        assert await p.states("assignments", unit="cgj") == ["offered"]


async def test_the_end_of_a_post_moves_its_work_to_the_deputy(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        await p.say("高原", "结束任职 范北辰")
        await p.press("高原", "区城管局 承办")
        made = (await p.all("assignments", unit="cgj"))[-1]
        assert made.person == p.ids["穆南星"]
        assert await p.number() in await p.last("穆南星")
        heard = len(await p.heard("范北辰"))
        await story.filed(p, "石桥街道的城管昨天打伤了摆摊的老人，视频都删了", "张伟")
        assert len(await p.heard("范北辰")) == heard, "nothing more is sent to who has left"


async def test_a_post_that_has_not_begun_ends_on_its_first_day(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        (post,) = await p.all("posts", person=p.ids["王倩"])
        await p.change("posts", replace(post, valid_from="2027-01-01"))
        await p.say("高原", "结束任职 王倩")
        await p.press("高原", "区教体局 承办")
        (ended,) = await p.all("posts", person=p.ids["王倩"])
        # Reversed dates would be refused when the table is imported again.
        assert (ended.ended, ended.valid_to) == (True, "2027-01-01")


async def test_nobody_but_the_admin_and_the_desk_do_their_work(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say("王芳", "邀请 王倩")
        assert await p.all("invitations") == []
        await p.say("何平", "待办")
        assert not await p.has("何平", "lead_file")


async def test_leader_coordinator_and_desk_look(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        number = await p.number()
        assert number in await p.say("何平", "总览")
        assert "荔枝街道之声" in await p.say("姜行之", "镇街进度")
        assert "健康云江" not in await p.last("姜行之")
        assert await p.say("陈静", "交班")
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        assert "冯涛" in await p.press("陈静", "look_log")


async def test_a_paused_case_keeps_its_business_clock(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.filed) as p:
        await p.press("范北辰", "assignment_acknowledge")
        number = await p.number()

        async def dues() -> dict[str, object]:
            return {one.stage: one.due_at for one in await p.all("deadlines", closed_at=None)}

        before = await dues()
        await p.say("陈静", number)
        await p.press("陈静", "case_more")
        await p.press("陈静", "case_pause")
        await p.press("陈静", "pause_lab")
        p.clock.forward(minutes=40)
        await p.press("陈静", "case_unpause")
        after = await dues()
        assert after["first-publication"] == before["first-publication"]
        assert after["verify"] - before["verify"] == timedelta(minutes=40)  # type: ignore[operator]
