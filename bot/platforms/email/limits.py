"""What we send by e-mail: our own caps, for servers differ."""

from bot.channel import Doubt, Limits, Markup

# Characters of a letter; a bulletin has far fewer.
TEXT = 100_000
# Characters of a subject: what a phone shows.
SUBJECT = 78
# Letters per minute through one server: ours, below what public providers allow.
PER_MINUTE = 30
# Seconds for each step.
PATIENCE = 20.0

LIMITS = Limits(
    text=TEXT, measure=len, markup=Markup.PLAIN, buttons=False,
    # A Message-ID makes repeats alike, but no server promises to drop the second.
    doubt=Doubt.HOLD,
    per_minute=PER_MINUTE,
)  # fmt: skip
