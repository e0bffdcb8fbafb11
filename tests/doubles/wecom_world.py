"""What exists at the WeCom double: members, messages, cards, customer groups and their tasks."""

from dataclasses import dataclass, field
from typing import Any

# The corporation of every test. Invented.
CORP, AGENT = "ww-jiangbei-test", "1000002"
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
SECRET, CONTACT_SECRET = "app-secret-of-the-test", "contact-secret-of-the-test"


@dataclass(kw_only=True)
class Member:
    """A member of the corporation. ``departments`` maps the id to whether they lead it."""

    userid: str
    name: str
    departments: dict[int, bool] = field(default_factory=lambda: {1: False})
    position: str = ""
    licensed: bool = True
    visible: bool = True
    left: bool = False


@dataclass(kw_only=True)
class Sent:
    """A message as one member sees it. ``card`` is the template card as it is now."""

    msgid: str
    to: str
    kind: str
    text: str
    card: dict[str, Any] = field(default_factory=dict)
    edits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        if self.card.get("replace_text"):
            return []
        return [one["text"] for one in self.card.get("button_list", [])]

    @property
    def keys(self) -> dict[str, str]:
        return {one["text"]: one["key"] for one in self.card.get("button_list", [])}


def card_text(card: dict[str, Any]) -> str:
    title = card.get("main_title", {})
    parts = [title.get("title", ""), title.get("desc", ""), card.get("sub_title_text", "")]
    return "\n".join(filter(None, parts))


@dataclass(kw_only=True)
class Code:
    """A response code: good for one update within 72 hours."""

    task: str
    users: tuple[str, ...]
    until: float
    used: bool = False


@dataclass(kw_only=True)
class CustomerGroup:
    """A WeChat group whose owner is a member. ``got`` are (message, when)."""

    chat_id: str
    owner: str
    name: str = ""
    got: list[tuple[str, float]] = field(default_factory=list)
    month_full: bool = False


@dataclass(kw_only=True)
class MassTask:
    """One 客户群群发. ``sent`` maps a group to (status, when); ``confirmed`` is the owner's tap."""

    msgid: str
    owner: str
    chats: tuple[str, ...]
    text: str
    created: float
    sent: dict[str, tuple[int, float]] = field(default_factory=dict)
    confirmed: bool = False
    cancelled: bool = False
    reminded: list[float] = field(default_factory=list)
