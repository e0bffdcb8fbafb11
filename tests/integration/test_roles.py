"""Roles: what each process serves, what it refuses, what it follows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.assembly import assemble
from bot.beginning import StartRefusedError
from bot.channel import Answer, Call
from bot.following import indexes
from bot.keeping import NotKeptError
from bot.parts import Parts
from bot.web.app import hooks_app, public_app
from bot.web.hooks import LIMIT
from bot.web.probes import probes_app
from config.settings import SettingsError, load
from matrix.matching.verdicts import Candidate
from tests.doubles.channels import ToldChannel
from tests.doubles.clock import FakeClock
from tests.doubles.processes import PATIENCE, running


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1")


class Calling(ToldChannel):
    """A platform that calls, and is answered in the same breath."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    async def called(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(body="收到".encode(), kind="text/xml")


@asynccontextmanager
async def process(
    folder: Path, url: str = "", roles: str = "", **channels: ToldChannel
) -> AsyncIterator[Parts]:
    settings = load({"PIYAO_DATA": str(folder), "DATABASE_URL": url, "PIYAO_ROLES": roles})
    async with assemble(settings, clock=FakeClock(), durable=False, channels=channels) as parts:
        yield parts


async def test_a_sqlite_file_is_not_shared(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError) as refused:
        async with process(tmp_path, roles="web,clock"):
            pass
    assert (refused.value.key, refused.value.detail) == ("split_on_sqlite", "clock,web")


def test_an_unknown_role_is_a_fault() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"PIYAO_ROLES": "web,boss"})
    assert [key for _, key, _ in caught.value.faults] == ["unknown_role"]
    assert not load({"PIYAO_ROLES": "worker, clock,web,chat"}).split


async def test_callbacks_are_answered_by_the_channel(tmp_path: Path) -> None:
    line = Calling()
    async with process(tmp_path, sms=line) as parts:
        for app in (public_app(parts), hooks_app(parts)):
            async with client(app) as http:
                said = await http.post(
                    "/hooks/sms?nonce=7", content=b"<xml/>", headers={"X-A": "b"}
                )
                assert (said.status_code, said.text) == (200, "收到")
                assert said.headers["content-type"].startswith("text/xml")
                assert (await http.get("/hooks/sms")).status_code == 200
                assert (await http.get("/hooks/webchat")).status_code == 404
                assert (await http.get("/hooks/nobody")).status_code == 404
    first = line.calls[0]
    assert (first.method, first.query, first.body) == ("POST", {"nonce": "7"}, b"<xml/>")
    assert first.headers["x-a"] == "b"


async def test_a_callback_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    line = Calling()

    async def pieces() -> AsyncIterator[bytes]:
        # Chunked: nobody says how long it will be.
        for _ in range(3):
            yield b"x" * (LIMIT // 2)

    async with process(tmp_path, sms=line) as parts, client(hooks_app(parts)) as http:
        assert (await http.post("/hooks/sms", content=pieces())).status_code == 413
    assert not line.calls


async def test_what_cannot_be_kept_is_given_back_to_the_platform(tmp_path: Path) -> None:
    class Full(Calling):
        async def called(self, call: Call) -> Answer:
            raise NotKeptError(f"{len(call.body)}")

    async with process(tmp_path, sms=Full()) as parts, client(hooks_app(parts)) as http:
        refused = await http.post("/hooks/sms?b=&a=1&a=2", content=b"<xml/>")
        assert (refused.status_code, refused.content) == (503, b"")
        assert (await http.put("/hooks/sms")).status_code == 404
        assert (await http.get("/hooks/x/sms")).status_code == 404


async def test_probes_tell_of_everything_and_the_public_face_of_nothing(tmp_path: Path) -> None:
    line = ToldChannel()
    async with process(tmp_path, sms=line) as parts:
        async with client(public_app(parts)) as http:
            assert (await http.get("/healthz")).json() == {"ok": True}
            for path in ("/readyz", "/metrics"):
                assert (await http.get(path)).status_code == 404
        async with client(probes_app(parts)) as http:
            assert (await http.get("/healthz")).json()["roles"] == "web,chat,clock,worker"
            ready = await http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["channels"] == {"drill": "", "sms": "", "webchat": ""}


async def test_a_process_without_its_database_is_not_ready(tmp_path: Path) -> None:
    async with process(tmp_path) as parts:
        await parts.store.engine.dispose()
        kept = (tmp_path / "piyao.db").rename(tmp_path / "aside")
        (tmp_path / "piyao.db").mkdir()
        async with client(probes_app(parts)) as http:
            said = await http.get("/readyz")
            assert (said.status_code, said.json()["database"]) == (503, "unreachable")
            assert (await http.get("/healthz")).status_code == 200
        (tmp_path / "piyao.db").rmdir()
        kept.rename(tmp_path / "piyao.db")


@pytest.mark.postgres
async def test_an_orderly_stop_lets_readers_go_and_says_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, [""], {}) as (one,):
        waiting = f"{one.address}/api/webchat/chats/p001/messages?wait=25"
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            reader = asyncio.create_task(http.get(waiting))
            # What comes later is answered: the reader's request has been taken.
            for _ in range(3):
                assert (await http.get(f"{one.address}/healthz")).status_code == 200
            assert await one.stop() == 0
            assert (await reader).json() == []
    assert "Traceback" not in one.log.read_text()


async def test_each_role_holds_its_own_only(tmp_path: Path, postgres_url: str) -> None:
    line = ToldChannel()
    async with process(tmp_path, postgres_url, "web") as web:
        assert set(web.channels) == {"webchat"}
        async with client(public_app(web)) as http:
            assert (await http.post("/hooks/webchat")).status_code == 404
        async with process(tmp_path, postgres_url, "clock", sms=line) as clock:
            assert not clock.channels
            await clock.tick()
        async with process(tmp_path, postgres_url, "worker", sms=line) as worker:
            assert set(worker.channels) == {"webchat", "sms", "drill"}


async def test_two_processes_on_one_folder_have_an_index_each(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with indexes(folder) as (one, _), indexes(folder) as (two, _):
        one.index.put([Candidate(id="bulletin:1", title="停水", rebuttal="")])
        one.index.commit()
        assert (one.index.count, two.index.count) == (1, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "index-2"]
    with indexes(folder):
        assert not (tmp_path / "index-3").exists(), "a folder that is let go is taken again"


@pytest.mark.postgres
async def test_what_one_process_imports_the_others_follow(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        process(tmp_path, postgres_url, "chat") as one,
        process(tmp_path, postgres_url, "clock") as two,
    ):
        account = one.services.directory.accounts["a001"]
        async with two.store.work() as work:
            await work.accounts.save(replace(account, paused="refused"))
            await work.commit()
        await one.follow_directory()
        assert one.services.directory.accounts["a001"].paused == "refused"
        before = one.services.directory
        await one.follow_directory()
        assert one.services.directory is before, "nothing has changed, nothing is read"


@pytest.mark.postgres
async def test_processes_that_start_together_load_the_sample_once(
    tmp_path: Path, postgres_url: str
) -> None:
    async def begin(roles: str) -> int:
        async with process(tmp_path, postgres_url, roles) as parts:
            return len(parts.services.directory.people)

    found = await asyncio.gather(*map(begin, ("web", "chat", "clock", "worker")))
    assert len(set(found)) == 1
    assert found[0]
