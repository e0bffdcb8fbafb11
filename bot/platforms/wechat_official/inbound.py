"""Pure reading: the fields of a callback become an Inbound, a result, or nothing.

Who wrote what was forwarded never comes with it: an official account is told the sender only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.platforms.wechat_official.allowance import EVENT, MESSAGE
from matrix.core.conversation import Inbound

PLATFORM = "wechat_official"

# A scene of a QR code that was scanned while following comes with this before it.
_SCENE = "qrscene_"

# What a scene must begin with to be said for the person: an invitation, and nothing else.
INVITATION = "PY-"

# Results of what we have asked for; they move a post, not a conversation.
RESULTS = frozenset({"publishjobfinish", "masssendjobfinish"})

_MEDIA = {"image": "jpg", "voice": "amr", "video": "mp4", "shortvideo": "mp4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file as it lies at WeChat, for three days."""

    media_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a callback says.

    ``inbound`` is None where nobody speaks (an unfollow, a link of the menu). ``allows`` is what
    it allows us to send without being asked, ``left`` whether the person has unfollowed.
    """

    chat: str
    inbound: Inbound | None = None
    media: Media | None = None
    allows: tuple[int, timedelta] | None = None
    left: bool = False


def key_of(fields: Mapping[str, Any]) -> str:
    """The same for every try of one message: MsgId, else what an event consists of.

    Source: 接收普通消息 and 接收事件推送, official docs 2026-11.
    """
    if found := _text(fields, "MsgId"):
        return found
    names = ("FromUserName", "CreateTime", "Event", "EventKey")
    return "|".join(_text(fields, name) for name in names)


def hear(
    fields: Mapping[str, Any], *, channel: str, hello: str, entity_id: str, at: datetime
) -> Heard | None:
    """Read one callback; None for what this project has no use for.

    ``hello`` is the word that a new follower stands for.
    """
    openid, kind = _text(fields, "FromUserName"), _text(fields, "MsgType").lower()
    if not openid:
        return None
    if kind == "event":
        text, allows, left = _event(fields, hello)
    else:
        text, allows, left = _said(fields, kind), MESSAGE, False
    media = _media(fields, kind)
    if not text and media is None:
        return Heard(chat=openid, allows=allows, left=left) if allows or left else None
    inbound = Inbound(
        id=entity_id,
        platform=channel,
        message_id=key_of(fields),
        external=openid,
        chat=openid,
        text=text,
        # A card cannot be typed: who sends one passes on what they have seen.
        forwarded=kind == "link",
        received_at=at,
    )
    return Heard(chat=openid, inbound=inbound, media=media, allows=allows, left=left)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _said(fields: Mapping[str, Any], kind: str) -> str:
    match kind:
        case "text":
            return _text(fields, "Content")
        case "link":
            return "\n".join(
                filter(None, (_text(fields, n) for n in ("Title", "Description", "Url")))
            )
        case "location":
            return _text(fields, "Label")
        case "voice":
            # Being withdrawn by the platform: used only where it is there.
            return _text(fields, "Recognition")
        case _:
            return ""


def _media(fields: Mapping[str, Any], kind: str) -> Media | None:
    media_id = _text(fields, "MediaId")
    if kind not in _MEDIA or not media_id or (kind == "voice" and _text(fields, "Recognition")):
        return None
    return Media(media_id=media_id, name=f"{kind}.{_MEDIA[kind]}")


def _event(fields: Mapping[str, Any], hello: str) -> tuple[str, tuple[int, timedelta] | None, bool]:
    """What is said by it, what it allows, whether the person has left."""
    key = _text(fields, "EventKey")
    match _text(fields, "Event").lower():
        case "subscribe" | "scan":
            scene = key.removeprefix(_SCENE)
            return scene if scene.startswith(INVITATION) else hello, EVENT, False
        case "click":
            return key, EVENT, False
        case "unsubscribe":
            return "", None, True
        case _:
            return "", None, False
