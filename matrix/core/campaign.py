"""One broadcast of one bulletin to a planned set of accounts, and its tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Facts, Lifecycle, in_time, nothing_followed, row
from matrix.core.roles import Actor, Role


class CampaignState(StrEnum):
    """Where a broadcast stands. "Finished" is derived from the task rows, never a counter."""

    PLANNED = "planned"
    ARMED = "armed"
    RUNNING = "running"
    HELD = "held"
    CONVERGED = "converged"
    CLOSED_WITH_GAPS = "closed-with-gaps"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Entity):
    """A broadcast. ``accounts`` is the plan, fixed when it is made; ``exempt`` maps code → why."""

    state: CampaignState = CampaignState.PLANNED
    case: str
    bulletin: str
    accounts: tuple[str, ...]
    exempt: Mapping[str, str] = field(default_factory=dict)
    corrects: str = ""
    created_at: datetime
    release_at: datetime | None = None
    started_at: datetime | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


def all_settled(campaign: Campaign, actor: Actor, facts: Facts) -> bool:
    """Every task is verified, exempt, void, or declined by an ally."""
    del campaign, actor
    return bool(facts.get("settled"))


_P = {Role.PUBLISHER}
_S = CampaignState
CAMPAIGN = Lifecycle[Campaign](
    "campaign",
    [
        row(_S.PLANNED, "arm", _S.ARMED, _P),
        row(_S.ARMED, "disarm", _S.PLANNED, _P),
        row(_S.ARMED, "start", _S.RUNNING, {Role.PUBLISHER, Role.CLOCK}),
        row(_S.RUNNING, "hold", _S.HELD, _P),
        row(_S.HELD, "resume", _S.RUNNING, _P),
        row(
            (_S.RUNNING, _S.HELD, _S.CLOSED_WITH_GAPS),
            "converge",
            _S.CONVERGED,
            {Role.MACHINE},
            all_settled,
        ),
        row((_S.RUNNING, _S.HELD), "close", _S.CLOSED_WITH_GAPS, _P),
        row(
            (_S.PLANNED, _S.ARMED, _S.RUNNING, _S.HELD),
            "abort",
            _S.ABORTED,
            {Role.PUBLISHER, Role.MACHINE},
        ),
    ],
)
ENDED = frozenset({_S.CONVERGED, _S.CLOSED_WITH_GAPS, _S.ABORTED})


class TaskState(StrEnum):
    """What one account has done. Overdue is derived from the clock."""

    CREATED = "created"
    SENDING = "sending"
    DELIVERED = "delivered"
    SEEN = "seen"
    POSTED = "posted"
    VERIFIED = "verified"
    REJECTED = "rejected"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    FAILED = "failed"
    EXEMPT = "exempt"
    VOID = "void"


SETTLED = frozenset({TaskState.VERIFIED, TaskState.EXEMPT, TaskState.VOID})
REACHED = frozenset({TaskState.POSTED, TaskState.VERIFIED, TaskState.UNKNOWN, TaskState.SENDING})
"""Accounts that may show the text: a correction reaches every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepostTask(Entity):
    """Campaign × account; one live task per pair. ``serial`` is the number people say (转15)."""

    state: TaskState = TaskState.CREATED
    campaign: str
    case: str
    account: str
    tier: str
    serial: int
    operator: str = ""
    due_at: datetime
    snoozed_until: datetime | None = None
    url: str = ""
    reason: str = ""
    late: bool = False
    posted_at: datetime | None = None
    predecessor: str = ""
    reminders: int = 0
    drill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Entity):
    """Proof that a task was done: a link or a screenshot, and the checks made on it."""

    task: str
    case: str
    kind: str
    url: str = ""
    attachment: str = ""
    by: str
    at: datetime
    checked_at: datetime | None = None
    check: str = ""
    undone: bool = False


def not_operator(task: RepostTask, actor: Actor, facts: Facts) -> bool:
    """Proof is checked by somebody else than who posted."""
    del facts
    return not actor.person or actor.person != task.operator


_T = TaskState
_DOERS = {Role.OPERATOR, Role.PUBLISHER}
TASK = Lifecycle[RepostTask](
    "task",
    [
        row(_T.CREATED, "deliver", _T.DELIVERED, {Role.MACHINE}),
        row(_T.CREATED, "send", _T.SENDING, {Role.MACHINE}),
        row(_T.CREATED, "fail", _T.FAILED, {Role.MACHINE}),
        row(_T.SENDING, "sent", _T.POSTED, {Role.MACHINE}),
        row(_T.SENDING, "fail", _T.FAILED, {Role.MACHINE}),
        row(_T.SENDING, "lose", _T.UNKNOWN, {Role.MACHINE}),
        row(_T.DELIVERED, "see", _T.SEEN, {Role.OPERATOR}),
        row((_T.CREATED, _T.SEEN), "post", _T.POSTED, _DOERS),
        # The owner of a group has confirmed what was handed to them, or the platform refused it.
        row(_T.DELIVERED, "post", _T.POSTED, {*_DOERS, Role.MACHINE}),
        row(_T.DELIVERED, "fail", _T.FAILED, {Role.MACHINE}),
        # Taken back: whether the owner has just confirmed is not known yet.
        row(_T.DELIVERED, "lose", _T.UNKNOWN, {Role.MACHINE}),
        row(_T.SEEN, "decline", _T.DECLINED, {Role.OPERATOR}),
        row(_T.DECLINED, "post", _T.POSTED, _DOERS),
        row(_T.FAILED, "post", _T.POSTED, {*_DOERS, Role.MACHINE}),
        # Somebody has looked: it arrived, it did not, or it is sent once more.
        row(_T.UNKNOWN, "post", _T.POSTED, {*_DOERS, Role.MACHINE}),
        row(_T.UNKNOWN, "fail", _T.FAILED, {Role.MACHINE}),
        row((_T.UNKNOWN, _T.SENDING), "wait", _T.CREATED, {Role.MACHINE}),
        row((_T.DECLINED, _T.UNKNOWN, _T.FAILED), "exempt", _T.EXEMPT, {Role.PUBLISHER}),
        row(_T.DECLINED, "ask_again", _T.SEEN, {Role.PUBLISHER}),
        row((_T.DECLINED, _T.POSTED), "undo", _T.SEEN, {Role.OPERATOR}, nothing_followed, in_time),
        row(
            _T.POSTED,
            "verify",
            _T.VERIFIED,
            {Role.MACHINE, Role.PUBLISHER, Role.DESK},
            not_operator,
        ),
        row(
            _T.POSTED,
            "reject",
            _T.REJECTED,
            {Role.MACHINE, Role.PUBLISHER, Role.DESK},
            not_operator,
        ),
        row(_T.REJECTED, "redo", _T.SEEN, {Role.MACHINE}),
        row(
            (_T.CREATED, _T.DELIVERED, _T.SEEN, _T.DECLINED, _T.FAILED),
            "void",
            _T.VOID,
            {Role.MACHINE, Role.PUBLISHER},
        ),
    ],
)
