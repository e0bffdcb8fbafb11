"""The statement in question, where it was seen, and what the machine thinks it resembles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Lifecycle, row
from matrix.core.roles import REPORTERS, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Entity):
    """A statement. ``key`` (normalised text) is unique: identical text is one claim."""

    wording: str
    key: str
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    first_lead: str = ""
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Entity):
    """The confirmed link of a lead to a claim; one per lead. Evidence of spread."""

    lead: str
    claim: str
    person: str
    area: str = ""
    chat: str = ""
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted:
    """Sightings counted: all, by distinct persons, named areas and chats, and since an instant."""

    leads: int
    persons: int
    areas: int
    chats: int
    fresh: int
    first: datetime | None


class LinkState(StrEnum):
    """*suggested* waits for a person; *matched* was stated by the machine with clean guards."""

    SUGGESTED = "suggested"
    MATCHED = "matched"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Entity):
    """Lead → bulletin, case or another lead's claim, with everything needed to explain it.

    ``target_kind`` is ``bulletin``, ``case`` or ``claim``; ``reasons`` are (kind, query side,
    claim side).
    """

    state: LinkState
    lead: str
    target_kind: str
    target: str
    method: str
    score: float
    reasons: tuple[tuple[str, str, str], ...] = ()
    model_version: str
    created_at: datetime


_S = LinkState
LINK = Lifecycle[Link](
    "link",
    [
        row(_S.SUGGESTED, "confirm", _S.CONFIRMED, {Role.DESK, Role.MACHINE}),
        row(_S.SUGGESTED, "dismiss", _S.DISMISSED, {Role.DESK, Role.MACHINE}),
        row(
            (_S.SUGGESTED, _S.MATCHED, _S.CONFIRMED, _S.DISMISSED),
            "undo",
            _S.UNDONE,
            {Role.DESK, Role.MACHINE, *REPORTERS},
        ),
    ],
)
