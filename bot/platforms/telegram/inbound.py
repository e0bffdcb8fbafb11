"""Pure reading: a Telegram update becomes an Inbound, or nothing. No network, no clock.

Who wrote a forwarded or quoted message is never read: it is nobody's business here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from telegram import CallbackQuery, ChatMemberUpdated, Message, MessageEntity, Update, User
from telegram.constants import ChatMemberStatus, ChatType

from matrix.core.conversation import Inbound

PLATFORM = "telegram"

# The update types asked for; all others never reach us.
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

_GROUPS = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
_OUTSIDE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.BANNED})
_INSIDE = frozenset({ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR})
# The type is the library's own: its lists are of optional names.
_ADDRESSING: list[str | None] = [
    MessageEntity.MENTION,
    MessageEntity.TEXT_MENTION,
    MessageEntity.BOT_COMMAND,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot's own account; ``username`` without the @."""

    id: int
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file as it lies at Telegram; ``size`` in bytes, 0 when Telegram does not say."""

    file_id: str
    name: str
    size: int


class Heard(NamedTuple):
    """What an update says, before its file is fetched."""

    inbound: Inbound
    file: RemoteFile | None = None


def hear(update: Update, *, me: Me, entity_id: str, at: datetime) -> Heard | None:
    """Read one update; None for what this project has no use for.

    ``message_id`` is the same for every repetition of an update: ``m:chat:message`` for
    messages, ``e:chat:message:edited at`` for edits, ``c:query`` for buttons, ``j:chat:update``
    for joining a group.
    """
    if update.callback_query is not None:
        return _press(update.callback_query, entity_id, at)
    if update.my_chat_member is not None:
        return _joined(update.my_chat_member, update.update_id, entity_id, at)
    message = update.message or update.edited_message
    if message is None:
        return None
    return _message(message, me, entity_id, at)


def _message(message: Message, me: Me, entity_id: str, at: datetime) -> Heard | None:
    sender = message.from_user
    # An anonymous administrator or a channel speaks as a chat: all of them share one user
    # number, which must never become a person's identity.
    if sender is None or message.sender_chat is not None:
        return None
    in_group = message.chat.type in _GROUPS
    mentioned = in_group and _addressed(message, me)
    # Pictures that pass by in a group are not ours to keep unless somebody hands them to us.
    file = _file(message, me, in_group=in_group) if mentioned or not in_group else None
    text = message.text or message.caption or ""
    # A sticker, a place, a poll: nothing to keep, but whoever sent it alone is told so.
    unknown = not in_group and message.effective_attachment is not None
    if not text and file is None and not unknown:
        return None
    original = f"m:{message.chat.id}:{message.message_id}"
    edited = _edit_stamp(message)
    inbound = Inbound(
        id=entity_id,
        platform=PLATFORM,
        message_id=f"e:{message.chat.id}:{message.message_id}:{edited}" if edited else original,
        external=str(sender.id),
        chat=str(message.chat.id),
        kind="edit" if edited else "text",
        text=text,
        quoted=_quoted(message, me) if in_group else "",
        mentioned=mentioned,
        in_group=in_group,
        forwarded=message.forward_origin is not None,
        media_group=message.media_group_id or "",
        sender_name=sender.full_name,
        edits=original if edited else "",
        received_at=at,
    )
    return Heard(inbound, file)


def _press(query: CallbackQuery, entity_id: str, at: datetime) -> Heard | None:
    if not query.data:
        return None
    chat = query.message.chat if query.message is not None else None
    inbound = Inbound(
        id=entity_id,
        platform=PLATFORM,
        message_id=f"c:{query.id}",
        external=str(query.from_user.id),
        chat=str(chat.id if chat is not None else query.from_user.id),
        kind="button",
        token=query.data,
        in_group=chat is not None and chat.type in _GROUPS,
        sender_name=query.from_user.full_name,
        received_at=at,
    )
    return Heard(inbound)


def _joined(
    change: ChatMemberUpdated, update_id: int, entity_id: str, at: datetime
) -> Heard | None:
    entered = change.old_chat_member.status in _OUTSIDE and change.new_chat_member.status in _INSIDE
    if change.chat.type not in _GROUPS or not entered:
        return None
    inbound = Inbound(
        id=entity_id,
        platform=PLATFORM,
        message_id=f"j:{change.chat.id}:{update_id}",
        external=str(change.from_user.id),
        chat=str(change.chat.id),
        kind="joined",
        in_group=True,
        sender_name=change.from_user.full_name,
        received_at=at,
    )
    return Heard(inbound)


def _edit_stamp(message: Message) -> int:
    return int(message.edit_date.timestamp()) if message.edit_date else 0


def _by_me(user: User | None, me: Me) -> bool:
    return user is not None and user.id == me.id


def _addressed(message: Message, me: Me) -> bool:
    """Whether the bot is called by name or one of its messages is answered."""
    if message.reply_to_message and _by_me(message.reply_to_message.from_user, me):
        return True
    # Entity offsets count UTF-16 units; the library's parser does the conversion.
    found = message.parse_entities(_ADDRESSING) if message.text else {}
    found = found or (message.parse_caption_entities(_ADDRESSING) if message.caption else {})
    return any(_names(entity, text, me) for entity, text in found.items())


def _names(entity: MessageEntity, text: str, me: Me) -> bool:
    if entity.type == MessageEntity.TEXT_MENTION:
        return _by_me(entity.user, me)
    _, at, name = text.partition("@")
    return bool(at) and bool(me.username) and name.casefold() == me.username.casefold()


def _quoted(message: Message, me: Me) -> str:
    """The quoted text; empty for the bot's own words, which are no lead of anybody's."""
    quoted = message.reply_to_message
    if quoted is None:
        # A quotation from another chat carries only the part that was marked.
        return message.quote.text if message.quote is not None else ""
    if _by_me(quoted.from_user, me):
        return ""
    return quoted.text or quoted.caption or ""


def _file(message: Message, me: Me, *, in_group: bool) -> RemoteFile | None:
    """The message's file; in a group also the file of the message it quotes."""
    own = _remote(message)
    quoted = message.reply_to_message
    if own is not None or not in_group or quoted is None or _by_me(quoted.from_user, me):
        return own
    return _remote(quoted)


def _remote(message: Message) -> RemoteFile | None:
    if message.photo:
        largest = message.photo[-1]
        return RemoteFile(
            file_id=largest.file_id,
            name=f"{largest.file_unique_id}.jpg",
            size=largest.file_size or 0,
        )
    if message.voice:
        voice = message.voice
        return RemoteFile(
            file_id=voice.file_id, name=f"{voice.file_unique_id}.ogg", size=voice.file_size or 0
        )
    return _named_file(message)


def _named_file(message: Message) -> RemoteFile | None:
    media = message.document or message.video or message.audio
    if media is None:
        return None
    return RemoteFile(
        file_id=media.file_id,
        name=media.file_name or media.file_unique_id,
        size=media.file_size or 0,
    )
