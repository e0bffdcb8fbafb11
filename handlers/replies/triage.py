"""What the duty desk is told."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from handlers.replies.shared import PostLine, Reason
from matrix.core.case import CaseState, Grade
from matrix.core.lead import LeadState


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCard(Reply):
    """A queued lead with its proposed case. The reporter is not shown."""

    number: str
    grade: Grade
    text: str
    owner: str = ""
    co_units: str = ""
    reasons: tuple[Reason, ...] = ()
    axes: str = ""
    graded: tuple[Reason, ...] = ()
    certainty: str = ""
    refer: str = ""
    candidates: tuple[Reply, ...] = ()
    sightings: int = 1
    area: str = ""
    seen_in: str = ""
    files: str = ""
    entered: str = ""
    edited: str = ""
    disputed: str = ""
    claimed: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLine(Reply):
    """A bulletin or case that a lead resembles, with what differs."""

    kind: str
    title: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine(Reply):
    """One item of the queue."""

    number: str
    grade: Grade
    text: str
    lead_state: LeadState | None = None
    case_state: CaseState | None = None
    due_at: datetime | None = None
    claimed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLine(Reply):
    """A rumor of a flood: its oldest waiting lead, and how many of the same words wait."""

    number: str
    grade: Grade
    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(Reply):
    """More leads than there are cards for: how many came in so many minutes, how many wait."""

    minutes: int
    fresh: int
    total: int
    lines: tuple[FloodLine, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed(Reply):
    """Filed and dispatched."""

    number: str
    grade: Grade
    owner: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored(Reply):
    """Only watched; ``review_at`` is the day on which it is verified again."""

    number: str
    review_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover(Reply):
    """交班: what is open, overdue, in doubt."""

    queued: int
    open_cases: int
    overdue: int
    in_doubt: int
    undeliverable: int
    appeals: int
    lines: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtLine(Reply):
    """A delivery whose outcome nobody knows; ``to`` is empty for a reporter without a number."""

    about: str
    at: datetime
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach(Reply):
    """Reporters who should have heard the outcome by now; they are counted, never named."""

    number: str
    count: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Relapsed(Reply):
    """复燃: a closed case's claim is reported again."""

    number: str
    wording: str
    reports: int
    areas: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Reply):
    """Something that needs the desk; ``what`` is a key under ``alarm``."""

    what: str
    number: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticismStep(Reply):
    """A reminder that went before."""

    rung: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Criticism(Reply):
    """通报: who did not do what, due when, since when."""

    number: str
    wording: str
    stage: str
    starts_at: datetime
    due_at: datetime
    unit: str = ""
    taken_by: str = ""
    open_due: datetime | None = None
    closed_at: datetime | None = None
    steps: tuple[CriticismStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticismDraft(Reply):
    """通报稿: not sent before a person approves it."""

    notice: Criticism


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder(Reply):
    """A due card; ``rung`` is a key under ``rung``."""

    rung: str
    stage: str
    number: str
    wording: str
    due_at: datetime
    post: PostLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftLine(Reply):
    """A line of the duty roster."""

    unit: str
    who: str
    starts_at: datetime
    ends_at: datetime
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Reply):
    """Several reminders in one message; ``more`` are not shown."""

    lines: tuple[Reply, ...]
    more: str = ""
