"""Identifiers for what the command line writes, where the assembly hands in none."""

import secrets
import time

__all__ = ["TimedIds"]


class TimedIds:
    """See ``matrix.ports.Ids``: nanoseconds first, so that later ones sort after earlier ones."""

    def new(self) -> str:
        """An opaque identifier."""
        return f"{time.time_ns():016x}{secrets.token_hex(6)}"

    def token(self) -> str:
        """Sixteen URL-safe characters, 96 bits."""
        return secrets.token_urlsafe(12)
