"""What is said about appeals."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealKept(Reply):
    """It has a number; the desk answers."""

    number: str
    bulletin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealCard(Reply):
    """An appeal as the desk sees it, beside the text in question. The appellant is not shown."""

    number: str
    bulletin: str
    title: str
    short: str
    text: str
    at: datetime
    due_at: datetime | None = None
    files: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealLine(Reply):
    """One appeal in a list; ``state`` is a key under ``state``."""

    number: str
    bulletin: str
    state: str
    at: datetime
    text: str
    files: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealAnswer(Reply):
    """An answer in public words, under the text that it is about."""

    at: datetime
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealCorrected(Reply):
    """What an upheld appeal led to, for who made it."""

    number: str
    title: str
    short: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided(Reply):
    """The answer, once; ``outcome`` is a key under ``appeal_outcome``."""

    number: str
    title: str
    outcome: str
    reason: str
    url: str = ""
