"""演练: the whole loop, marked as a drill, and nothing of it reaches a public channel."""

from dataclasses import replace
from pathlib import Path

from matrix.core.delivery import Lane
from matrix.core.drill import MARK, NUMBERS, PLATFORM
from tests.doubles.channels import ToldChannel, told
from tests.journeys import story
from tests.journeys.play import SMALL, Play, stage

RUMOR = "金穗家园要装路灯了，每户收费两百元"
OPERATORS = ("华明川", "谢慎之", "邬沐阳")


async def _filed(p: Play) -> str:
    await p.say("陈静", f"演练 {RUMOR}")
    await p.press("陈静", "lead_file", inside=RUMOR[:8])
    return await p.number()


async def _published(p: Play) -> str:
    number = await _filed(p)
    await p.press("范北辰", "assignment_acknowledge")
    await story.evidence(p, "范北辰", "路灯改造合同第三条")
    await story.concluded(p, "范北辰", "false", "金穗家园路灯由区财政出资安装，不向住户收费。")
    await p.press("范北辰", "draft_start")
    await story.written(
        p, "范北辰", "金穗家园路灯改造不收费", why=story.LAMPS_WHY, todo="有人收费请拨打 12345。"
    )
    await p.press("范北辰", "draft_submit")
    await story.signed(p)
    assert not await p.has("冯涛", "publish_link"), "a drill has no link to record"
    await p.press("冯涛", "publish_drill")
    return number


async def test_the_whole_loop_as_a_drill(tmp_path: Path) -> None:
    channel = ToldChannel()
    async with stage(tmp_path, channels=told(channel)) as p:
        directory = p.parts.services.directory
        account = replace(
            directory.accounts["a008"], platform="sms", capability="direct", address="12345"
        )
        await p.change("accounts", account)
        number = await _published(p)
        assert number.startswith(NUMBERS)
        assert MARK in await p.last("范北辰")
        await story.started(p)
        tasks = {task.account: task for task in await p.all("tasks")}
        assert tasks["a008"].state == "verified", "the direct account's post ended in the drill"
        assert tasks["a008"].url.startswith(PLATFORM)
        assert channel.sent == [], "nothing has left by a real channel"
        async with p.parts.store.read() as work:
            lanes = await work.deliveries.find(lane=Lane.BROADCAST)
        assert {one.platform for one in lanes} == {PLATFORM}
        for name in {n for n in OPERATORS if await p.has(n, "task_drilled")}:
            assert not await p.has(name, "copy_long"), "there is nothing to copy"
            assert MARK in await p.last(name)
            await p.press(name, "task_drilled")
        await _rest(p)
        assert await p.states("campaigns") == ["converged"]
        await p.tick(minutes=20)
        assert await p.states("cases") == ["closed"]
        heard = [m for m in await p.heard("陈静") if m["reply"].startswith("feedback")]
        assert len(heard) == 1, "who began hears the outcome once"
        assert MARK in heard[0]["text"]


async def _rest(p: Play) -> None:
    people = p.parts.services.directory.people
    for task in await p.all("tasks", state__in=("delivered", "seen")):
        name = people[task.operator].name
        if await p.has(name, "task_drilled"):
            await p.press(name, "task_drilled")


async def test_a_link_in_a_drill_is_refused_in_words(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=SMALL) as p:
        await _published(p)
        await story.started(p)
        said = await p.say("谢慎之", "https://mp.weixin.qq.com/s/x", ok=False)
        assert "请不要真的发布" in said
        assert "verified" not in [t.state for t in await p.all("tasks") if t.account == "a030"]


async def test_real_leads_and_a_drill_know_nothing_of_each_other(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=SMALL) as p:
        await _published(p)
        said = await p.say("王芳", RUMOR)
        assert "值班台正在看" in said, "the drill's bulletin answers nobody"
        assert "演练" not in said
        leads = await p.all("leads")
        assert len({lead.claim for lead in leads}) == 2
        assert leads[0].number.startswith(NUMBERS)
        assert not leads[1].number.startswith(NUMBERS)
        await p.press("陈静", "lead_file", inside=RUMOR[:8])
        real = await p.number()
        assert real.startswith("云江-")
        refused = await p.say("陈静", f"并案 {real}", ok=False)
        assert refused
        async with p.parts.store.read() as work:
            claims = await work.claims.find()
            sightings = await work.sightings.find(claim=leads[1].claim)
        assert len(claims) == 2
        assert len(sightings) == 1


async def test_a_drill_may_be_begun_by_desk_publisher_and_leader_only(tmp_path: Path) -> None:
    async with stage(tmp_path, accounts=SMALL) as p:
        assert "演练" not in await p.say("王芳", "帮助")
        await p.say("王芳", "演练", ok=False)
        assert [lead.drill for lead in await p.all("leads")] in ([], [False])
        assert "演练 消息" in await p.say("冯涛", "帮助")
        await p.say("冯涛", "演练")
        assert "值班台正在看" in await p.say("冯涛", "演练用：某小区电梯坠落三人受伤")
        assert (await p.all("leads"))[-1].drill
