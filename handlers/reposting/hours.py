"""A time of day as people type it."""

import re
from datetime import datetime, timedelta

from matrix.core.errors import Refusal
from matrix.triage.calendar import LOCAL

_AT = re.compile(r"(?:(今天|明天)\s*)?([01]?[0-9]|2[0-3])[:：点]([0-5][0-9])?分?")


def parse_time(text: str, now: datetime) -> datetime:
    """Read 16:30 or 明天 8:00 as Beijing time. Raises Refusal."""
    found = _AT.search(text)
    if found is None:
        raise Refusal("no_time")
    day, hour, minute = found.groups()
    local = now.astimezone(LOCAL).replace(
        hour=int(hour), minute=int(minute or 0), second=0, microsecond=0
    )
    if day == "明天":
        local += timedelta(days=1)
    if local <= now:
        raise Refusal("time_past")
    return local.astimezone(now.tzinfo)
