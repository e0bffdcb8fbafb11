"""The work on one claim: the case, its assignments and its assessment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Facts, Lifecycle, in_time, nothing_followed, row, stay
from matrix.core.roles import OWNERS, Actor, Role


class CaseState(StrEnum):
    """Stages of a case; paused, correction-open and merged-into are fields, not states."""

    FILED = "filed"
    DISPATCHED = "dispatched"
    NOT_ACCEPTED = "not-accepted"
    ACKNOWLEDGED = "acknowledged"
    VERIFYING = "verifying"
    CONSULTING = "consulting"
    CONCLUDED = "concluded"
    DRAFTING = "drafting"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    PUBLISHED = "published"
    REPOSTING = "reposting"
    CHECKING = "checking"
    CLOSED = "closed"
    MONITOR_ONLY = "monitor-only"
    REFERRED = "referred"


class Grade(StrEnum):
    """Ours, not statutory. I red … IV blue."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @property
    def urgent(self) -> bool:
        """Whether it runs by the wall clock, day and night."""
        return self in {Grade.RED, Grade.ORANGE}


class EventClass(StrEnum):
    """National law hangs on this, set only by a person. Source: 国办发〔2016〕61号、80号."""

    MAJOR_PLUS = "major-plus"
    MAJOR = "major"
    OTHER = "other"
    NOT_APPLICABLE = "not-applicable"


class Verdict(StrEnum):
    """What verification found; TRUE is a possible verdict."""

    TRUE = "true"
    PARTLY_TRUE = "partly-true"
    FALSE = "false"
    EXAGGERATED = "exaggerated"
    DOUBTFUL = "doubtful"
    UNVERIFIABLE = "unverifiable"
    OPINION = "opinion"


