"""Pure reading: a callback's fields become an Inbound and a file to fetch, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from matrix.core.conversation import Inbound

PLATFORM = "wecom"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file as it lies at WeCom: by media id, or encrypted at ``url`` under ``aes_key``."""

    media_id: str = ""
    url: str = ""
    aes_key: str = ""
    name: str = ""


class Heard(NamedTuple):
    """What a callback says, before its files are fetched; the card that was pressed."""

    inbound: Inbound
    files: tuple[RemoteFile, ...] = ()
    task: str = ""
    code: str = ""


_ENDINGS = {"image": "jpg", "voice": "amr", "video": "mp4", "shortvideo": "mp4"}


# What tells a repeat of one event from another event: there is no message id.
_EVENT_KEY = ("FromUserName", "CreateTime", "Event", "EventKey", "TaskId", "ResponseCode")


def hear(fields: Mapping[str, Any], entity_id: str, at: datetime) -> Heard | None:
    """Read the fields of a decrypted callback; None for what is of no use here.

    Raises TypeError for a field of the wrong shape.
    """
    sender, kind = _text(fields, "FromUserName"), _text(fields, "MsgType")
    if not sender:
        return None
    key = _text(fields, "MsgId") or "|".join(_text(fields, name) for name in _EVENT_KEY)
    same: dict[str, Any] = {
        "id": entity_id, "platform": PLATFORM, "message_id": key, "external": sender,
        "chat": sender, "received_at": at,
    }  # fmt: skip
    if kind == "event":
        return _event(fields, same)
    if kind == "text":
        return Heard(Inbound(**same, text=_text(fields, "Content")))
    if kind == "link":
        parts = [_text(fields, name) for name in ("Title", "Description", "Url")]
        return Heard(Inbound(**same, text="\n".join(filter(None, parts)), forwarded=True))
    if kind in _ENDINGS or kind == "file":
        return Heard(Inbound(**same), (_media(fields, kind),))
    return None


def _event(fields: Mapping[str, Any], same: dict[str, Any]) -> Heard | None:
    """A button of a card; other events (menu, entering) say nothing."""
    token = _text(fields, "EventKey")
    if _text(fields, "Event") != "template_card_event" or not token:
        return None
    inbound = Inbound(**same, kind="button", token=token)
    return Heard(inbound, (), _text(fields, "TaskId"), _text(fields, "ResponseCode"))


def _media(fields: Mapping[str, Any], kind: str) -> RemoteFile:
    media = _text(fields, "MediaId")
    named = _text(fields, "Title") or _text(fields, "FileName")
    return RemoteFile(media_id=media, name=named or f"{media[:32]}.{_ENDINGS.get(kind, 'bin')}")


def _text(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name) or ""
    if not isinstance(found, str):
        raise TypeError(name)
    return found
