"""What a custom bot of Feishu takes, and what its error codes mean.

Source: open.feishu.cn, 自定义机器人使用指南 (2026-11).
"""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Bytes of a whole request (20 KB); what is left for the text beside the envelope and its escapes.
TEXT = 15_000
# Messages of one bot per minute and per second.
PER_MINUTE = 100
PER_SECOND = 5

# 11232: too often, also at full and half hours when all the world sends. Everything else is for
# good: 19001 (address), 19021 (signature or time), 19022 (IP), 19024 (key word), 9499 (request).
PAUSES = {11232: timedelta(minutes=1)}


def measure(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


LIMITS = Limits(
    text=TEXT, measure=measure, markup=Markup.PLAIN, buttons=False, doubt=Doubt.HOLD,
    chat_per_second=PER_SECOND, chat_per_minute=PER_MINUTE, crowded=bool,
)  # fmt: skip