REBUTTABLE = frozenset({Verdict.FALSE, Verdict.PARTLY_TRUE, Verdict.EXAGGERATED})
UNSETTLED = frozenset({Verdict.DOUBTFUL, Verdict.UNVERIFIABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Entity):
    """One case. ``routing`` and ``assessment`` are codes that explain owner and grade.

    ``received_at`` is that of the oldest lead of the merged tree: the business clock's start.
    ``parent`` is the main case of a large event, one level up.
    """

    state: CaseState = CaseState.FILED
    number: str
    claim: str
    wording: str
    grade: Grade
    assessment: Mapping[str, object] = field(default_factory=dict)
    event_class: EventClass = EventClass.NOT_APPLICABLE
    owner: str = ""
    co_units: tuple[str, ...] = ()
    routing: tuple[tuple[str, str, str], ...] = ()
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    received_at: datetime
    filed_at: datetime
    stage_since: datetime
    verdict: Verdict | None = None
    verdict_basis: str = ""
    concluded_by: str = ""
    reason: str = ""
    review_at: datetime | None = None
    paused_reason: str = ""
    correction_open: bool = False
    merged_into: str = ""
    parent: str = ""
    returns: int = 0
    bulletin: str = ""
    claimed_by: str = ""
    claimed_until: datetime | None = None
    drill: bool = False


def not_frozen(case: Case, actor: Actor, facts: Facts) -> bool:
    """A merged case is frozen."""
    del actor, facts
    return not case.merged_into


def has_owner(case: Case, actor: Actor, facts: Facts) -> bool:
    """Dispatching needs a lead unit that somebody can be reached at."""
    del actor, facts
    return bool(case.owner)


def has_evidence(case: Case, actor: Actor, facts: Facts) -> bool:
    """Evidence before any verdict; red and orange need two sources (domain §7.1)."""
    del actor
    if facts.get("verdict") in {Verdict.OPINION, Verdict.UNVERIFIABLE, Verdict.DOUBTFUL}:
        return True
    return int(facts.get("evidence", 0)) >= (2 if case.grade.urgent else 1)


def second_unit_verified(case: Case, actor: Actor, facts: Facts) -> bool:
    """When the claim is about the lead unit itself a second unit must verify (domain §4.5)."""
    del case, actor
    return not facts.get("about_owner") or bool(facts.get("second_unit"))


def may_end_unpublished(case: Case, actor: Actor, facts: Facts) -> bool:
    """Monitor-only needs a leader's reason, and a review date where nothing is settled."""
    del actor
    if case.verdict is Verdict.OPINION or not facts.get("reason"):
        return False
    return case.verdict not in UNSETTLED or bool(facts.get("review_at"))


def may_be_drafted(case: Case, actor: Actor, facts: Facts) -> bool:
    """An opinion is not a rumor: nothing is published about it."""
    del actor, facts
    return case.verdict is not Verdict.OPINION


def is_opinion(case: Case, actor: Actor, facts: Facts) -> bool:
    """An opinion may end without a word in public; everything else has its own end."""
    del actor, facts
    return case.verdict is Verdict.OPINION


def unsettled(case: Case, actor: Actor, facts: Facts) -> bool:
    """What was said in public is no verdict yet: it is looked at again on a given day."""
    del actor
    return case.verdict in UNSETTLED and bool(facts.get("review_at"))


def nothing_open(case: Case, actor: Actor, facts: Facts) -> bool:
    """Campaign ended, feedback settled, no correction or ratification open."""
    del actor
    return not case.correction_open and not facts.get("open", ())


_S = CaseState
_CLOSING = {Role.MACHINE, Role.CLOCK}
_DECIDERS = {Role.DESK, Role.LEADER}
_UNOUT = (
    _S.FILED, _S.DISPATCHED, _S.ACKNOWLEDGED, _S.VERIFYING, _S.CONSULTING, _S.CONCLUDED,
    _S.DRAFTING, _S.IN_REVIEW, _S.APPROVED,
)  # fmt: skip
"""Before anything is out: a case may still be merged, and its grade moves its clocks."""
CASE = Lifecycle[Case](
    "case",
    [
        row(_S.FILED, "dispatch", _S.DISPATCHED, {Role.DESK, Role.CLOCK, Role.MACHINE}, has_owner),
        row(_S.FILED, "decline", _S.NOT_ACCEPTED, {Role.DESK}),
        row(_S.FILED, "refer", _S.REFERRED, {Role.DESK}),
        row(_S.DISPATCHED, "acknowledge", _S.ACKNOWLEDGED, OWNERS, not_frozen),
        row(_S.ACKNOWLEDGED, "verify", _S.VERIFYING, OWNERS, not_frozen),
        row(_S.VERIFYING, "consult", _S.CONSULTING, {*OWNERS, Role.DESK}, not_frozen),
        row(_S.CONSULTING, "settle", _S.VERIFYING, {*OWNERS, Role.DESK}),
        row(
            (_S.ACKNOWLEDGED, _S.VERIFYING, _S.CONSULTING),
            "conclude",
            _S.CONCLUDED,
            OWNERS,
            not_frozen,
            has_evidence,
            second_unit_verified,
        ),
        row(_S.CONCLUDED, "draft", _S.DRAFTING, OWNERS, not_frozen, may_be_drafted),
        row(_S.DRAFTING, "submit", _S.IN_REVIEW, OWNERS),
        row(_S.IN_REVIEW, "approve", _S.APPROVED, {Role.REVIEWER_3}),
        row(
            _S.IN_REVIEW,
            "return",
            _S.DRAFTING,
            {*OWNERS, Role.REVIEWER_1, Role.REVIEWER_2, Role.REVIEWER_3},
        ),
        row(_S.APPROVED, "return", _S.DRAFTING, {*OWNERS, Role.PUBLISHER, Role.REVIEWER_1}),
        row(_S.APPROVED, "unsign", _S.IN_REVIEW, {Role.REVIEWER_3}),
        row(_S.APPROVED, "publish", _S.PUBLISHED, {Role.PUBLISHER, Role.MACHINE}),
        row(
            (_S.CONCLUDED, _S.DRAFTING, _S.IN_REVIEW),
            "doubt",
            _S.VERIFYING,
            {*OWNERS, Role.REVIEWER_2, Role.DESK},
        ),
        row(_S.PUBLISHED, "repost", _S.REPOSTING, {Role.PUBLISHER, Role.CLOCK}),
        row(_S.PUBLISHED, "check", _S.CHECKING, {Role.PUBLISHER, Role.MACHINE}),
        row(_S.REPOSTING, "check", _S.CHECKING, {Role.MACHINE}),
        row(_S.CHECKING, "close", _S.CLOSED, _CLOSING, nothing_open),
        row(_S.CONCLUDED, "monitor", _S.MONITOR_ONLY, {Role.LEADER}, may_end_unpublished),
        row(_S.CONCLUDED, "refer", _S.REFERRED, {Role.DESK}),
        row(_S.CONCLUDED, "close", _S.CLOSED, {Role.DESK}, is_opinion, nothing_open),
        row(_S.PUBLISHED, "watch", _S.MONITOR_ONLY, {Role.MACHINE}, unsettled),
        row(_S.MONITOR_ONLY, "resume", _S.VERIFYING, {Role.DESK, Role.CLOCK}),
        row(_S.MONITOR_ONLY, "close", _S.CLOSED, {Role.DESK}, nothing_open),
        row(_S.REFERRED, "recall", _S.FILED, {Role.DESK}),
        row(_S.REFERRED, "close", _S.CLOSED, {Role.DESK}, nothing_open),
        row(_S.CLOSED, "reopen", _S.VERIFYING, {Role.DESK}),
        # Once there is a verdict another owner begins anew: that is no undo.
        stay(_UNOUT[:5], "undo_owner", _DECIDERS, nothing_followed, in_time),
        stay(_UNOUT, "undo_grade", _DECIDERS, nothing_followed, in_time),
        stay(_UNOUT, "undo_merge", {Role.DESK}, nothing_followed, in_time),
    ],
)


class AssignmentState(StrEnum):
    """Where a unit stands with a case."""

    OFFERED = "offered"
    DESIGNATED = "designated"
    ACKNOWLEDGED = "acknowledged"
    EXPIRED = "expired"
    RETURNED = "returned"
    DONE = "done"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Entity):
    """Case → unit. ``lead`` tells 主办 from 协办; ``person`` acknowledged it."""

    state: AssignmentState
    case: str
    unit: str
    lead: bool
    person: str = ""
    offered_at: datetime
    acknowledged_at: datetime | None = None
    progress_at: datetime | None = None
    late: bool = False
    reason: str = ""
    suggested: str = ""


