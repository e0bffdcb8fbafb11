"""What WeCom takes, each number with its source (developer.work.weixin.qq.com/document/path/N)."""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Bytes of a text message; what is longer is cut without an error. Source: path/90236, 2026-11.
TEXT = 2048

# Messages of one application to one member; the excess is dropped without an error.
# Source: path/90236 (30 a minute, 1000 an hour). The bot's conversations: the same (unconfirmed).
# A message may be a text and a card, so half as many; 900 of them an hour stay below the other.
PER_MINUTE = 30 // 2

# Buttons of a template card; characters of its title and its second text, beyond which a phone
# shows an ellipsis. Source: path/90236 (≤ 6; "建议不超过 36 个字" and, by the SDK of the bot, 112).
BUTTONS = 6
TITLE = 36
SUBTITLE = 112
LABEL = 20

# A response code is good once, for so long. Source: path/94945 (72 hours; older copies say 24).
CODE_LASTS = timedelta(hours=72)

# Seconds during which an identical request is dropped; between three and four hours, and for each
# message another number, so that two messages with the same words differ (path/90236: identical
# request, default 1800 s; that it may be 4 h is unconfirmed).
REPEAT_FROM = 10_800
REPEAT_SPREAD = 3_600
# Half an hour less, for the pause before a last try and for clocks that differ.
_KEY_LASTS = timedelta(seconds=REPEAT_FROM) - timedelta(minutes=30)

# Bytes we are willing to keep of one file; the project's own cap on every platform.
KEEP = 10 * 1024 * 1024

# Members in one message. Source: path/90236.
RECEIVERS = 1000

# An address is a member's id, or one of the bot's conversations.
ALONE = "bot:"
GROUP = "group:"


def measure(text: str) -> int:
    """Bytes in UTF-8: a Chinese character has three."""
    return len(text.encode("utf-8", "surrogatepass"))


def by_bot(address: str) -> bool:
    """Conversations of the bot take no key: a repeat would be said twice."""
    return address.startswith((ALONE, GROUP))


LIMITS = Limits(
    text=TEXT,
    measure=measure,
    markup=Markup.PLAIN,
    buttons=True,
    # A text is dropped when it comes again, a card's task_id is refused when it was there.
    doubt=Doubt.KEY,
    keyless=by_bot,
    key_lasts=_KEY_LASTS,
    edits=True,
    chat_per_minute=PER_MINUTE,
    crowded=bool,
)
