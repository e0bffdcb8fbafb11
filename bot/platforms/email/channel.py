"""The e-mail channel: one SMTP server, step by step, so that it is known what has happened."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from typing import Literal

import aiosmtplib

from bot.channel import Outgoing
from bot.platforms.email.letter import letter
from bot.platforms.email.limits import LIMITS, PATIENCE
from matrix.core.errors import DeliveryError
from matrix.ports import Clock

# Greylisting asks for some minutes.
_LATER = timedelta(minutes=5)
_TEMPORARY = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """One server. ``sender`` may carry a name: ``云江辟谣 <piyao@example.gov.cn>``."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["tls", "starttls", "none"] = "tls"


class Email:
    """Implements ``bot.channel.Channel``. An address is an e-mail address."""

    platform = "email"
    limits = LIMITS

    def __init__(self, settings: MailSettings, *, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock

    async def send(self, message: Outgoing) -> str:
        """Send one letter; returns its Message-ID. Raises DeliveryError."""
        made = letter(message, self._settings.sender, self._clock.now())
        sender = parseaddr(self._settings.sender)[1]
        client = self._client()
        try:
            await self._begin(client)
            try:
                await client.mail(sender)
                await client.rcpt(str(made["To"]))
            except aiosmtplib.SMTPResponseException as error:
                raise _refused(error) from None
            except (aiosmtplib.SMTPException, OSError):
                raise DeliveryError("not-sent") from None
            try:
                await client.data(made.as_bytes())
            except aiosmtplib.SMTPResponseException as error:
                raise _refused(error) from None
            except (aiosmtplib.SMTPException, OSError):
                # The letter was on its way.
                raise DeliveryError("no-answer", unknown=True) from None
        finally:
            client.close()
        return str(made["Message-ID"])

    async def _begin(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.connect()
            if self._settings.user:
                await client.login(self._settings.user, self._settings.password)
        except aiosmtplib.SMTPAuthenticationError:
            raise DeliveryError("unauthorized", permanent=True) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            raise DeliveryError("unreachable") from None

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host, port=settings.port, timeout=PATIENCE,
            use_tls=settings.tls == "tls", start_tls=settings.tls == "starttls",
        )  # fmt: skip

    async def posted(self, message: Outgoing) -> None:
        """Nothing can be read back."""
        del message

    async def run(self) -> None:
        """Nothing comes in."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Empty when the server lets us in; no letter is sent."""
        client = self._client()
        try:
            await self._begin(client)
        except DeliveryError as error:
            return error.code
        finally:
            client.close()
        return ""


def _refused(error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """4xx asks for later, 5xx is for good. The server's words are not kept: they name people."""
    if error.code in _TEMPORARY:
        return DeliveryError(str(error.code), retry_after=_LATER)
    return DeliveryError(str(error.code), permanent=True)
