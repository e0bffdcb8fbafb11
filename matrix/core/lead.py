"""A lead: one message (or burst) of one reporter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.lifecycle import Lifecycle, in_time, nothing_followed, row, stay
from matrix.core.roles import REPORTERS, Role


class LeadState(StrEnum):
    """Where a lead stands. While candidates are open the lead *is* queued."""

    RECEIVED = "received"
    ANSWERED = "answered"
    QUEUED = "queued"
    NEEDS_INFO = "needs-info"
    REJECTED = "rejected"
    ATTACHED = "attached"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Entity):
    """One report.

    ``text`` is masked for wide view, ``sealed`` the original under the district's key.
    ``key`` is the key of the normalised text. ``proposal`` is the proposed case (owner, co-units,
    grade, axes, reasons) as codes. ``parts`` keeps the boundaries of a burst. ``reference`` links
    the answer that was given elsewhere to what is referred, such as a ministry's.
    """

    state: LeadState = LeadState.RECEIVED
    number: str
    reporter: str
    platform: str
    chat: str
    in_group: bool = False
    text: str
    sealed: str = ""
    key: str = ""
    parts: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    media_group: str = ""
    received_at: datetime
    last_part_at: datetime
    heard_area: str = ""
    about_area: str = ""
    seen_in: str = ""
    case: str = ""
    claim: str = ""
    bulletin: str = ""
    reason: str = ""
    reference: str = ""
    proposal: Mapping[str, object] = field(default_factory=dict)
    entered_by: str = ""
    drill: bool = False
    edited: bool = False
    rating: str = ""
    claimed_by: str = ""
    claimed_until: datetime | None = None


_S = LeadState
_DESK = {Role.DESK}
LEAD = Lifecycle[Lead](
    "lead",
    [
        row(_S.RECEIVED, "answer", _S.ANSWERED, {Role.MACHINE}),
        row(_S.RECEIVED, "queue", _S.QUEUED, {Role.MACHINE}),
        row(_S.RECEIVED, "ask", _S.NEEDS_INFO, {Role.MACHINE}),
        row(_S.RECEIVED, "reject", _S.REJECTED, {Role.MACHINE}),
        row(_S.QUEUED, "confirm", _S.ANSWERED, _DESK),
        row(_S.QUEUED, "attach", _S.ATTACHED, {Role.DESK, Role.CLOCK, Role.MACHINE}),
        row(_S.QUEUED, "ask", _S.NEEDS_INFO, _DESK),
        row(_S.QUEUED, "reject", _S.REJECTED, _DESK),
        row(_S.QUEUED, "refer", _S.REFERRED, _DESK),
        row(_S.QUEUED, "withdraw", _S.WITHDRAWN, REPORTERS),
        row((_S.NEEDS_INFO, _S.LAPSED), "supplement", _S.QUEUED, REPORTERS),
        row(_S.NEEDS_INFO, "lapse", _S.LAPSED, {Role.CLOCK}),
        row((_S.ANSWERED, _S.ATTACHED, _S.REJECTED), "dispute", _S.QUEUED, REPORTERS),
        row(
            (_S.ANSWERED, _S.ATTACHED, _S.REJECTED, _S.REFERRED),
            "undo",
            _S.QUEUED,
            _DESK,
            nothing_followed,
            in_time,
        ),
        stay((_S.QUEUED,), "undo_owner", _DESK, nothing_followed, in_time),
        stay((_S.QUEUED,), "undo_grade", _DESK, nothing_followed, in_time),
    ],
)
