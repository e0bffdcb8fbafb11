"""Logs without secrets: noisy libraries that print URLs are kept quiet."""

import logging

from config.settings import Settings

_QUIET = ("httpx", "httpcore", "telegram", "apscheduler", "aiosqlite", "alembic")


def configure(settings: Settings) -> None:
    """One line per record on standard error."""
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for name in _QUIET:
        # httpx logs whole URLs at INFO, and the Bot API carries its token in the path.
        logging.getLogger(name).setLevel(logging.WARNING)
