"""A clock on a subject. Its length comes from the clock table, its rungs from the ladder."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.case import Grade
from matrix.core.entity import Entity
from matrix.core.roles import Role


class Stage(StrEnum):
    """Clocks of domain §6. FIRST_PUBLICATION is the business clock, the rest stage clocks."""

    FILE = "file"
    ACKNOWLEDGE = "acknowledge"
    STALE = "stale"
    HOLDING = "holding"
    VERIFY = "verify"
    DRAFT = "draft"
    REVIEW = "review"
    FIRST_PUBLICATION = "first-publication"
    ANSWER = "answer"
    REPOST = "repost"
    CHECK = "check"
    FEEDBACK = "feedback"
    RATIFY = "ratify"
    RETURN = "return"
    WATCH = "watch"
    APPEAL = "appeal"


SILENT = frozenset({Stage.RETURN, Stage.WATCH})
"""Stages that only end: they remind nobody and climb no ladder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline(Entity):
    """``subject`` is ``kind:id``. ``rung`` counts the ladder's rungs already fired.

    Everything that its times follow from is kept with it: ``business_at`` (when the oldest lead
    was received), ``unit`` whose calendar counts, ``agreed_at`` where people agreed on an end,
    ``pauses`` (ISO instants, from and to), ``extended`` (minutes, approved) and ``follows``
    (reviews that are still to come). ``rungs`` are ISO instants, so that a calendar edited later
    moves nothing that was said. ``next_at`` is when the sweep looks again: the next rung, later
    in quiet hours.
    """

    subject: str
    case: str = ""
    stage: Stage
    grade: Grade
    unit: str = ""
    starts_at: datetime
    business_at: datetime
    due_at: datetime
    agreed_at: datetime | None = None
    capped: bool = False
    pauses: tuple[tuple[str, str], ...] = ()
    extended: int = 0
    follows: int = 0
    rungs: tuple[str, ...] = ()
    rung: int = 0
    next_at: datetime | None = None
    paused_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge(Entity):
    """A rung that a person is still to be told of. (person, deadline) is unique.

    It waits for the person's next bundle and is removed once it is said, or its clock closed.
    ``role`` and ``unit`` name the post that is reminded.
    """

    person: str
    deadline: str
    rung: int
    role: Role
    unit: str = ""
    created_at: datetime
