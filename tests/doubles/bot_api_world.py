"""Telegram as one bot sees it: people, chats, messages, updates. No HTTP; see bot_api.py."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.doubles import bot_api_wire as wire
from tests.doubles.bot_api_wire import RefusedError, Sent

TOKEN = "123456:TEST-token_x"
DOWNLOAD = 20 * 1024 * 1024
CHANNELS = -1_009_000_000_000


class World:
    """What people do comes in by ``push_…`` and ``press``; what the bot did is kept."""

    def __init__(self, token: str = TOKEN, record: str = "") -> None:
        self.token, self.record = token, record
        self.me = {"id": 123456, "is_bot": True, "first_name": "Piyao", "username": "piyao_bot"}
        self.messages: list[Sent] = []
        self.answered: list[str] = []
        self.updates: list[dict[str, Any]] = []
        self.confirmed = 0
        self.webhook: dict[str, str] = {}
        self.files: dict[str, tuple[bytes, int]] = {}
        self._queries: set[str] = set()
        self._channels: dict[str, int] = {}
        self._number = 0
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], object], seconds: float = 10) -> None:
        """Wait until it holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                await self._changed.wait()

    def _pulse(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _next(self) -> int:
        self._number += 1
        return self._number

    # ---- what people do

    def push(self, **fields: Any) -> dict[str, Any]:
        """Queue a raw update; returns it."""
        update = {"update_id": 1000 + self._next(), **fields}
        self.updates.append(update)
        self._pulse()
        return update

    def _message(self, user_id: int, chat_id: int | None, **fields: Any) -> dict[str, Any]:
        name, forwarded = fields.pop("name", ""), fields.pop("forwarded_from", "")
        quoted = fields.pop("reply_to", None)
        if isinstance(quoted, Sent):
            quoted = self._wire(quoted)
        now = int(time.time())
        extra = {"reply_to_message": quoted} if quoted else {}
        extra |= {"forward_origin": wire.origin(forwarded, now)} if forwarded else {}
        sender = {"from": wire.user(user_id, name), "chat": wire.chat(chat_id or user_id)}
        return {"message_id": self._next(), "date": now, **sender, **extra, **fields}

    def push_text(
        self, user_id: int, text: str, chat_id: int | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Somebody writes. Also ``name``, ``reply_to``, ``forwarded_from``; returns the message."""
        message = self._message(user_id, chat_id, **wire.worded(text), **fields)
        self.push(message=message)
        return message

    def push_edit(self, message: dict[str, Any], text: str) -> dict[str, Any]:
        edited = message | wire.worded(text) | {"edit_date": message["date"] + 5}
        self.push(edited_message=edited)
        return edited

    def push_file(
        self, user_id: int, data: bytes | str, kind: str = "document", **fields: Any
    ) -> dict[str, Any]:
        """Kinds photo, voice, document; ``data`` as base64 where it is text; ``size`` may lie."""
        content = base64.b64decode(data) if isinstance(data, str) else data
        size, file_id = fields.pop("size", len(content)), f"f{self._next()}"
        name, chat_id = fields.pop("file_name", "a.bin"), fields.pop("chat_id", None)
        self.files[file_id] = (content, size)
        fields |= wire.worded(fields.pop("caption", ""), caption=True)
        fields |= wire.media(kind, file_id, size, name)
        message = self._message(user_id, chat_id, **fields)
        self.push(message=message)
        return message

    def push_photo(self, user_id: int, data: bytes | str, **fields: Any) -> dict[str, Any]:
        return self.push_file(user_id, data, "photo", **fields)

    def push_joined(self, user_id: int, chat_id: int) -> dict[str, Any]:
        """Somebody adds the bot to a group."""
        old, new = ({"user": self.me, "status": status} for status in ("left", "member"))
        change = {"chat": wire.chat(chat_id), "from": wire.user(user_id), "date": int(time.time())}
        return self.push(my_chat_member=change | {"old_chat_member": old, "new_chat_member": new})

    def press(self, user_id: int, message: Sent | str, label: str) -> dict[str, Any]:
        """Somebody presses the button with this label; ``message`` may be its remote id."""
        remote = message if isinstance(message, str) else message.remote
        sent = self._sent(*remote.rpartition(":")[::2])
        data = {b["text"]: b["callback_data"] for row in sent.buttons for b in row}[label]
        query = {"id": f"q{self._next()}", "from": wire.user(user_id), "chat_instance": "1"}
        self._queries.add(query["id"])
        return self.push(callback_query=query | {"message": self._wire(sent), "data": data})

    # ---- what the bot does

    def _wire(self, sent: Sent) -> dict[str, Any]:
        keyboard = {"reply_markup": {"inline_keyboard": sent.buttons}} if sent.buttons else {}
        place = {"id": sent.chat_id, "type": "channel", "title": sent.address}
        if not sent.address.startswith("@"):
            place = wire.chat(sent.chat_id)
        head = {"message_id": sent.message_id, "date": int(time.time()), "from": self.me}
        return {**head, "chat": place, "text": sent.plain, **keyboard}

    def _chat(self, address: str) -> int:
        if address.startswith("@"):
            return self._channels.setdefault(address, CHANNELS - len(self._channels))
        if not address.lstrip("-").isdecimal():
            raise RefusedError(400, "Bad Request: chat not found")
        return int(address)

    def _sent(self, chat: str, message_id: str) -> Sent:
        for sent in self.messages:
            if (str(sent.chat_id), str(sent.message_id)) == (str(self._chat(chat)), message_id):
                return sent
        raise RefusedError(400, "Bad Request: message to edit not found")

    def _log(self, event: str, **fields: Any) -> None:
        if self.record:
            with Path(self.record).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")

    def _send_message(self, params: dict[str, str]) -> dict[str, Any]:
        address, text = params.get("chat_id", ""), params.get("text", "")
        sent = Sent(
            chat_id=self._chat(address),
            message_id=self._next(),
            address=address,
            text=text,
            plain=wire.visible(text, params.get("parse_mode", "")),
            buttons=wire.buttons(params.get("reply_markup", "")),
            preview=not json.loads(params.get("link_preview_options", "{}")).get("is_disabled"),
        )
        self.messages.append(sent)
        self._log("send", **asdict(sent))
        return self._wire(sent)

    def _edit_message_text(self, params: dict[str, str]) -> dict[str, Any]:
        sent = self._sent(params.get("chat_id", ""), params.get("message_id", ""))
        text, rows = params.get("text", ""), wire.buttons(params.get("reply_markup", ""))
        plain = wire.visible(text, params.get("parse_mode", ""))
        if (text, rows) == (sent.text, sent.buttons):
            raise RefusedError(400, "Bad Request: message is not modified: new content is the same")
        sent.edits.append(sent.text)
        sent.text, sent.plain, sent.buttons = text, plain, rows
        self._log("edit", **asdict(sent))
        return self._wire(sent) | {"edit_date": int(time.time())}

    def _answer_callback_query(self, params: dict[str, str]) -> bool:
        query = params.get("callback_query_id", "")
        if query not in self._queries:
            raise RefusedError(400, "Bad Request: query is too old or query ID is invalid")
        self.answered.append(query)
        self._log("answer", query=query)
        return True

    def _set_webhook(self, params: dict[str, str]) -> bool:
        self.webhook = dict(params)
        return True

    def _delete_webhook(self, params: dict[str, str]) -> bool:
        self.webhook = {}
        return True

    def _get_file(self, params: dict[str, str]) -> dict[str, Any]:
        file_id = params.get("file_id", "")
        if file_id not in self.files:
            raise RefusedError(
                400, "Bad Request: wrong file_id or the file is temporarily unavailable"
            )
        content, size = self.files[file_id]
        if max(size, len(content)) > DOWNLOAD:
            raise RefusedError(400, "Bad Request: file is too big")
        named = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_path": file_id}
        return named | {"file_size": size}
