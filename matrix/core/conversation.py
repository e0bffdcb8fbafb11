"""What is kept of a conversation: messages in, buttons, open questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity


class InboxState(StrEnum):
    """A message is stored before it is acknowledged and processed exactly once."""

    STORED = "stored"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound(Entity):
    """One message or button press as a platform gave it; (platform, message_id) is unique.

    ``kind`` is text, button, edit or joined. ``quoted`` is the quoted message in a group,
    ``mentioned`` whether the bot was addressed. ``files`` are attachment ids.
    """

    state: InboxState = InboxState.STORED
    platform: str
    message_id: str
    external: str
    chat: str
    kind: str = "text"
    text: str = ""
    quoted: str = ""
    token: str = ""
    mentioned: bool = False
    in_group: bool = False
    forwarded: bool = False
    files: tuple[str, ...] = ()
    media_group: str = ""
    sender_name: str = ""
    edits: str = ""
    received_at: datetime
    attempts: int = 0
    retry_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Entity):
    """A stored file: hash, type by content, size; EXIF is stripped before it is kept."""

    digest: str
    content_type: str
    size: int
    name: str = ""
    at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button(Entity):
    """A single-use choice. ``id`` is the short opaque token a platform carries.

    ``number`` is what people type where there are no buttons; it runs on across questions
    and wraps at 99 per chat.
    """

    delivery: str
    platform: str
    chat: str
    person: str
    action: str
    subject: str
    args: Mapping[str, object] = field(default_factory=dict)
    number: int
    created_at: datetime
    expires_at: datetime
    reusable: bool = False
    used_at: datetime | None = None
    void: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog(Entity):
    """The open question of one person in one chat. ``question`` names who reads the answer."""

    platform: str
    chat: str
    person: str
    question: str
    data: Mapping[str, object] = field(default_factory=dict)
    number: int = 0
    expires_at: datetime
