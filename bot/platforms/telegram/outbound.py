"""Pure writing: buttons as Telegram's keyboard, and the form of a remote id."""

import unicodedata
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.channel import Press
from bot.platforms.telegram.limits import SHORT_LABEL
from matrix.core.errors import DeliveryError


def keyboard(buttons: Sequence[Press]) -> InlineKeyboardMarkup | None:
    """Two short labels share a row, a long one has its own; order is kept."""
    rows: list[list[InlineKeyboardButton]] = []
    room = False
    for press in buttons:
        button = InlineKeyboardButton(press.label, callback_data=press.token)
        short = columns(press.label) <= SHORT_LABEL
        if room and short:
            rows[-1].append(button)
        else:
            rows.append([button])
        room = short and len(rows[-1]) == 1
    return InlineKeyboardMarkup(rows) if rows else None


def columns(label: str) -> int:
    """Width on screen: a wide character takes two columns."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in label)


def remote_id(message: Message) -> str:
    """``chat:message``, with the chat's number even where it was addressed by name."""
    return f"{message.chat.id}:{message.message_id}"


def split_remote_id(remote: str) -> tuple[str, int]:
    """The chat and the message of a remote id. Raises DeliveryError for anything else."""
    chat, _, number = remote.rpartition(":")
    if not chat or not number.isdecimal():
        raise DeliveryError("bad_remote_id", permanent=True)
    return chat, int(number)
