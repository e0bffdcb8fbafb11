"""How many unasked messages a person's doings allow."""

from datetime import UTC, datetime, timedelta

from bot.platforms.wechat_official.allowance import EVENT, MESSAGE, Allowances

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


def test_five_for_a_message_and_none_after_48_hours() -> None:
    one = Allowances()
    one.granted("o1", MESSAGE, NOW)
    assert [one.take("o1", NOW) for _ in range(6)] == [True] * 5 + [False]
    one.granted("o1", MESSAGE, NOW)
    assert not one.take("o1", NOW + timedelta(hours=48))


def test_what_was_surely_not_used_is_given_back() -> None:
    one = Allowances()
    one.granted("o1", MESSAGE, NOW)
    for _ in range(20):
        assert one.take("o1", NOW)
        one.give_back("o1", NOW)
    assert [one.take("o1", NOW) for _ in range(6)] == [True] * 5 + [False]


def test_nothing_is_given_back_where_the_platform_has_closed_the_window() -> None:
    one = Allowances()
    one.granted("o1", EVENT, NOW)
    assert one.take("o1", NOW)
    one.closed("o1")
    one.give_back("o1", NOW)
    assert not one.take("o1", NOW)
    one.give_back("nobody", NOW)
    assert one.take("nobody", NOW), "of whom nothing is known the platform counts"
