"""What ``statuses/share`` takes, and what its error codes mean.

Source: open.weibo.com (2026-11).
"""

from datetime import timedelta

from bot.channel import Doubt, Limits, Markup

# Characters of a status, the address counted as eleven. No #topic#, an address of the app's own
# domains is a must (10017).
STATUS = 140
ADDRESS = 11

# Too often, by address, account or application: an hour. The rates depend on the app's level.
# All others are for good: 10017 (domain), 21314 to 21332 (token), 20019 (same words again).
PAUSES = dict.fromkeys((10022, 10023, 10024, 20016), timedelta(hours=1))

LIMITS = Limits(
    # Cut by ourselves, so that nothing is ever split over two statuses.
    text=100_000, measure=len, markup=Markup.PLAIN, buttons=False, doubt=Doubt.HOLD,
)  # fmt: skip
