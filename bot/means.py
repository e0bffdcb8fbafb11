"""Small working parts behind the ports: clock, ids, sealer, link checker, attachments."""

import base64
import contextlib
import hashlib
import os
import secrets
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)


class FileClock:
    """A clock for tests of whole processes: the instant stands in a file (ISO, with zone)."""

    def __init__(self, path: Path) -> None:
        """The file is read at every look."""
        self._path = path

    def now(self) -> datetime:
        """What the file says."""
        return datetime.fromisoformat(self._path.read_text(encoding="utf-8").strip()).astimezone(
            UTC
        )


class RandomIds:
    """Ids that sort by the time at which they were made, and unguessable tokens."""

    def __init__(self) -> None:
        """Counts within this process."""
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> str:
        """28 hexadecimal digits: 16 of time, 12 random."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            stamp = self._last
        return f"{stamp:016x}{secrets.token_hex(6)}"

    def token(self) -> str:
        """12 URL-safe characters: 72 bits."""
        return secrets.token_urlsafe(9)


class KeySealer:
    """Originals under the district's key (AES-128-CBC with HMAC, Fernet)."""

    def __init__(self, key: str) -> None:
        """Any text of at least 32 characters."""
        digest = hashlib.sha256(key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))

    def seal(self, text: str) -> str:
        """Ciphertext."""
        return self._fernet.encrypt(text.encode()).decode() if text else ""

    def unseal(self, sealed: str) -> str:
        """The text. Raises ValueError when the key is another."""
        if not sealed:
            return ""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("sealed under another key") from None


def demonstration_key(folder: Path) -> str:
    """The key of a demonstration: made once, readable by its owner only."""
    path = folder / "secret.key"
    if not path.exists():
        mine = folder / f"secret.key.{secrets.token_hex(4)}"
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        # Several processes may start at once: the first link stands, whole.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(mine)
        mine.unlink()
    return path.read_text(encoding="utf-8").strip()
