"""What Telegram's JSON looks like and what its server refuses. Pure; the server is bot_api.py."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

TEXT_LIMIT = 4096
_TAGS = re.compile(
    "a|b|blockquote|code|del|em|i|ins|pre|s|span|strike|strong|tg-emoji|tg-spoiler|u"
)
_ENTITY = re.compile(r"(?P<mention>@\w{3,})|(?P<bot_command>/[a-z0-9_]+(?:@\w{3,})?)", re.ASCII)


class RefusedError(Exception):
    """The server's answer is an error."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        return answer | ({"parameters": self.parameters} if self.parameters else {})


@dataclass
class Fault:
    """A scripted failure; ``garbage`` is the body of a 200, ``times`` -1 lasts until mended.

    ``after`` lets the call take effect first: only its answer is spoiled. Files are fetched by
    the method ``download``.
    """

    method: str = "*"
    status: int = 0
    description: str = ""
    retry_after: int = 0
    garbage: str = ""
    drop: bool = False
    delay: float = 0
    after: bool = False
    times: int = 1
    chat_id: str = ""

    def meets(self, method: str, params: dict[str, str]) -> bool:
        right = self.method in ("*", method) and self.chat_id in ("", params.get("chat_id", ""))
        return right and self.times != 0


@dataclass
class Sent:
    """A message of the bot. ``text`` as it came (HTML), ``plain`` as people see it."""

    chat_id: int
    message_id: int
    address: str
    text: str
    plain: str
    buttons: list[list[dict[str, str]]]
    preview: bool = True
    edits: list[str] = field(default_factory=list)

    @property
    def remote(self) -> str:
        return f"{self.chat_id}:{self.message_id}"

    @property
    def labels(self) -> list[list[str]]:
        return [[button["text"] for button in row] for row in self.buttons]


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.plain, self.stack = "", []

    def handle_starttag(self, tag, attrs):
        if not _TAGS.fullmatch(tag):
            raise RefusedError(
                400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"'
            )
        self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            raise RefusedError(400, "Bad Request: can't parse entities: Unmatched end tag")

    def handle_data(self, data):
        self.plain += data


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def visible(text: str, parse_mode: str) -> str:
    """The text after its entities, or RefusedError as the server would."""
    plain = text
    if parse_mode.upper() == "HTML":
        parser = _Html()
        parser.feed(text)
        parser.close()
        if parser.stack:
            raise RefusedError(400, "Bad Request: can't parse entities: Can't find end tag")
        plain = parser.plain
    if not plain.strip():
        raise RefusedError(400, "Bad Request: message text is empty")
    if units(plain) > TEXT_LIMIT:
        raise RefusedError(400, "Bad Request: message is too long")
    return plain


def buttons(markup: str) -> list[list[dict[str, str]]]:
    rows = json.loads(markup)["inline_keyboard"] if markup else []
    if any(len(row) > 8 for row in rows) or sum(map(len, rows)) > 100:
        raise RefusedError(400, "Bad Request: reply markup is too long")
    if not all(1 <= len(b["callback_data"].encode()) <= 64 for row in rows for b in row):
        raise RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def user(user_id: int, name: str = "") -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": name or f"user{user_id}"}


def chat(chat_id: int) -> dict[str, Any]:
    if chat_id > 0:
        return {"id": chat_id, "type": "private", "first_name": f"user{chat_id}"}
    return {"id": chat_id, "type": "supergroup", "title": f"group{chat_id}"}


def entities(text: str) -> list[dict[str, Any]]:
    """Mentions and commands, with offsets in UTF-16 units as Telegram counts."""
    return [
        {
            "type": found.lastgroup,
            "offset": units(text[: found.start()]),
            "length": units(found.group()),
        }
        for found in _ENTITY.finditer(text)
    ]


def worded(text: str, *, caption: bool = False) -> dict[str, Any]:
    """Text or caption with its entities."""
    marks = entities(text)
    prefix = "caption" if caption else "text"
    words = {prefix: text} if text else {}
    return words | ({"caption_entities" if caption else "entities": marks} if marks else {})


def origin(name: str, date: int) -> dict[str, Any]:
    return {"type": "user", "date": date, "sender_user": user(777, name)}


def media(kind: str, file_id: str, size: int, name: str) -> dict[str, Any]:
    base = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": size}
    if kind == "photo":
        small = base | {"file_id": f"{file_id}-small", "file_unique_id": f"s{file_id}"}
        return {"photo": [small | {"width": 90, "height": 90}, base | {"width": 9, "height": 9}]}
    if kind == "voice":
        return {"voice": base | {"duration": 1, "mime_type": "audio/ogg"}}
    return {"document": base | {"file_name": name}}
