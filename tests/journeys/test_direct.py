"""Accounts that a channel of ours posts to by itself: a real endpoint on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.sink import Sink, open_sink
from tests.journeys import story
from tests.journeys.play import Play, stage

SECRET = "a secret of the partner's endpoint"
NAME = "云江区人民政府网"
ACCOUNTS = ("a001", "a004")


@asynccontextmanager
async def _direct(
    folder: Path, *, main: bool = False, doubt: str = "hold"
) -> AsyncIterator[tuple[Play, Sink]]:
    """The blue case published, the government's site made direct."""
    async with (
        open_sink(SECRET) as sink,
        stage(
            folder, after=story.lamps_submitted if main else story.lamps_published,
            accounts=ACCOUNTS, PIYAO_WEBHOOK_SECRET=SECRET, PIYAO_WEBHOOK_HOSTS="127.0.0.1",
            PIYAO_WEBHOOK_DOUBT=doubt,
        ) as p,
    ):  # fmt: skip
        for one in await p.all("accounts", id="a001" if main else "a004"):
            changed = replace(
                one, capability="direct", platform="webhook", address=f"{sink.url}/in"
            )
            await p.change("accounts", changed)
        yield p, sink


async def _start(p: Play) -> None:
    await p.press("冯涛", "campaign_start")
    await p.press("冯涛", "confirm")


async def _state(p: Play) -> str:
    return str((await story.task(p, "a004")).state)


async def _delivery(p: Play) -> str:
    return str((await p.all("deliveries", lane="broadcast"))[-1].state)


async def test_posted_directly_with_the_channels_answer_as_proof(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        await _start(p)
        task = await story.task(p, "a004")
        assert (task.state, task.url) == ("verified", f"{sink.url}/1")
        assert "不向住户收费" in sink.posts[0]["text"]
        assert await p.states("campaigns") == ["converged"]
        await story.told(p)
        assert await p.states("cases") == ["closed"]


async def test_the_main_account_publishes_by_itself(tmp_path: Path) -> None:
    async with _direct(tmp_path, main=True) as (p, sink):
        await story.signed(p)
        await p.press("冯涛", "publish_direct")
        await p.press("冯涛", "confirm")
        assert len(sink.posts) == 1
        assert (await story.the(p, "bulletins", kind="first")).url == f"{sink.url}/1"
        await story.told(p)
        assert f"{sink.url}/1" in await p.last("王芳")


async def test_the_main_accounts_doubt_is_settled(tmp_path: Path) -> None:
    async with _direct(tmp_path, main=True) as (p, sink):
        sink.answers = ["drop"]
        await story.signed(p)
        await p.press("冯涛", "publish_direct")
        await p.press("冯涛", "confirm")
        assert await p.states("bulletins", kind="first") == []
        await p.press("冯涛", "desk_doubts")
        await p.press("冯涛", "doubt_resend")
        assert len(sink.posts) == 1
        assert await p.states("bulletins", kind="first") == ["current"]


async def test_refused_for_good_pauses_the_account(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = [403]
        await _start(p)
        assert await _state(p) == "failed"
        assert (await p.all("accounts", id="a004"))[0].paused == "403"
        assert NAME in "".join(m["text"] for m in await p.heard("冯涛"))
        assert p.parts.services.directory.accounts["a004"].paused == "403"


async def test_busy_waits_and_is_tried_again(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = [429]
        await _start(p)
        assert (await _state(p), await _delivery(p)) == ("created", "pending")
        await p.tick(seconds=30)
        assert sink.posts == []
        # The account itself rests in real seconds, which no story waits for.
        p.parts.sender._gates.clear()
        await p.tick(seconds=40)
        assert (await _state(p), await _delivery(p)) == ("verified", "sent")


async def test_aborted_while_it_waits(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = [429]
        await _start(p)
        await p.say("冯涛", "看板")
        await p.press("冯涛", "campaign_abort")
        await p.press("冯涛", "confirm")
        assert (await _state(p), await _delivery(p)) == ("void", "cancelled")
        await p.tick(minutes=5)
        assert sink.posts == []


async def test_too_old_is_not_sent_any_more(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = [429]
        await _start(p)
        await p.tick(days=2)
        assert (await _state(p), await _delivery(p)) == ("failed", "cancelled")
        assert sink.posts == []


async def test_in_doubt_never_blindly_resent(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = ["drop"]
        await _start(p)
        assert (await _state(p), await _delivery(p)) == ("unknown", "in-doubt")
        await p.tick(minutes=30)
        assert sink.posts == []
        await p.say("陈静", "待核投递")
        assert NAME in await p.last("陈静")
        await p.press("陈静", "doubt_arrived")
        assert (await _state(p), await _delivery(p)) == ("verified", "sent")
        assert await p.states("campaigns") == ["converged"]


async def test_in_doubt_sent_again_by_the_desk(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = ["drop"]
        await _start(p)
        await p.say("陈静", "待核投递")
        await p.press("陈静", "doubt_resend")
        assert (await _state(p), await _delivery(p)) == ("verified", "sent")
        assert len(sink.posts) == 1


async def test_in_doubt_given_up_by_the_desk(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = ["drop"]
        await _start(p)
        await p.say("陈静", "待核投递")
        await p.press("陈静", "doubt_drop")
        assert (await _state(p), await _delivery(p)) == ("failed", "failed")


@pytest.mark.parametrize("answer", ["drop", "swallow"])
async def test_with_a_key_it_is_sent_again_and_posted_once(tmp_path: Path, answer: str) -> None:
    async with _direct(tmp_path, doubt="key") as (p, sink):
        sink.answers = [answer]
        await _start(p)
        assert (await _state(p), await _delivery(p)) == ("created", "pending")
        await p.tick(minutes=1)
        assert (await _state(p), await _delivery(p)) == ("verified", "sent")
        assert len(sink.posts) == 1
        assert len(set(sink.keys)) == 1
        assert await p.states("campaigns") == ["converged"]


@pytest.mark.parametrize("answer", ["drop", "swallow"])
async def test_the_platform_is_asked_whether_it_is_there(tmp_path: Path, answer: str) -> None:
    async with _direct(tmp_path, doubt="verify") as (p, sink):
        sink.answers = [answer]
        await _start(p)
        assert (await _state(p), await _delivery(p)) == ("unknown", "in-doubt")
        await p.tick(seconds=20)
        assert sink.asked == 0, "it may still be on its way"
        await p.tick(seconds=20)
        assert (await _state(p), await _delivery(p)) == ("verified", "sent")
        assert (await story.task(p, "a004")).url == f"{sink.url}/1"
        assert len(sink.posts) == 1
        assert len(sink.keys) == (1 if answer == "swallow" else 2)


async def _gap(p: Play) -> None:
    await p.say("冯涛", "看板")
    await p.press("冯涛", "campaign_list")
    await p.press("冯涛", f"{(await story.task(p, 'a004')).serial} {NAME}")


async def test_the_publisher_looks_and_fills_in_the_link(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = ["drop"]
        await _start(p)
        await _gap(p)
        await p.press("冯涛", "task_post_for")
        await p.say("冯涛", "https://www.yunjiang.example/2026/1")
        assert await _state(p) == "posted"


async def test_the_publisher_exempts_what_nobody_knows(tmp_path: Path) -> None:
    async with _direct(tmp_path) as (p, sink):
        sink.answers = ["drop"]
        await _start(p)
        await _gap(p)
        await p.press("冯涛", "task_exempt")
        assert await _state(p) == "exempt"
        assert await p.states("campaigns") == ["converged"]