def in_return_window(assignment: Assignment, actor: Actor, facts: Facts) -> bool:
    """A return is possible inside the window only, and says why."""
    del assignment, actor
    return bool(facts.get("in_window")) and bool(facts.get("reason"))


_A = AssignmentState
ASSIGNMENT = Lifecycle[Assignment](
    "assignment",
    [
        row((_A.OFFERED, _A.DESIGNATED, _A.EXPIRED), "acknowledge", _A.ACKNOWLEDGED, OWNERS),
        row((_A.OFFERED, _A.DESIGNATED), "expire", _A.EXPIRED, {Role.CLOCK}),
        row(_A.OFFERED, "return", _A.RETURNED, OWNERS, in_return_window),
        row(
            _A.ACKNOWLEDGED,
            "finish",
            _A.DONE,
            {*OWNERS, Role.PUBLISHER, Role.MACHINE, Role.CLOCK, Role.DESK, Role.LEADER},
        ),
        row(_A.ACKNOWLEDGED, "stale", _A.OFFERED, {Role.CLOCK}),
        row(
            (_A.OFFERED, _A.DESIGNATED, _A.EXPIRED, _A.ACKNOWLEDGED),
            "void",
            _A.VOID,
            {Role.DESK, Role.LEADER, Role.MACHINE},
        ),
        row(_A.VOID, "undo", _A.OFFERED, {Role.DESK, Role.LEADER}, nothing_followed),
    ],
)
