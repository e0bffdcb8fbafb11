"""Statutory holidays and make-up days 调休, handed on as plain data.

Source: the yearly notices of the State Council's office, as kept by ``chinesecalendar``. What it
does not know yet, a district enters itself (table ``days``).
"""

from chinese_calendar.constants import holidays, workdays

from matrix.triage.calendar import Holidays


def load_holidays() -> Holidays:
    """Every day that differs from its weekday by law, and the years that are complete."""
    days = {**dict.fromkeys(holidays, False), **dict.fromkeys(workdays, True)}
    return Holidays(days=days, years=frozenset(day.year for day in holidays))
