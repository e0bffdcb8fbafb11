"""Limits of a webhook: ours, since the endpoint is the district's own partner."""

from bot.channel import Doubt, Limits, Markup

LIMITS = Limits(
    text=20_000,
    measure=len,
    markup=Markup.PLAIN,
    buttons=False,
    # The endpoint is told to drop a key that it has seen; PIYAO_WEBHOOK_DOUBT where it does not.
    doubt=Doubt.KEY,
    per_second=200,
)
