"""What drafters, reviewers and publishers are shown."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from handlers.replies.reposting import Pace
from matrix.core.bulletin import Kind
from matrix.core.case import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkLine(Reply):
    """One remark of the linter; ``code`` is a key under ``lint``."""

    code: str
    part: str
    blocking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCard(Reply):
    """A draft in its parts, with remarks and the reviewers' comment."""

    number: str
    kind: Kind
    serial: int
    title: str = ""
    fact: str = ""
    rumor: str = ""
    why: str = ""
    todo: str = ""
    comment: str = ""
    remarks: tuple[RemarkLine, ...] = ()
    expires_at: datetime | None = None
    review_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage(Reply):
    """Where this person may edit a draft in a form; the address is theirs alone."""

    number: str
    serial: int
    url: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard(Reply):
    """A version to sign: ``step`` is 1 wording, 2 facts, 3 orientation."""

    step: str
    number: str
    grade: Grade
    kind: Kind
    serial: int
    drafter: str
    unit: str
    title: str
    evidence: tuple[Reply, ...] = ()
    remarks: tuple[RemarkLine, ...] = ()
    urgent: str = ""
    expires_at: datetime | None = None
    review_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FullText(Reply):
    """The whole text."""

    number: str
    serial: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Reply):
    """What changed since the last version, part by part."""

    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinLine(Reply):
    """One bulletin in a list."""

    number: str
    kind: Kind
    title: str
    expires_at: datetime | None = None
    review_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCard(Reply):
    """Signed: the main force publishes."""

    number: str
    grade: Grade
    kind: Kind
    title: str
    text: str
    account: str = ""
    urgent: str = ""
    expires_at: datetime | None = None
    review_at: datetime | None = None
    publish_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine(Reply):
    """One task in a list."""

    number: str
    account: str
    state: str
    operator: str = ""
    late: str = ""
    due_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCard(Reply):
    """Who will get it, before anything starts."""

    number: str
    title: str
    main: int
    second: int
    ally: int
    exempt: int = 0
    direct: int = 0
    corrects: str = ""
    lines: tuple[TaskLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBoard(Reply):
    """How far a broadcast is."""

    number: str
    state: str
    done: int
    total: int
    percent: int
    minutes: int
    main: str
    second: str
    ally: str
    to_check: int
    unknown: int
    declined: int
    failed: int
    release_at: datetime | None = None
    pace: Pace | None = None
    groups: str = ""
    people: str = ""
    owners: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard(Reply):
    """One card per bulletin listing all of a person's accounts."""

    number: str
    title: str
    due_at: datetime
    lines: tuple[Reply, ...]
    corrects: str = ""
    source: str = ""
    ask: str = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyText(Reply):
    """A text ready to be pasted, and nothing else."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptKept(Reply):
    """Which accounts a link or screenshot was booked for."""

    lines: tuple[Reply, ...]
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck(Reply):
    """A receipt that a person must look at; ``why`` is a key under ``check``."""

    number: str
    account: str
    url: str = ""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAgain(Reply):
    """The publisher asks once more for an account that was declined."""

    number: str
    account: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RepostUrge(Reply):
    """Only those who lack are reminded."""

    number: str
    title: str
    count: int
    due_at: datetime
