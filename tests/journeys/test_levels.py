"""三级指挥响应: the district calls on a town, the town on its communities and groups."""

from datetime import timedelta
from pathlib import Path

from tests.journeys import story
from tests.journeys.play import Play, stage

TOWN = ("a001", "a008", "a029", "a030", "a049", "a050")
"""The main account, a department's, two towns' own, and two groups of the first town."""
COORDINATOR, OPERATOR, GROUPS = "许晴", "窦澄怀", ("邬沐阳", "严念慈")


async def _running(p: Play) -> None:
    await story.lamps_running(p)


async def test_a_town_sees_and_reminds_its_own_communities_only(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=_running) as p:
        for who in (COORDINATOR, OPERATOR):
            said = await p.say(who, "镇街进度")
            assert "云溪在线" in said
            assert "桂花巷邻里群" in said
            assert "荔枝街道之声" not in said, "another town's"
            assert "健康云江" not in said, "a department's"
        others = len(await p.heard("谢慎之"))
        before = {name: len(await p.heard(name)) for name in GROUPS}
        await p.press(OPERATOR, "town_state")
        assert "3" in await p.press(OPERATOR, "campaign_remind"), "own account and two groups"
        for name in GROUPS:
            assert len(await p.heard(name)) == before[name] + 1
        assert len(await p.heard("谢慎之")) == others


async def test_an_ally_is_no_town(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=_running) as p:
        assert not await p.has(GROUPS[0], "town_state")
        assert "您的岗位不能做这一步" in await p.say(GROUPS[0], "镇街进度", ok=False)
        assert "镇街进度" not in await p.say(GROUPS[0], "帮助")
        assert "镇街进度" in await p.say(OPERATOR, "帮助")


async def test_the_district_calls_on_a_town(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=_running) as p:
        said = await p.press("冯涛", "campaign_towns")
        assert "云溪街道 0/3" in said
        assert "本镇街账号 0/1" in said
        assert "社区和群 0/2" in said
        heard = {name: len(await p.heard(name)) for name in (COORDINATOR, OPERATOR, *GROUPS)}
        assert "2 人" in await p.press("冯涛", "催 云溪街道")
        assert "0 人" in await p.press("冯涛", "催 云溪街道"), "once in ten minutes"
        for name in (COORDINATOR, OPERATOR):
            assert len(await p.heard(name)) == heard[name] + 1
            assert "云溪花园业主群" in await p.last(name)
        for name in GROUPS:
            assert len(await p.heard(name)) == heard[name], "the town reminds them"
        await p.press(COORDINATOR, "campaign_remind")
        assert len(await p.heard(GROUPS[0])) == heard[GROUPS[0]] + 1


async def test_when_communities_are_late_their_town_hears_once(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=_running) as p:
        due = max(task.due_at for task in await p.all("tasks"))
        await p.tick(seconds=(due - p.clock.now()).total_seconds() + 60)
        called = [m for m in await p.heard(COORDINATOR) if m["reply"] == "town_call"]
        assert len(called) == 1
        assert "桂花巷邻里群" in called[0]["text"]
        await p.tick(hours=2)
        assert len([m for m in await p.heard(COORDINATOR) if m["reply"] == "town_call"]) == 1
        assert not [m for m in await p.heard("姜行之") if m["reply"] == "town_call"], (
            "荔枝街道 has no community in this broadcast"
        )


async def test_speed_is_shown_and_kept(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=_running) as p:
        p.clock.forward(minutes=10)
        await p.say("窦澄怀", "https://mp.weixin.qq.com/s/t")
        p.clock.forward(minutes=10)
        await p.say("华明川", "https://mp.weixin.qq.com/s/h")
        said = await p.say("冯涛", "看板")
        assert "半数用时 20 分钟" in said
        assert "首尾相差 20 分钟" in said
        assert "八成用时" not in said, "not reached yet"
        await p.press("冯涛", "campaign_close")
        await p.press("冯涛", "confirm")
        async with p.parts.store.read() as work:
            kept = [e for e in await work.events(entity="campaign") if e.action == "spread"]
        assert len(kept) == 1
        assert kept[0].data["s50"] == timedelta(minutes=20).total_seconds()
        assert kept[0].data["s95"] is None


async def test_an_armed_broadcast_says_when_it_starts(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_arm")
        await p.say("冯涛", "16:00")
        assert "定时开始：今天 16:00（还有" in await p.say("冯涛", "看板")


async def test_an_armed_broadcast_starts_to_the_second(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=TOWN, after=story.lamps_published) as p:
        await p.press("冯涛", "campaign_arm")
        await p.say("冯涛", "16:00")
        at = (await story.the(p, "campaigns")).release_at
        p.clock.forward(seconds=(at - p.clock.now()).total_seconds() - 1)
        await p.parts.release()
        assert await p.states("campaigns") == ["armed"]
        p.clock.forward(seconds=1)
        await p.parts.release()
        await p.settle()
        assert await p.states("campaigns") == ["running"]
        assert (await story.the(p, "campaigns")).started_at == at
