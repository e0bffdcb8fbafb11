"""WeChat groups: owners confirm, are late, or have left; both kinds stand on one board."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.platforms.wecom_group.channel import WecomGroups
from bot.wechat.client import wecom_api
from tests.doubles.clock import FakeClock
from tests.doubles.wecom_rig import token_store
from tests.doubles.wecom_server import WeCom
from tests.doubles.wecom_world import Member
from tests.journeys import story
from tests.journeys.play import Play, stage

GROUPS = {"a049": "g1", "a050": "g2", "a051": "g3"}
"""The accounts that a task of the platform reaches, of two owners; a052 has none but its owner."""
OWNERS = {"a049": "zhao", "a050": "zhao", "a051": "qian"}


class Stage:
    def __init__(self, p: Play, api: WeCom) -> None:
        self.p, self.api = p, api

    async def start(self) -> None:
        await self.p.press("冯涛", "campaign_start")
        await self.p.press("冯涛", "confirm")

    async def state(self, account: str) -> str:
        return str((await story.task(self.p, account)).state)

    async def states(self) -> list[str]:
        return [await self.state(account) for account in GROUPS]

    async def board(self) -> str:
        return await self.p.say("冯涛", "看板")


@asynccontextmanager
async def groups(folder: Path) -> AsyncIterator[Stage]:
    """The blue case published; three groups of two owners, one that is served by hand."""
    clock = FakeClock()
    async with (
        WeCom(clock=lambda: clock.now().timestamp()) as api,
        token_store(folder) as tokens,
    ):
        api.add(Member(userid="zhao", name="赵群主"), Member(userid="qian", name="钱群主"))
        for account, chat in GROUPS.items():
            api.add_group(chat, OWNERS[account])
        made = wecom_api(
            account="wecom:groups", corp_id=api.corp, secret=api.secret, root=api.url,
            tokens=tokens,
        )  # fmt: skip
        channel = WecomGroups(made, clock=clock)
        async with stage(
            folder / "stage", after=story.lamps_published, accounts=("a001", "a052", *GROUPS),
            channels={channel.platform: channel},
        ) as p:  # fmt: skip
            clock.at = p.clock.now()
            p.clock = clock
            object.__setattr__(p.parts.services, "clock", clock)
            changed = [
                replace(
                    one, platform="wecom_group", capability="direct", owner=OWNERS[one.id],
                    address=GROUPS[one.id],
                )
                for one in await p.all("accounts")
                if one.id in GROUPS
            ]  # fmt: skip
            await p.change("accounts", *changed)
            yield Stage(p, api)
        await channel.aclose()
        await asyncio.sleep(0)


async def withdrawn(p: Play) -> None:
    await p.say("冯涛", "待发布")
    await p.press("冯涛", await p.number())
    await p.press("冯涛", "bulletin_withdraw")
    await p.say("冯涛", "合同已变更，原说明不再准确。")
    await p.press("范北辰", "draft_take")
    await story.written(p, "范北辰", "撤回关于金穗家园路灯的说明")
    await p.press("范北辰", "draft_submit")
    await story.signed(p, ("吴刚", "郑敏"))
    await story.published(p, "https://mp.weixin.qq.com/s/withdrawn")


async def test_owners_confirm_and_the_platforms_answer_is_the_proof(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        await s.start()
        assert [task.chats for task in s.api.mass.values()] == [("g1", "g2"), ("g3",)]
        assert await s.states() == ["delivered"] * 3
        board = await s.board()
        assert "微信群 0/4" in board
        assert "等群主在客户端确认 3 个群" in board

        s.api.confirm("zhao", ["g1"])
        await s.p.tick(minutes=2)
        assert await s.states() == ["verified", "delivered", "delivered"]
        assert "微信群 1/4 · 覆盖约 486 人" in await s.board()

        s.api.confirm("zhao")
        s.api.confirm("qian")
        await s.p.tick(minutes=2)
        assert await s.states() == ["verified"] * 3
        text = s.api.groups["g3"].got[0][0]
        assert "不向住户收费" in text
        assert text.endswith(story.LINK)


async def test_a_group_without_api_is_on_the_same_board(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        await s.start()
        s.api.confirm("zhao")
        s.api.confirm("qian")
        await s.p.tick(minutes=2)
        by_hand = await story.task(s.p, "a052")
        names = {person.id: person.name for person in s.p.parts.services.directory.people.values()}
        operator = names[by_hand.operator]
        assert "不向住户收费" in await s.p.press(operator, "copy_short")
        await s.p.say(operator, "发好了", files=[await s.p.file(7)])
        await s.p.press("冯涛", "task_verify")
        assert "微信群 4/4" in await s.board()
        assert await s.p.states("campaigns") == ["converged"]
        await s.p.tick(minutes=16)
        assert await s.p.states("cases") == ["closed"]


async def test_late_owners_are_reminded_within_the_allowed_count(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        await s.start()
        s.api.confirm("zhao")
        await s.p.tick(minutes=2)
        await s.p.say("冯涛", "看板")
        for _ in range(5):
            await s.p.press("冯涛", "campaign_remind")
            await s.p.tick(minutes=11)
        zhao, qian = s.api.mass.values()
        assert (len(zhao.reminded), len(qian.reminded)) == (0, 3)


async def test_who_has_left_and_what_is_over_the_limit_is_shown_to_the_publisher(
    tmp_path: Path,
) -> None:
    async with groups(tmp_path) as s:
        await s.start()
        s.api.groups["g2"].month_full = True
        s.api.confirm("zhao")
        s.api.leave("qian")
        await s.p.tick(minutes=2)
        assert await s.states() == ["verified", "failed", "delivered"]
        await s.p.tick(minutes=10)
        assert await s.states() == ["verified", "failed", "failed"]
        heard = "".join(one["text"] for one in await s.p.heard("冯涛"))
        assert "1 个群的群主已不在企业里" in heard
        # Back after all: what the platform says then still counts.
        s.api.members["qian"].left = False
        s.api.confirm("qian")
        await s.p.say("冯涛", "看板")
        gaps = await s.p.press("冯涛", "campaign_list")
        assert "荔景苑业主群" in gaps


async def test_a_correction_takes_back_and_reaches_whoever_may_have_it(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        await s.start()
        s.api.confirm("zhao", ["g1"])
        await s.p.tick(minutes=2)
        assert await s.states() == ["verified", "delivered", "delivered"]
        await withdrawn(s.p)
        assert all(task.cancelled for task in s.api.mass.values())
        old = {t.account: str(t.state) for t in await s.p.all("tasks")}
        assert (old["a049"], old["a050"], old["a051"]) == ("verified", "unknown", "unknown")
        _, successor = await s.p.all("campaigns")
        assert {"a049", "a050", "a051"} <= set(successor.accounts)
        # Ten minutes later the platform has still not returned them: they never got it.
        await s.p.tick(minutes=12)
        assert [await s.state(account) for account in ("a050", "a051")] == ["failed", "failed"]


async def test_a_lost_answer_makes_no_second_task(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        s.api.fail("externalcontact/add_msg_template", drop=True, after=True)
        await s.start()
        assert len(s.api.mass) == 2
        assert sorted(await s.states()) == ["created", "created", "delivered"]
        await s.p.tick(minutes=1)
        await s.p.tick(minutes=1)
        assert await s.states() == ["delivered"] * 3
        assert len(s.api.mass) == 2


async def test_a_task_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    async with groups(tmp_path) as s:
        s.api.leave("qian")
        s.api.groups.pop("g2")
        await s.start()
        assert await s.states() == ["delivered", "failed", "failed"]
        heard = "".join(one["text"] for one in await s.p.heard("冯涛"))
        assert heard.count("客户群群发任务没有建成") == 2
