"""The append-only log: ids and codes, never message text or contact data (domain §7.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one entity.

    ``source`` and ``target`` are states; both are empty for events that move no state.
    ``entity_id`` names a chunk for deliveries, which are written in bulk.
    """

    id: str
    at: datetime
    entity: str
    entity_id: str
    action: str
    source: str = ""
    target: str = ""
    role: str = ""
    person: str = ""
    case: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
