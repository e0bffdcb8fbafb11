"""What a robot of a WeCom group takes (path/99110), and what its error codes mean."""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Bytes of a text. Source: path/99110.
TEXT = 2048
# Messages of one robot per minute. Source: path/99110 (unconfirmed in its present form).
PER_MINUTE = 20

# Too often: a minute. 93000 (invalid address), 40058 (text too long) and all others: for good.
PAUSES = {45009: timedelta(minutes=1), 45033: timedelta(minutes=1)}


def measure(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


LIMITS = Limits(
    text=TEXT, measure=measure, markup=Markup.PLAIN, buttons=False, doubt=Doubt.HOLD,
    chat_per_minute=PER_MINUTE, crowded=bool,
)  # fmt: skip
