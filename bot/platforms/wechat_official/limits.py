"""What an official account takes, each number with its source."""

from bot.channel import Doubt, Limits, Markup

# Bytes of UTF-8 in a text message, as a reply and as a customer-service message alike.
# Source: shared reference platforms.md §9 (2048, unconfirmed): we stay a little below.
TEXT = 2040

# Bytes of an article's text that we write into it; with its tags it stays far below the limit.
# Source: shared reference platforms.md §9 (20 000 characters and 1 MB, unconfirmed).
ARTICLE = 40_000

# Characters of an article's title and digest. Source: 新增草稿, official docs 2026-11.
TITLE = 32
DIGEST = 120

# Seconds after which a message's request is answered with or without a reply; WeChat cuts the
# line after five. Source: 被动回复用户消息, official docs 2026-11.
REPLY_WITHIN = 4.0

# Seconds of those that a picture or voice may take to come from WeChat's own servers.
MEDIA_WITHIN = 3.0


def measure(text: str) -> int:
    """Length as WeChat counts it: bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


LIMITS = Limits(
    text=TEXT,
    measure=measure,
    markup=Markup.PLAIN,
    buttons=False,
    # Posts are read back; of a customer-service message nobody knows (``posted`` says so).
    doubt=Doubt.VERIFY,
    edits=False,
    bundles=True,
    post=ARTICLE,
)
