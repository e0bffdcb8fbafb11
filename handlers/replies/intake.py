"""What reporters are told."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from handlers.replies.shared import Reason
from matrix.core.case import Verdict
from matrix.core.lead import LeadState


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger(Reply):
    """110/119/120, on top of everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAnswered(Reply):
    """The claim is settled: the short rebuttal with link and date."""

    danger: Danger | None = None
    number: str
    issued_at: datetime | None = None
    issuer: str
    short: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSimilar(Reply):
    """Like something settled, but different: what differs."""

    danger: Danger | None = None
    number: str
    title: str
    differences: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQueued(Reply):
    """New: the desk is looking."""

    danger: Danger | None = None
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadJoined(Reply):
    """The same claim is being worked on already."""

    danger: Danger | None = None
    number: str
    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOfficial(Reply):
    """What was forwarded is an official rebuttal itself."""

    number: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadNeedsText(Reply):
    """A picture, voice or very short text: one line of text is asked for."""

    danger: Danger | None = None
    number: str
    kept: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSupplemented(Reply):
    """A later part joined the lead."""

    number: str
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLine(Reply):
    """One lead in 我的线索."""

    number: str
    state: LeadState
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinShown(Reply):
    """A bulletin in short form."""

    title: str
    short: str
    issuer: str
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    review_at: datetime | None = None
    url: str = ""
    appeals: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForFriends(Reply):
    """Words to paste into the group where the rumor was seen."""

    title: str
    short: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer(Reply):
    """In groups: one line and a link."""

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Reply):
    """First contact: what is kept, for how long, how to stop."""

    name: str = ""
    roles: tuple[str, ...] = ()
    files_days: int
    originals_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger(Reply):
    """Nobody known: an invitation is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWelcome(Reply):
    """On joining a group, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(Reply):
    """Only what this person may do; ``lines`` are keys under ``help``."""

    lines: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpLine(Reply):
    """One command."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatNow(Reply):
    """Unknown text from somebody with a post: the likely intents as buttons."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackBulletin(Reply):
    """The loop closed by a publication."""

    number: str
    verdict: Verdict | None = None
    holding: str = ""
    issuer: str
    short: str
    url: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackOther(Reply):
    """The loop closed in another way; ``outcome`` is a key under ``outcome``."""

    number: str
    outcome: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackCorrection(Reply):
    """What was told before is corrected or withdrawn.

    The lead's number is ``told`` where its reporter was told the original, else ``fresh``.
    """

    title: str
    short: str
    told: str = ""
    fresh: str = ""
    url: str = ""
    withdrawn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry(Reply):
    """A question of the unit to the reporter, who stays unknown to it."""

    number: str
    question: str
