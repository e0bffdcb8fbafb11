"""Days as people type them."""

from datetime import UTC, datetime

import pytest

from handlers.publishing.dates import in_days, parse_day
from matrix.core.errors import Refusal
from matrix.triage.calendar import LOCAL

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", "2026-12-31 23:59"),
        ("2027年1月5日", "2027-01-05 23:59"),
        ("12 月 31 日", "2026-12-31 23:59"),
        ("12-31", "2026-12-31 23:59"),
        ("就到 12/31 吧", "2026-12-31 23:59"),
        ("11月9日", "2026-11-09 23:59"),
        ("1月15日", "2027-01-15 23:59"),
    ],
)
def test_a_day_ends_in_beijing(text: str, day: str) -> None:
    assert parse_day(text, NOW).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M") == day


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2026-11-08", "date_past"),
        ("11 月 8 日", "date_past"),
        ("6月1日", "date_past"),
        ("2 月 30 日", "no_date"),
        ("下周", "no_date"),
        ("", "no_date"),
    ],
)
def test_what_is_no_day_or_is_over_is_refused(text: str, key: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_day(text, NOW)
    assert refused.value.key == key


def test_days_from_now_end_with_their_day() -> None:
    late = datetime(2026, 11, 9, 17, 0, tzinfo=UTC)
    assert in_days(late, 7).astimezone(LOCAL).strftime("%m-%d %H:%M:%S") == "11-17 23:59:59"
