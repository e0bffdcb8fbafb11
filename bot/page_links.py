"""Links to pages for one person alone: signed, short-lived, never logged."""

from datetime import datetime, timedelta

from bot.signer import Grant, Signer

OPENS = timedelta(minutes=30)
"""A link from a card may be opened so long."""
SAVES = timedelta(hours=4)
"""What stands in an open form may be saved so long."""


class PageLinks:
    """See ``matrix.ports.Pages``. ``base`` is empty where no page can be reached."""

    def __init__(self, key: str, base: str = "") -> None:
        """``key`` is the district's; ``base`` has no slash at its end."""
        self.base = base
        self.editing = Signer(key, "draft form, to open")
        self.saving = Signer(key, "draft form, to save")
        self.looking = Signer(key, "pictures")

    @property
    def reachable(self) -> bool:
        """Whether there is an address to send people to."""
        return bool(self.base)

    def draft(
        self, *, identity: str, revision: str, version: int, at: datetime
    ) -> tuple[str, datetime]:
        """An address and until when it may be opened."""
        grant = Grant(identity=identity, subject=revision, version=version)
        return self._link("draft", self.editing, grant, at + OPENS)

    def pictures(self, *, identity: str, subject: str, at: datetime) -> tuple[str, datetime]:
        """An address and until when it, and each file on it, may be opened."""
        grant = Grant(identity=identity, subject=subject)
        return self._link("pictures", self.looking, grant, at + OPENS)

    def _link(
        self, path: str, signer: Signer, grant: Grant, until: datetime
    ) -> tuple[str, datetime]:
        return f"{self.base}/{path}/{signer.sign(grant, until)}", until
