"""Joint verification: questions to units, evidence, recorded consultations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Lifecycle, row
from matrix.core.roles import OWNERS, Role


class VerificationState(StrEnum):
    """Where a question stands."""

    ASKED = "asked"
    ANSWERED = "answered"
    NEEDS_TIME = "needs-time"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"


class Finding(StrEnum):
    """What the asked unit says of the claim."""

    CONFIRM = "confirm"
    DENY = "deny"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Entity):
    """A question to one unit with its own clock."""

    state: VerificationState = VerificationState.ASKED
    case: str
    unit: str
    question: str
    asked_by: str
    asked_unit: str = ""
    asked_at: datetime
    finding: Finding | None = None
    basis: str = ""
    publishable: bool = False
    answered_by: str = ""
    answered_at: datetime | None = None
    until: datetime | None = None


_S = VerificationState
VERIFICATION = Lifecycle[Verification](
    "verification",
    [
        row((_S.ASKED, _S.NEEDS_TIME, _S.OVERDUE), "answer", _S.ANSWERED, OWNERS),
        row(_S.ASKED, "defer", _S.NEEDS_TIME, OWNERS),
        row(_S.ASKED, "overdue", _S.OVERDUE, {Role.CLOCK}),
        row(_S.ASKED, "withdraw", _S.WITHDRAWN, OWNERS),
    ],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Entity):
    """A source. ``digest`` is the SHA-256 of text and file; internal ones are never published."""

    case: str
    source: str
    digest: str
    grade: str = "A"
    publishable: bool
    attachment: str = ""
    added_by: str
    unit: str = ""
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation(Entity):
    """A recorded joint judgement. ``positions`` maps person → what they said; dissent is kept."""

    case: str
    topic: str
    positions: Mapping[str, str] = field(default_factory=dict)
    dissent: str = ""
    decision: str = ""
    signer: str = ""
    opened_at: datetime
    decided_at: datetime | None = None
