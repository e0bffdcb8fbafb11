"""Letters against a real SMTP server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from bot.channel import Outgoing
from bot.platforms.email.channel import Email, MailSettings
from matrix.core.errors import DeliveryError
from tests.doubles.clock import FakeClock


class Server:
    """Takes letters; ``refuse`` answers RCPT, ``end`` answers DATA, ``hang_up`` is after DATA."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refuse = ""
        self.end = ""
        self.hang_up = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.end:
            return self.end
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hang_up:
            server.transport.abort()
        return "250 OK"


def _known(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    good = isinstance(auth, LoginPassword) and auth.password == b"right"
    return AuthResult(success=good, handled=good)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    handler = Server()
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        return SMTP(handler, authenticator=_known, auth_require_tls=False, loop=loop)

    listening = await loop.create_server(made, "127.0.0.1", 0)
    yield handler, listening.sockets[0].getsockname()[1]
    listening.close()


def channel(port: int, word: str = "right") -> Email:
    return Email(
        MailSettings(
            host="127.0.0.1", port=port, sender="云江辟谣 <piyao@example.gov.cn>", user="piyao",
            password=word, tls="none",
        ),
        clock=FakeClock(),
    )  # fmt: skip


def note(address: str = "media@example.com", text: str = "路灯不收费\n\n区财政出资。") -> Outgoing:
    return Outgoing(key="d1", address=address, text=text)


async def failure(port: int, message: Outgoing | None = None, **more: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel(port, **more).send(message or note())
    return caught.value


async def test_a_letter_arrives_with_a_subject_and_always_the_same_id(
    server: tuple[Server, int],
) -> None:
    handler, port = server
    for _ in range(2):
        assert await channel(port).send(note()) == "<d1@example.gov.cn>"
    first, second = handler.letters
    assert first["Subject"] == "路灯不收费"
    assert first["To"] == "media@example.com"
    assert "区财政出资。" in first.get_content()
    assert first["Message-ID"] == second["Message-ID"] == "<d1@example.gov.cn>"


async def test_a_text_cannot_add_headers_or_receivers(server: tuple[Server, int]) -> None:
    handler, port = server
    await channel(port).send(note(text="好\r\nBcc: x@example.com\r\n\r\n正文"))
    assert handler.letters[0]["Bcc"] is None
    for bad in ("", "nobody", "a@b.com\nBcc: x@y.com", "a@b.com, c@d.com", "用户@例.cn"):
        error = await failure(port, note(bad))
        assert (error.code, error.permanent) == ("bad-address", True)
    assert len(handler.letters) == 1


@pytest.mark.parametrize(
    ("where", "answer", "permanent", "waits"),
    [
        ("refuse", "550 no such user", True, False), ("refuse", "450 greylisted", False, True),
        ("end", "554 refused", True, False), ("end", "451 later", False, True),
    ],
)  # fmt: skip
async def test_codes(
    server: tuple[Server, int], where: str, answer: str, permanent: bool, waits: bool
) -> None:
    handler, port = server
    setattr(handler, where, answer)
    error = await failure(port)
    assert (error.code, error.permanent, error.unknown) == (answer[:3], permanent, False)
    assert (error.retry_after == timedelta(minutes=5)) is waits


async def test_a_line_cut_after_the_letter_is_unknown(server: tuple[Server, int]) -> None:
    handler, port = server
    handler.hang_up = True
    assert (await failure(port)).unknown
    assert len(handler.letters) == 1


async def test_a_wrong_password_and_a_server_that_is_down(server: tuple[Server, int]) -> None:
    _, port = server
    error = await failure(port, word="wrong")
    assert (error.code, error.permanent) == ("unauthorized", True)
    assert await channel(port, "wrong").ping() == "unauthorized"
    assert await channel(port).ping() == ""
    down = await failure(9)
    assert (down.code, down.unknown, down.permanent) == ("unreachable", False, False)
