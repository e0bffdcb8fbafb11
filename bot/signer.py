"""Tokens of ours: who may open what until when, signed for one purpose."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime


class LinkError(Exception):
    """The token cannot be used; ``key`` is a sentence of the page that it leads to."""

    def __init__(self, key: str) -> None:
        """``link_forged`` or ``link_expired``."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Which chat account (its binding) may open what; ``version``: as it stood, if that matters."""

    identity: str
    subject: str
    version: int = 0


class Signer:
    """Grants ↔ tokens of one purpose: a token of another purpose is a forged one."""

    def __init__(self, key: str, purpose: str) -> None:
        """A key of the purpose's own is derived from the district's."""
        self._key = hmac.digest(key.encode(), f"piyao {purpose}".encode(), "sha256")

    def sign(self, grant: Grant, until: datetime) -> str:
        """A token, fit for an address; good before ``until``, counted in whole seconds."""
        fields = [grant.identity, grant.subject, grant.version, int(until.timestamp())]
        return self._token(json.dumps(fields, ensure_ascii=False).encode())

    def read(self, token: str, at: datetime) -> Grant:
        """What a token grants. Raises LinkError when it is not ours, or over."""
        try:
            payload = _bytes(token.partition(".")[0])
        except (ValueError, binascii.Error):
            raise LinkError("link_forged") from None
        # Base64 has several spellings of the same bytes; only ours is ours.
        given = token.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(self._token(payload).encode(), given):
            raise LinkError("link_forged")
        identity, subject, version, until = json.loads(payload)
        if datetime.fromtimestamp(until, UTC) <= at:
            raise LinkError("link_expired")
        return Grant(identity=identity, subject=subject, version=version)

    def _token(self, payload: bytes) -> str:
        return f"{_text(payload)}.{_text(hmac.digest(self._key, payload, 'sha256'))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
