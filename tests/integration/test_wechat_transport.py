"""What carries calls to WeChat: certificates are checked, the environment's proxy is used."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.wechat.outcomes import ApiError
from bot.wechat.transport import DOWNLOAD, Transport, run
from tests.doubles.loopback import Loopback

PATIENCE = (3.0, 3.0)


class Seen(Loopback):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[web.Request] = []
        self.size = 3

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        return web.Response(body=b"x" * self.size)


@pytest.fixture
async def seen(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Seen]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with Seen() as one:
        yield one


def certificate(folder: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "double")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    kept = folder / "double.pem"
    pem = serialization.Encoding.PEM
    shape = serialization.PrivateFormat.PKCS8
    kept.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, shape, serialization.NoEncryption())
    )
    return kept


async def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await asyncio.to_thread(certificate, tmp_path)
    spoken: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kept)
    server = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        doubtful = Transport(url)
        with pytest.raises(ApiError) as caught:
            await run(doubtful.request, "GET", f"{url}/?access_token=secret", timeout=PATIENCE)
        assert (caught.value.code, caught.value.unknown) == ("not-sent", False)
        assert not spoken
        await doubtful.aclose()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(kept))
        vouched = Transport(url)
        answer = await run(vouched.request, "GET", url, timeout=PATIENCE)
        assert (answer.content, len(spoken)) == (b"{}", 1)
        await vouched.aclose()


async def test_the_proxy_of_the_environment_is_asked(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{seen.port}")
    transport = Transport("http://api.example.invalid")
    url = "http://api.example.invalid/cgi-bin/menu/get"
    answer = await run(
        transport.request, "get", url, params={"q": "中 &", "none": None}, timeout=PATIENCE
    )
    assert answer.content == b"xxx"
    assert (seen.asked[0].host, seen.asked[0].query) == ("api.example.invalid", {"q": "中 &"})
    await transport.aclose()


async def test_no_more_of_an_answer_is_kept_than_anybody_wants(seen: Seen) -> None:
    seen.size = DOWNLOAD + 500_000
    url = f"http://127.0.0.1:{seen.port}"
    transport = Transport(url)
    answer = await run(transport.request, "GET", url, timeout=PATIENCE)
    assert len(answer.content) == DOWNLOAD
    await transport.aclose()


async def test_many_calls_wait_for_one_another_and_none_is_lost(seen: Seen) -> None:
    url = f"http://127.0.0.1:{seen.port}"
    transport = Transport(url)
    numbers = [str(number) for number in range(60)]
    calls = [
        run(transport.request, "POST", url, params={"n": one}, data=one.encode(), timeout=PATIENCE)
        for one in numbers
    ]
    assert {one.status_code for one in await asyncio.gather(*calls)} == {200}
    assert sorted(one.query["n"] for one in seen.asked) == sorted(numbers)
    # As before, wechatpy's JSON says nothing of what it is.
    assert {one.headers.get("Content-Type") for one in seen.asked} == {None}
    await transport.aclose()
