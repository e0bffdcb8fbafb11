"""Messages in: stored before they are acknowledged, processed exactly once, whatever fails."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.beginning import StartRefusedError
from bot.dispatch import ATTEMPTS
from bot.keeping import Keeper, NotKeptError, storable
from bot.web.app import demo_app
from handlers import router
from handlers.context import Context
from handlers.replies.shared import Faster, Pick
from matrix.core.conversation import Button, Dialog, Inbound, InboxState
from matrix.core.errors import Refusal
from tests.doubles.desk_rig import RUMOR, Desk, opened

ROOT = Path(__file__).parents[2]
BROKEN = "CREATE TRIGGER broken BEFORE INSERT ON lead BEGIN SELECT RAISE(ABORT, 'broken'); END"


async def test_what_waits_for_an_answer_hears_that_there_is_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        silent: list[str] = []
        desk.parts.dispatcher.unanswered = lambda message: silent.append(message.message_id)
        await desk.keep(1)
        await desk.keep(2, in_group=True)
        await desk.settle()
        assert silent == ["m2"]
        assert desk.said(1)


async def test_a_message_is_stored_and_then_processed_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        assert (await desk.inbox()).state is InboxState.STORED
        assert await desk.parts.dispatcher.store(desk.message(1)) is False
        # Two loops that take the same message at the same time are no danger either.
        await asyncio.gather(*(desk.parts.dispatcher.step() for _ in range(3)))
        await desk.settle()
        assert await desk.parts.dispatcher.store(desk.message(1)) is False
        await desk.settle()
        assert await desk.count("leads") == 1
        assert (await desk.inbox()).state is InboxState.DONE
        assert sum("收到，线索" in one for one in desk.said()) == 1


async def test_the_same_number_on_another_platform_is_another_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        assert await desk.parts.dispatcher.store(desk.message(1, platform="mail"))
        await desk.settle()
        assert await desk.count("leads") == 2


async def test_a_crash_between_storing_and_processing_loses_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1, 2)
    async with opened(tmp_path) as desk:
        await desk.settle()
        assert await desk.count("leads") == 2
        assert "收到，线索" in desk.said(1)[-1]
        assert "收到，线索" in desk.said(2)[-1]


async def test_what_fails_inside_is_said_once_kept_and_tried_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        await desk.sql(BROKEN)
        await desk.settle()
        kept = await desk.inbox()
        assert kept.state is InboxState.STORED
        assert kept.attempts == 1
        assert [kept.id[-6:] in one and "不用重发" in one for one in desk.said()] == [True]
        # Nothing half-done: neither the person nor the claim of the failed transaction is there.
        for kind in ("people", "claims", "leads", "sightings", "identities"):
            assert await desk.count(kind) == 0, kind
        desk.clock.forward(seconds=3)
        await desk.settle()
        assert len(desk.said()) == 1
        await desk.sql("DROP TRIGGER broken")
        desk.clock.forward(minutes=3)
        await desk.settle()
        assert await desk.count("leads") == 1
        assert "收到，线索" in desk.said()[-1]


async def test_after_the_last_try_it_waits_for_a_person(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        await desk.sql(BROKEN)
        for _ in range(6):
            await desk.settle()
            desk.clock.forward(hours=1)
        kept = await desk.inbox()
        assert (kept.state, kept.attempts) == (InboxState.FAILED, 5)
        assert kept.error == "IntegrityError"


@pytest.fixture
def acts() -> Iterator[None]:
    """Actions that write and speak, then break or ask; gone after the test."""

    @router.action("test.crash")
    async def crash(ctx: Context, subject: str, args: router.Args) -> None:
        await ctx.work.set_setting("half", "done")
        await ctx.reply(Faster())
        raise RuntimeError("broken")

    @router.action("test.ask")
    async def ask(ctx: Context, subject: str, args: router.Args) -> None:
        await ctx.ask("test.link", Pick(what="search"))

    @router.answer("test.link")
    async def take(ctx: Context, dialog: Dialog, message: Inbound) -> None:
        await ctx.work.set_setting("link", message.text)
        if not message.text.startswith("http"):
            raise Refusal("no_link")
        await ctx.reply(Faster())

    yield
    del router.ACTIONS["test.crash"], router.ACTIONS["test.ask"], router.ANSWERS["test.link"]


async def press(desk: Desk, action: str, number: int) -> None:
    """The first reporter presses a button that does the action."""
    async with desk.parts.store.work() as work:
        identity = await work.identities.one(external="p1")
        assert identity is not None
        button = Button(
            id=f"b{number}", delivery="", platform="sms", chat="p1", person=identity.person,
            action=action, subject="", number=90 + number, created_at=desk.clock.now(),
            expires_at=desk.clock.now() + timedelta(days=1),
        )  # fmt: skip
        await work.buttons.add(button)
        await work.commit()
    await desk.keep(number, kind="button", token=button.id, text="", external="p1", chat="p1")
    await desk.settle()


async def setting(desk: Desk, name: str) -> object:
    async with desk.parts.store.read() as work:
        return await work.setting(name)


@pytest.mark.usefixtures("acts")
async def test_an_action_that_breaks_leaves_nothing_and_is_tried_on_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        await desk.settle()
        before = len(desk.said())
        await press(desk, "test.crash", 2)
        for attempt in range(1, ATTEMPTS + 1):
            kept = await desk.inbox(2)
            assert (kept.attempts, kept.error) == (attempt, "RuntimeError")
            # The reference is said once; what the action said went with its transaction.
            (said,) = desk.said()[before:]
            assert kept.id[-6:] in said
            assert "不用重发" in said
            assert await setting(desk, "half") is None
            assert await desk.count("buttons", id="b2", used_at=None) == 1
            if attempt == ATTEMPTS:
                break
            assert kept.state is InboxState.STORED
            assert kept.retry_at is not None
            wait = (kept.retry_at - desk.clock.now()).total_seconds()
            desk.clock.forward(seconds=wait - 1)
            assert await desk.parts.dispatcher.step() is False
            desk.clock.forward(seconds=1)
            await desk.settle()
        assert kept.state is InboxState.FAILED
        desk.clock.forward(days=1)
        assert await desk.parts.dispatcher.step() is False


@pytest.mark.usefixtures("acts")
async def test_after_a_refusal_the_question_is_still_open(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1)
        await desk.settle()
        await press(desk, "test.ask", 2)
        await desk.keep(3, text="没有链接", external="p1", chat="p1")
        await desk.settle()
        assert "没有看到链接" in desk.said()[-1]
        assert (await desk.inbox(3)).state is InboxState.DONE
        assert await setting(desk, "link") is None
        assert await desk.count("dialogs") == 1
        await desk.keep(4, text="https://a.example/1", external="p1", chat="p1")
        await desk.settle()
        assert await setting(desk, "link") == "https://a.example/1"
        assert await desk.count("dialogs") == 0
        assert await desk.count("leads") == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("停\x00水", "停水"),
        ("停\ud83d水", "停水"),
        ("停水\udc00", "停水"),
        ("\x00", ""),
        ("😀", "😀"),
    ],
    ids=["nul", "high", "low", "only-nul", "whole-pair"],
)
async def test_what_no_database_keeps_does_not_stop_a_message(
    database_url: str, tmp_path: Path, given: str, kept: str
) -> None:
    async with opened(tmp_path, DATABASE_URL=database_url) as desk:
        message = desk.message(text=RUMOR + given, quoted=given, sender_name=given, token=given)
        assert await desk.parts.dispatcher.store(message)
        found = await desk.inbox()
        assert found == storable(message)
        assert (found.text, found.quoted) == (RUMOR + kept, kept)
        assert (found.sender_name, found.token) == (kept, kept)
        await desk.settle()
        assert "收到，线索" in desk.said()[-1]


async def test_messages_that_wait_for_another_try_hold_up_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(*range(1, 31))
        await desk.sql(BROKEN)
        await desk.settle()
        await desk.sql("DROP TRIGGER broken")
        await desk.keep(31)
        await desk.settle()
        assert "收到，线索" in desk.said(31)[-1]
        assert await desk.count("leads") == 1


async def test_an_attachment_that_did_not_come_is_said_and_is_no_text(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1, text=f"{RUMOR}\n[file:attachment_too_large]")
        await desk.keep(2, text="[file:attachment_unavailable]")
        await desk.keep(3, text=f"{RUMOR}[file:attachment_unavailable]")
        await desk.settle()
        async with desk.parts.store.read() as work:
            leads = await work.leads.find(order="number")
        assert [lead.text for lead in leads] == [RUMOR, f"{RUMOR}[file:attachment_unavailable]"]
        assert "附件超过 10 MB" in desk.said(1)[-1]
        assert "收到，线索" in desk.said(1)[-2]
        assert ["附件没有取到" in one for one in desk.said(2)] == [True]


async def test_who_arrives_while_others_write_is_kept_in_the_next_transaction(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as desk:
        told: list[str] = []
        keeper = Keeper(desk.parts.store, lambda: told.append("kept"))
        async with desk.parts.store.work():
            coming = [asyncio.create_task(keeper.store(desk.message(1)))]
            await asyncio.sleep(0)
            coming += [asyncio.create_task(keeper.store(desk.message(n))) for n in (2, 3, 1)]
            await asyncio.sleep(0)
            assert not told
        assert await asyncio.gather(*coming) == [True, True, True, False]
        assert told == ["kept"]
        assert await desk.count("inbox") == 3


async def fill(desk: Desk) -> tuple[Inbound, str]:
    """Store until nothing more fits; the first message that was not kept, and the reference."""
    for number in range(2, 200):
        message = desk.message(number, text="满" * 8000)
        try:
            await desk.parts.dispatcher.store(message)
        except NotKeptError as full:
            return message, full.reference
    pytest.fail("the database never filled up")


async def test_a_full_database_keeps_nothing_and_says_so_with_a_reference(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1, text=RUMOR + "满" * 8000)
        with desk.every_connection("max_page_count=1"):
            refused, reference = await fill(desk)
            assert reference == refused.id[-6:]
            kept = await desk.count("inbox")
            # What is stored already fails as a whole and waits for space.
            with pytest.raises(sqlite3.OperationalError, match="full"):
                await desk.parts.dispatcher.step()
            assert await desk.count("leads") == 0
            assert (await desk.inbox()).state is InboxState.STORED
        with desk.every_connection("max_page_count=1000000"):
            assert await desk.parts.dispatcher.store(replace(refused, text=RUMOR))
            await desk.settle()
            assert await desk.count("inbox", state=InboxState.DONE) == kept + 1
            assert await desk.count("leads") == kept + 1


async def test_a_locked_database_keeps_nothing_and_takes_it_when_it_is_free(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        with desk.every_connection("busy_timeout=50"):
            other = sqlite3.connect(tmp_path / "piyao.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotKeptError):
                await desk.keep(1)
            other.execute("ROLLBACK")
            other.close()
            await desk.keep(1)
            await desk.settle()
        assert await desk.count("leads") == 1


async def test_the_page_is_told_that_nothing_was_kept(tmp_path: Path) -> None:
    async with opened(tmp_path, PIYAO_WEBCHAT="on") as desk:
        transport = httpx.ASGITransport(app=demo_app(desk.parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            people = (await http.get("/api/webchat/people")).json()
            path = f"/api/webchat/chats/{people[0]['id']}/messages"
            with desk.every_connection("max_page_count=1"):
                body = {"text": "满" * 19_000, "message_id": "1"}
                answers = [
                    await http.post(path, json=body | {"message_id": str(n)}) for n in range(60)
                ]
            refused = answers[-1]
            assert refused.status_code == 503
            assert "没有记下" in refused.json()["detail"]
            with desk.every_connection("max_page_count=1000000"):
                again = await http.post(path, json={"text": RUMOR, "message_id": "59"})
            assert again.json() == {"message_id": "59", "new": True}


async def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(StartRefusedError) as refused:
            async with opened(tmp_path):
                pass
        assert refused.value.key == "already_running"
        environment = {**os.environ, "PIYAO_DATA": str(tmp_path), "PIYAO_PORT": "0"}
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await second.communicate()
        assert second.returncode == 2
        assert not out
        assert "已有一个进程在用数据文件夹" in err.decode()
    async with opened(tmp_path) as desk:
        await desk.keep(1)


async def test_what_arrives_together_is_kept_and_its_repeats_are_known(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        arriving = [desk.message(number) for number in range(1, 30)]
        repeat = replace(arriving[0], id=desk.parts.services.ids.new())
        fresh = await asyncio.gather(
            *(desk.parts.dispatcher.store(one) for one in (*arriving, repeat))
        )
        assert fresh == [True] * len(arriving) + [False]
        assert await desk.count("inbox") == len(arriving)
