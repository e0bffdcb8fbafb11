"""What Telegram takes, each number with its source."""

import html
import re

from bot.channel import Doubt, Limits, Markup

# UTF-16 units of a text after its entities are parsed.
# Source: https://core.telegram.org/bots/api#sendmessage (1-4096 after entities parsing) and
# https://core.telegram.org/api/entities#entity-length (the unit).
TEXT = 4096

# Messages to one chat per second, to all chats per second, to one group per minute. The last
# holds for groups only: the desk in a private chat needs more in a busy minute.
# Source: https://core.telegram.org/bots/faq (on hitting limits).
CHAT_PER_SECOND = 1
PER_SECOND = 30
CHAT_PER_MINUTE = 20

# Bytes a bot may download. Source: https://core.telegram.org/bots/api#getfile ("20 MB in size").
DOWNLOAD = 20 * 1024 * 1024

# Bytes we are willing to keep of one file; the project's own cap on every platform.
KEEP = 10 * 1024 * 1024

# Columns (a Chinese character has two) of a label that still shares a phone's row with another.
SHORT_LABEL = 16

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def measure(text: str) -> int:
    """Length of an escaped HTML text as Telegram counts it: no tags, UTF-16 units."""
    visible = html.unescape(_TAG.sub("", text))
    return len(visible.encode("utf-16-le", "surrogatepass")) // 2


def is_group(address: str) -> bool:
    """Groups and channels have negative numbers or public names."""
    return address.startswith(("-", "@"))


LIMITS = Limits(
    text=TEXT,
    measure=measure,
    markup=Markup.HTML,
    buttons=True,
    # Bots cannot read a chat's history and sending knows no idempotency key.
    doubt=Doubt.HOLD,
    edits=True,
    per_second=PER_SECOND,
    chat_per_second=CHAT_PER_SECOND,
    chat_per_minute=CHAT_PER_MINUTE,
    crowded=is_group,
)
