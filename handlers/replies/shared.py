"""What several stages say."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from matrix.core.case import CaseState, Grade
from matrix.core.roles import Role
from matrix.triage.national import Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Reply):
    """The new state of a card: who did what, when."""

    what: str
    who: str = ""
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine(Reply):
    """Which of several posts a card speaks to; stands under the card."""

    unit: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePage(Reply):
    """Where this person may see what came with a lead or an appeal (``of``); theirs alone."""

    of: str
    number: str
    count: int
    url: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Reply):
    """A short confirmation; ``what`` is a key under ``done``."""

    what: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyDone(Reply):
    """A second press."""

    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Reply):
    """An error that says what to do next; ``key`` is a key under ``refusal``."""

    key: str
    what: str = ""
    action: str = ""
    entity: str = ""
    state: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy(Reply):
    """Something failed inside; the message is kept and tried again."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Faster(Reply):
    """Somebody else was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Reply):
    """Why owner, grade or resemblance; ``kind`` is a key under ``reason``."""

    kind: str
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine(Reply):
    """One case in a list."""

    number: str
    grade: Grade
    state: CaseState
    wording: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalLine(Reply):
    """A clock of national law beside the local ones."""

    duty: Duty
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard(Reply):
    """A case as colleagues see it: never who reported."""

    number: str
    grade: Grade
    state: CaseState
    wording: str
    reasons: tuple[Reason, ...] = ()
    graded: tuple[Reason, ...] = ()
    certainty: str = ""
    owner: str = ""
    co_units: str = ""
    leads: int
    groups: int
    areas: int
    first_at: datetime
    due_at: datetime | None = None
    verdict: str = ""
    paused: str = ""
    review_at: datetime | None = None
    correction: str = ""
    appeals: str = ""
    merged_into: str = ""
    main: str = ""
    below: str = ""
    publish_by: datetime | None = None
    national: tuple[NationalLine, ...] = ()
    watched_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskText(Reply):
    """A question that free text answers; ``what`` is a key under ``ask``."""

    what: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick(Reply):
    """A question that a button answers; ``what`` is a key under ``pick``."""

    what: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Reply):
    """A public or irreversible step: what will happen to whom; ``what`` is under ``confirm``."""

    what: str
    subject: str = ""
    detail: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Reply):
    """One labelled line of a list."""

    label: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine(Reply):
    """One event of a case: what came to which state, when, by whom."""

    at: datetime
    entity: str
    state: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Reply):
    """A list with a heading; ``what`` is a key under ``listing``."""

    what: str
    subject: str = ""
    total: int = 0
    lines: tuple[Reply, ...] = ()
    empty: str = ""
