"""The HTTP side: the demonstration is for this machine only, and absent beside real platforms."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.assembly import assemble
from bot.parts import Parts
from bot.web.app import demo_app, public_app
from bot.web.chat_page import ASSETS, page_data
from config.settings import load
from tests.doubles.clock import FakeClock


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    settings = load({"PIYAO_DATA": str(tmp_path)})
    async with assemble(settings, clock=FakeClock(), durable=False) as made:
        yield made


def client(app: FastAPI, host: str = "127.0.0.1") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{host}")


async def test_the_api_is_described_and_says_that_it_is_a_demonstration(parts: Parts) -> None:
    async with client(demo_app(parts)) as http:
        document = (await http.get("/api/openapi.json")).json()
    paths = [path for path in document["paths"] if path.startswith("/api/webchat")]
    assert "/api/webchat/chats/{person}/messages" in paths
    assert "演示" in document["info"]["title"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
async def test_foreign_hosts_are_refused(parts: Parts, host: str) -> None:
    async with client(demo_app(parts), host) as http:
        assert (await http.get("/api/webchat/people")).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example"])
async def test_foreign_pages_are_refused(parts: Parts, origin: str) -> None:
    async with client(demo_app(parts)) as http:
        answer = await http.get("/api/webchat/people", headers={"Origin": origin})
        assert answer.status_code == 403
        own = await http.get("/api/webchat/people", headers={"Origin": "http://localhost:8080"})
        assert own.status_code == 200


async def test_beside_a_real_platform_it_is_absent(parts: Parts) -> None:
    async with client(public_app(parts)) as http:
        for path in ("/", "/api/webchat/people", "/api/openapi.json", "/assets/chat.js"):
            assert (await http.get(path)).status_code == 404, path
        assert (await http.get("/healthz")).json()["ok"] is True


async def test_unknown_people_and_foreign_tokens(parts: Parts) -> None:
    async with client(demo_app(parts)) as http:
        answer = await http.post("/api/webchat/chats/nobody/messages", json={"text": "停水"})
        assert answer.status_code == 404
        assert (await http.get("/api/webchat/files/none")).status_code == 404


@pytest.mark.parametrize(
    "data", [b"<html><script>alert(1)</script>", b"MZ\x90", b"", b"\x00" * 100]
)
async def test_files_are_taken_by_content(parts: Parts, data: bytes) -> None:
    async with client(demo_app(parts)) as http:
        files = {"file": ("picture.png", data, "image/png")}
        answer = await http.post("/api/webchat/files", files=files)
        assert answer.status_code == 415
        assert re.search("[\u4e00-\u9fff]", answer.json()["detail"])


def test_the_page_names_no_foreign_host(parts: Parts) -> None:
    for path in ASSETS.iterdir():
        assert not re.search(r"https?://", path.read_text("utf-8")), path.name
    data = page_data(parts)
    assert data["first"]
    assert data["samples"]
