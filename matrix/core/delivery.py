"""The ledger: one row per message to one address, committed as *sending* before the call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from matrix.core.entity import Entity
from matrix.core.lifecycle import Lifecycle, row
from matrix.core.roles import Role

WAITS = "waits"
"""The error of a message that cannot go now and goes with the person's next one."""


class DeliveryState(StrEnum):
    """A crash between *sending* and its outcome leaves the row in doubt, never resent blindly."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    IN_DOUBT = "in-doubt"


class Lane(StrEnum):
    """Conversation goes out at once; broadcast travels through the durable queue."""

    CONVERSATION = "conversation"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Entity):
    """One message.

    ``content`` is the reply by type (``reply``, ``fields``, ``choices``); the presenter renders
    it when it is sent. ``purpose`` is ``kind:id`` of what its outcome moves. ``edits`` is the
    delivery whose message it changes. ``dedup`` is unique where a thing is said once.
    ``harmless`` marks a message whose repeat does no harm (single-use buttons). ``answers`` is the
    platform's id of the message that it answers. ``unsure``: a try before may have arrived.
    """

    state: DeliveryState = DeliveryState.PENDING
    lane: Lane = Lane.CONVERSATION
    platform: str
    address: str
    person: str = ""
    account: str = ""
    purpose: str = ""
    subject: str = ""
    content: Mapping[str, object] = field(default_factory=dict)
    edits: str = ""
    dedup: str | None = None
    harmless: bool = False
    answers: str = ""
    attempt: int = 0
    attempt_id: str = ""
    executor: str = ""
    created_at: datetime
    not_before: datetime | None = None
    give_up_at: datetime | None = None
    sent_at: datetime | None = None
    remote_id: str = ""
    error: str = ""
    unsure: bool = False


class Parcel(NamedTuple):
    """What it takes to send one delivery of the broadcast lane and to settle it.

    A tuple, since thousands are made in a second: a whole ``Delivery`` costs ten times as much.
    """

    id: str
    attempt: int
    attempt_id: str
    state: DeliveryState
    platform: str
    address: str
    purpose: str
    content: Mapping[str, object]


_S = DeliveryState
_M = {Role.MACHINE, Role.CLOCK}
_SETTLERS = {Role.MACHINE, Role.DESK, Role.PUBLISHER}
DELIVERY = Lifecycle[Delivery](
    "delivery",
    [
        row(_S.PENDING, "claim", _S.SENDING, _M),
        row(_S.PENDING, "cancel", _S.CANCELLED, {*_M, Role.PUBLISHER}),
        # What may have arrived waited for so long that the platform would no longer know it again.
        row(_S.PENDING, "doubt", _S.IN_DOUBT, _M),
        row(_S.SENDING, "sent", _S.SENT, _M),
        row(_S.SENDING, "fail", _S.FAILED, _M),
        row(_S.SENDING, "retry", _S.PENDING, _M),
        row(_S.SENDING, "doubt", _S.IN_DOUBT, _M),
        row(_S.IN_DOUBT, "sent", _S.SENT, _SETTLERS),
        row(_S.IN_DOUBT, "retry", _S.PENDING, _SETTLERS),
        row(_S.IN_DOUBT, "fail", _S.FAILED, _SETTLERS),
    ],
)


class FeedbackState(StrEnum):
    """Whether a reporter has been told one outcome."""

    DUE = "due"
    SENT = "sent"
    IN_DOUBT = "in-doubt"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(Entity):
    """What one reporter is told of one outcome, once. (person, outcome) is unique.

    ``outcome`` is ``bulletin:<id>``, ``rejected:<lead>``, ``referred:<case>`` and the like.
    ``breached_at`` is when the desk was told that it is too late.
    """

    state: FeedbackState = FeedbackState.DUE
    person: str
    outcome: str
    case: str = ""
    lead: str
    due_at: datetime
    tried: tuple[str, ...] = ()
    sent_at: datetime | None = None
    breached_at: datetime | None = None


_F = FeedbackState
FEEDBACK = Lifecycle[Feedback](
    "feedback",
    [
        row(_F.DUE, "sent", _F.SENT, _M),
        row(_F.DUE, "doubt", _F.IN_DOUBT, _M),
        row(_F.DUE, "fail", _F.FAILED, _M),
        row(_F.IN_DOUBT, "sent", _F.SENT, _SETTLERS),
        row(_F.IN_DOUBT, "retry", _F.DUE, _SETTLERS),
        row(_F.FAILED, "retry", _F.DUE, _SETTLERS),
        row(_F.FAILED, "give_up", _F.UNDELIVERABLE, _M),
    ],
)
