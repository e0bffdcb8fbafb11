"""Of which instant a message's words speak, so that a repeat is known by them."""

from datetime import UTC, datetime, timedelta

from bot.doubts import written
from bot.platforms.telegram.limits import LIMITS as TELEGRAM
from bot.platforms.wecom.limits import LIMITS as WECOM

MADE = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


def test_words_stay_the_same_while_wecom_knows_a_repeat_by_them() -> None:
    assert WECOM.key_lasts is not None
    for minutes in (0, 1, 59, 149, 169):
        assert written(MADE, MADE + timedelta(minutes=minutes), WECOM) == MADE
    late = MADE + timedelta(hours=3)
    assert written(MADE, late, WECOM) == late, "what has waited for long speaks of now"


def test_elsewhere_words_are_those_of_the_moment() -> None:
    now = MADE + timedelta(minutes=1)
    assert written(MADE, now, TELEGRAM) == now
