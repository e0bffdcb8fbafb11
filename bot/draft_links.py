"""Links to the form of one draft for one person: signed, short-lived, never logged."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

OPENS = timedelta(minutes=30)
"""A link from a card may be opened so long."""
SAVES = timedelta(hours=4)
"""What stands in an open form may be saved so long."""
_PURPOSE = b"piyao draft form"


class LinkError(Exception):
    """The link cannot be used; ``key`` is under ``draft_form``."""

    def __init__(self, key: str) -> None:
        """``link_forged`` or ``link_expired``."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Who may edit which draft, as it was at which version."""

    person: str
    revision: str
    version: int


class DraftLinks:
    """See ``matrix.ports.DraftPages``. ``base`` is empty where no page can be reached."""

    def __init__(self, key: str, base: str = "") -> None:
        """The signing key is derived from the district's; ``base`` has no slash at its end."""
        self._key = hmac.digest(key.encode(), _PURPOSE, "sha256")
        self.base = base

    @property
    def reachable(self) -> bool:
        """Whether there is an address to send people to."""
        return bool(self.base)

    def link(
        self, *, person: str, revision: str, version: int, at: datetime
    ) -> tuple[str, datetime]:
        """An address and until when it may be opened."""
        until = at + OPENS
        grant = Grant(person=person, revision=revision, version=version)
        return f"{self.base}/draft/{self.sign(grant, 'open', until)}", until

    def sign(self, grant: Grant, use: str, until: datetime) -> str:
        """A token. ``use`` is ``open`` or ``save``: one is no good for the other."""
        fields = (
            use,
            grant.person,
            grant.revision,
            str(grant.version),
            str(int(until.timestamp())),
        )
        payload = "\n".join(fields).encode()
        return f"{_text(payload)}.{_text(hmac.digest(self._key, payload, 'sha256'))}"

    def read(self, token: str, use: str) -> tuple[Grant, datetime]:
        """What a token grants, and until when. Raises LinkError when it is not ours."""
        try:
            payload, signature = (_bytes(part) for part in token.split("."))
        except (ValueError, binascii.Error):
            raise LinkError("link_forged") from None
        ours = hmac.compare_digest(hmac.digest(self._key, payload, "sha256"), signature)
        # Base64 has several spellings of the same bytes; only ours is ours.
        if not ours or token != f"{_text(payload)}.{_text(signature)}":
            raise LinkError("link_forged")
        meant, person, revision, version, until = payload.decode().split("\n")
        if meant != use:
            raise LinkError("link_forged")
        grant = Grant(person=person, revision=revision, version=int(version))
        return grant, datetime.fromtimestamp(int(until), UTC)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
