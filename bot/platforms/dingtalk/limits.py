"""What a custom robot of DingTalk takes, and what its error codes mean.

Source: open.dingtalk.com, 自定义机器人接入 and 机器人错误码 (2026-11).
"""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Bytes of a text: not documented for text; the body as a whole has a cap of 20,000 (unconfirmed).
TEXT = 15_000
# Messages of one robot per minute; over it the robot is muted for ten minutes.
PER_MINUTE = 20
MUTED = timedelta(minutes=10)

# 130101 and 410100: too fast, muted. Everything else is for good: 300001 (no such token),
# 310000 (signature, key word or address not accepted), 400013 (group dissolved), 400101 (token
# does not exist), 400102 (robot stopped), 430101 to 430104 (content refused).
PAUSES = {130101: MUTED, 410100: MUTED, -1: timedelta(seconds=30)}


def measure(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


LIMITS = Limits(
    text=TEXT, measure=measure, markup=Markup.PLAIN, buttons=False, doubt=Doubt.HOLD,
    chat_per_minute=PER_MINUTE, crowded=bool,
)  # fmt: skip
