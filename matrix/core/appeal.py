"""异议: somebody says that a published text is wrong about them or the matter."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Facts, Lifecycle, in_time, nothing_followed, row
from matrix.core.roles import Actor, Role


class AppealState(StrEnum):
    """Answered once, by the desk."""

    OPEN = "open"
    UPHELD = "upheld"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal(Entity):
    """An appeal against one bulletin. No lead: never matched, never counted as a rumor.

    ``number`` is 异 + month-day + the day's serial. ``text`` is masked for wide view, ``sealed``
    the original under the district's key. ``reason`` is the desk's answer in public words.
    """

    state: AppealState = AppealState.OPEN
    number: str
    bulletin: str
    case: str = ""
    person: str
    text: str
    attachments: tuple[str, ...] = ()
    sealed: str = ""
    received_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""


def not_appellant(appeal: Appeal, actor: Actor, facts: Facts) -> bool:
    """Nobody decides their own appeal."""
    del facts
    return actor.person != appeal.person


def not_author(appeal: Appeal, actor: Actor, facts: Facts) -> bool:
    """Another unit than the author's answers, and nobody who drafted or signed the text."""
    del appeal
    return actor.person not in facts.get("authors", ()) and not facts.get("own_unit")


def answered_in_words(appeal: Appeal, actor: Actor, facts: Facts) -> bool:
    """Either answer gives its reason, which the appellant reads."""
    del appeal, actor
    return bool(facts.get("reason"))


_S = AppealState
_GUARDS = (not_appellant, not_author, answered_in_words)
APPEAL = Lifecycle[Appeal](
    "appeal",
    [
        row(_S.OPEN, "uphold", _S.UPHELD, {Role.DESK}, *_GUARDS),
        row(_S.OPEN, "deny", _S.DENIED, {Role.DESK}, *_GUARDS),
        row((_S.UPHELD, _S.DENIED), "undo", _S.OPEN, {Role.DESK}, nothing_followed, in_time),
    ],
)
