"""What is said of a broadcast beyond the single task: towns, speed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class TownLine(Reply):
    """One town: ``done``, ``own`` and ``below`` are ``3/5``, the last two empty for none."""

    town: str
    done: str
    own: str
    below: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TownCall(Reply):
    """To who answers for a town: what its ground has not posted yet."""

    number: str
    town: str
    count: int
    names: tuple[str, ...]
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace(Reply):
    """Time from the start to a share of the plan, and from the first post to the last."""

    half: timedelta | None
    most: timedelta | None
    nearly: timedelta | None
    width: timedelta | None
