"""Pure reading and writing of the bot's frames. Source: path/101463 and 100719, 2026-11.

Who wrote a quoted message is never read: it is nobody's business here.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.platforms.wecom.inbound import PLATFORM, Heard, RemoteFile
from bot.platforms.wecom.limits import ALONE, GROUP
from matrix.core.conversation import Inbound

SUBSCRIBE = "aibot_subscribe"
PING = "ping"
SEND = "aibot_send_msg"
UPDATE = "aibot_respond_update_msg"
MESSAGE = "aibot_msg_callback"
EVENT = "aibot_event_callback"
KICKED = "disconnected_event"

_CALLED = re.compile(r"^(?:@\S{1,64}[\s\u2005]+)+")
"""The bot's own name at the head of what is said to it in a group."""


def event_of(frame: Mapping[str, Any]) -> str:
    """The kind of an event; empty for all else."""
    body = frame.get("body")
    event = body.get("event") if isinstance(body, Mapping) else None
    return str(event.get("eventtype", "")) if isinstance(event, Mapping) else ""


def hear(frame: Mapping[str, Any], entity_id: str, at: datetime) -> Heard | None:
    """Read one pushed frame; None for what is of no use here.

    WeCom passes on only what is addressed to the bot: in a group that is the mention. Raises
    LookupError, TypeError, AttributeError or ValueError for a frame of the wrong shape.
    """
    body = frame["body"]
    sender, group = str(body["from"]["userid"]), str(body.get("chatid") or "")
    in_group = body.get("chattype") == "group"
    if not sender or (in_group and not group):
        return None
    same: dict[str, Any] = {
        "id": entity_id, "platform": PLATFORM, "message_id": f"bot:{body['msgid']}",
        "external": sender, "chat": f"{GROUP}{group}" if in_group else f"{ALONE}{sender}",
        "in_group": in_group, "mentioned": in_group, "received_at": at,
    }  # fmt: skip
    if frame.get("cmd") == EVENT:
        return _press(body, same, str(frame["headers"]["req_id"]))
    quote = body.get("quote") or {}
    text = "\n".join(_texts(body))
    if in_group:
        text = _CALLED.sub("", text)
    quoted = "\n".join(_texts(quote)) if quote else ""
    files = (*_files(body), *(_files(quote) if quote else ()))
    if not in_group and quoted:
        # Alone with the bot a quoted message is forwarded to it.
        text = "\n".join(filter(None, [quoted, text]))
    if not (text or quoted or files):
        return None
    inbound = Inbound(
        **same, text=text, quoted=quoted if in_group else "",
        forwarded=bool(quoted) and not in_group,
    )  # fmt: skip
    return Heard(inbound, files)


def _press(body: Mapping[str, Any], same: dict[str, Any], req_id: str) -> Heard | None:
    event = body["event"]
    if event.get("eventtype") != "template_card_event":
        return None
    # Nested in the documentation, flat in the SDK's types: both are read.
    inner = event.get("template_card_event") or event
    token = str(inner.get("event_key") or "")
    if not token:
        return None
    task = str(inner.get("task_id") or "")
    return Heard(Inbound(**same, kind="button", token=token), (), task, req_id)


def _texts(part: Mapping[str, Any]) -> Iterator[str]:
    kind = part["msgtype"]
    if kind in {"text", "voice"}:
        yield str(part[kind].get("content") or "")
    elif kind == "mixed":
        for item in part["mixed"]["msg_item"]:
            yield from _texts(item)


def _files(part: Mapping[str, Any]) -> tuple[RemoteFile, ...]:
    kind = part["msgtype"]
    if kind == "mixed":
        return tuple(one for item in part["mixed"]["msg_item"] for one in _files(item))
    if kind not in {"image", "file", "video"}:
        return ()
    ending = {"image": "jpg", "video": "mp4"}.get(kind, "bin")
    found = part[kind]
    url, key = str(found["url"]), str(found.get("aeskey") or "")
    return (RemoteFile(url=url, aes_key=key, name=f"{kind}.{ending}"),)


def subscribe(bot: str, secret: str) -> dict[str, Any]:
    """The body of the first frame."""
    return {"bot_id": bot, "secret": secret}


def said(address: str, text: str) -> dict[str, Any]:
    """The body of a pushed text; ``text`` is markdown."""
    chat = address.removeprefix(GROUP).removeprefix(ALONE)
    return {"chatid": chat, "msgtype": "markdown", "markdown": {"content": text}}


def carded(address: str, card: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a pushed card."""
    chat = address.removeprefix(GROUP).removeprefix(ALONE)
    return {"chatid": chat, "msgtype": "template_card", "template_card": dict(card)}
