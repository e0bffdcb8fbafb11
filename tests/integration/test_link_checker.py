"""Receipt links: listed hosts, public addresses, few redirects; attachments by content."""

import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from PIL import Image

from bot.attachments import content_type, strip
from bot.link_checker import HttpLinkChecker, is_public
from matrix.core.errors import Refusal

TITLE = "【演示】河东镇供水正常"


class ToLoopback(AbstractResolver):
    """Every name is the double's server; what is tested is the rest."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=self.port, family=2, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return None


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<title>{TITLE}，请放心</title>", content_type="text/html")

    async def other(_: web.Request) -> web.Response:
        return web.Response(text="<title>别的</title>", content_type="text/html")

    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://elsewhere.example/page")

    async def round_and_round(_: web.Request) -> web.Response:
        raise web.HTTPFound("/loop")

    app = web.Application()
    app.router.add_get("/page", page)
    app.router.add_get("/other", other)
    app.router.add_get("/away", away)
    app.router.add_get("/loop", round_and_round)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("/page", "ok"),
        ("/other", "mismatch"),
        ("/gone", "gone"),
        ("/away", "host"),
        ("/loop", "unreachable"),
    ],
)
async def test_what_a_link_shows(port: int, path: str, verdict: str) -> None:
    checker = HttpLinkChecker(resolver=ToLoopback(port))
    said = await checker.check(f"http://media.example:{port}{path}", ["media.example"], TITLE)
    assert said == verdict


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/x",
        "ftp://media.example/x",
        "http://media.example.evil.example/",
        "http://user@127.0.0.1/",
    ],
)
async def test_hosts_that_are_not_listed_are_never_asked(port: int, url: str) -> None:
    checker = HttpLinkChecker(resolver=ToLoopback(port))
    assert await checker.check(url, ["media.example"], TITLE) == "host"


async def test_private_addresses_are_refused_even_when_listed() -> None:
    checker = HttpLinkChecker()
    assert await checker.check("http://127.0.0.1/x", ["127.0.0.1"], TITLE) == "host"
    assert await checker.check("http://localhost/x", ["localhost"], TITLE) == "private"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "::1", "fd00::1"]
)
def test_private(address: str) -> None:
    assert not is_public(address)


def picture(**more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 10, 10)).save(out, "JPEG", **more)
    return out.getvalue()


def test_exif_is_stripped() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera that tells where it was"
    dirty = picture(exif=exif)
    assert b"camera" in dirty
    clean = strip(dirty)
    assert b"camera" not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert image.size == (20, 10)


def test_types_come_from_content() -> None:
    assert content_type(picture()) == "image/jpeg"
    assert content_type(b"<html><script>") == "application/octet-stream"
    assert content_type(b"#!AMR\n...") == "audio/amr"


def test_a_picture_too_large_to_open_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (8000, 6000)).save(out, "PNG")
    with pytest.raises(Refusal, match="picture_too_large"):
        strip(out.getvalue())
