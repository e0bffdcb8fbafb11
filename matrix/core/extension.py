"""An extension of a stage: asked with a reason, decided by another person (lessons §8)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Facts, Lifecycle, row
from matrix.core.roles import Actor, Role


class ExtensionState(StrEnum):
    """Nothing moves before somebody else has approved."""

    ASKED = "asked"
    GRANTED = "granted"
    NOT_GRANTED = "not-granted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Entity):
    """``minutes`` are counted like the stage itself. ``by_leader``: a unit's head is not enough."""

    state: ExtensionState = ExtensionState.ASKED
    case: str
    deadline: str
    unit: str
    minutes: int
    reason: str
    by_leader: bool = False
    asked_by: str
    asked_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None


def another_person(extension: Extension, actor: Actor, facts: Facts) -> bool:
    """Nobody approves or refuses what they asked for themselves."""
    del facts
    return actor.person != extension.asked_by


def still_runs(extension: Extension, actor: Actor, facts: Facts) -> bool:
    """The clock has not been stopped meanwhile."""
    del extension, actor
    return bool(facts.get("runs"))


_S = ExtensionState
_DECIDERS = {Role.UNIT_HEAD, Role.LEADER}
EXTENSION = Lifecycle[Extension](
    "extension",
    [
        row(_S.ASKED, "approve", _S.GRANTED, _DECIDERS, another_person, still_runs),
        row(_S.ASKED, "refuse", _S.NOT_GRANTED, _DECIDERS, another_person),
    ],
)
