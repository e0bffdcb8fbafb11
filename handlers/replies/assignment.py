"""What units are told."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from handlers.replies.shared import Reason
from matrix.core.case import Grade
from matrix.core.verification import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard(Reply):
    """A case is offered to a unit; ``part`` is lead or co."""

    number: str
    grade: Grade
    part: str
    designated: str = ""
    wording: str
    reasons: tuple[Reason, ...] = ()
    leads: int
    groups: int
    areas: int
    first_at: datetime
    acknowledge_by: datetime | None = None
    publish_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged(Reply):
    """You own it now; what comes next, by when."""

    number: str
    verify_by: datetime | None = None
    publish_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(Reply):
    """A unit says that it is not its business; the desk decides."""

    number: str
    unit: str
    reason: str
    suggested: str = ""
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLineMasked(Reply):
    """One lead as owners see it: text and time, no reporter."""

    number: str
    at: datetime
    text: str
    seen_in: str = ""
    files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCard(Reply):
    """A question to a unit about a claim."""

    number: str
    wording: str
    question: str
    unit: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine(Reply):
    """One unit's answer, for comparing."""

    unit: str
    finding: Finding | None = None
    basis: str = ""
    public: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine(Reply):
    """One piece of evidence; ``file`` is set where a picture or a document came with it."""

    source: str
    file: str = ""
    public: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded(Reply):
    """A verdict was given; what may follow."""

    number: str
    verdict: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionCard(Reply):
    """Who asks for how much more time, why, and until when it would be."""

    number: str
    grade: Grade
    wording: str
    stage: str
    who: str
    unit: str
    reason: str
    due_at: datetime
    until: datetime
    publish_by: datetime | None = None
