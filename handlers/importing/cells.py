"""Cells: text to value and back. What a cell cannot be is said by a code, never a sentence."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from matrix.core.case import Verdict
from matrix.triage.calendar import LOCAL

SEPARATOR = ";"
YES, NO = "是", "否"
VERDICTS: Mapping[str, Verdict] = {
    "不实": Verdict.FALSE,
    "部分属实": Verdict.PARTLY_TRUE,
    "夸大或移植": Verdict.EXAGGERATED,
}
"""Verdicts a published rebuttal can carry, in the words of the imported files."""
WEIGHTS = range(1, 6)
"""Weight of a keyword (domain §4)."""

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HANDLE = re.compile(r"[^\s;；,，]{1,64}")
_AREA = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_TIME = re.compile(r"([01]?[0-9]|2[0-4])[:：]([0-5][0-9])")
_URL = re.compile(r"https?://[^\s/]+\S*")
_SPLIT = re.compile(r"[;；]")
_LAST_SECOND = time(23, 59, 59)
_ALLOWED_CONTROL = frozenset("\n\t")

Parse = Callable[[str], Any]
Render = Callable[[Any], str]


class CellFault(ValueError):
    """A cell cannot be taken. ``code`` names the sentence, ``detail`` is what it quotes."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def text(cell: str) -> str:
    """Any text; outer blanks go, line ends become line feeds. A formula is text."""
    value = cell.replace("\r\n", "\n").replace("\r", "\n").strip()
    for character in value:
        if unicodedata.category(character) == "Cc" and character not in _ALLOWED_CONTROL:
            raise CellFault("control_character", f"U+{ord(character):04X}")
    return value


def plain(value: object) -> str:
    """Text out."""
    return str(value)


def code(cell: str) -> str:
    """A code of letters, digits, ``_``, ``-`` and ``.``."""
    return _matching(_CODE, cell)


def handle(cell: str) -> str:
    """A person's handle: anything without blanks and separators."""
    return _matching(_HANDLE, cell)


def area_code(cell: str) -> str:
    """An administrative code of 6, 9 or 12 digits. Source: GB/T 2260, GB/T 10114."""
    return _matching(_AREA, cell)


def url(cell: str) -> str:
    """A web address."""
    value = cell.strip()
    if value and not _URL.fullmatch(value):
        raise CellFault("bad_url", value)
    return value


def date_text(cell: str) -> str:
    """An ISO date, kept as text; ``2026/3/5``, as spreadsheets write it, is one too."""
    found = _day(cell)
    return found.isoformat() if found else ""


def day_begins(cell: str) -> datetime | None:
    """00:00 in Beijing of that day."""
    return _instant(cell, time())


def day_ends(cell: str) -> datetime | None:
    """The last second of that day in Beijing, so that it is shown with its own date."""
    return _instant(cell, _LAST_SECOND)


def day_of(value: datetime | None) -> str:
    """The Beijing date of an instant."""
    return value.astimezone(LOCAL).date().isoformat() if value else ""


def mark(cell: str) -> bool:
    """``是``, or ``否`` or nothing."""
    value = cell.strip()
    if value not in {YES, NO, ""}:
        raise CellFault("unknown_value", value)
    return value == YES


def flag(value: object) -> str:
    """``是`` or nothing."""
    return YES if value else ""


def yes_no(value: object) -> str:
    """``是`` or ``否``."""
    return YES if value else NO


def number(cell: str) -> int:
    """A count, 0 when empty."""
    value = cell.strip()
    if not value:
        return 0
    if not (value.isascii() and value.isdigit()):
        raise CellFault("bad_number", value)
    return int(value)


def of_number(value: object) -> str:
    """A count; 0 is left empty."""
    return str(value) if value else ""


def choice(kind: type[StrEnum], *refused: StrEnum) -> Parse:
    """One of an enumeration's codes, but for the refused ones."""

    def parse(cell: str) -> StrEnum:
        value = cell.strip()
        if value not in {member.value for member in kind if member not in refused}:
            raise CellFault("unknown_value", value)
        return kind(value)

    return parse


def lead(cell: str) -> str:
    """The code of exactly one lead unit: two would mean that nobody answers."""
    if len(listed(text)(cell)) != 1:
        raise CellFault("one_lead_unit", cell.strip())
    return code(cell.strip(";； "))


def listed(parse: Parse) -> Parse:
    """Items between ``;`` in their order; empty and repeated ones are dropped."""

    def items(cell: str) -> tuple[Any, ...]:
        parts = (part.strip() for part in _SPLIT.split(cell))
        return tuple(dict.fromkeys(parse(part) for part in parts if part))

    return items


def joined(values: object) -> str:
    """A list out."""
    return SEPARATOR.join(str(value) for value in values) if isinstance(values, tuple) else ""


def moment(cell: str) -> str:
    """A time of day, ``HH:MM``; 24:00 is 00:00 of the next day. Midnight when empty."""
    value = cell.strip() or "00:00"
    found = _TIME.fullmatch(value)
    hour, minute = (int(found.group(1)), int(found.group(2))) if found else (99, 0)
    if hour * 60 + minute > 24 * 60:
        raise CellFault("bad_time", value)
    return f"{hour % 24:02}:{minute:02}"


def blocks(cell: str) -> tuple[tuple[str, str], ...]:
    """``09:00-12:00;13:30-17:30``."""
    found = []
    for item in listed(text)(cell):
        begin, dash, end = item.replace("—", "-").replace("–", "-").partition("-")
        if not (dash and begin.strip() and end.strip()):
            raise CellFault("bad_time", item)
        found.append((moment(begin), moment(end)))
    return tuple(found)


def spans(values: object) -> str:
    """Blocks out."""
    parts = values if isinstance(values, tuple) else ()
    return SEPARATOR.join(f"{begin}-{end}" for begin, end in parts)


def weekday(cell: str) -> int:
    """1 (Monday) to 7."""
    if cell not in {str(number) for number in range(1, 8)}:
        raise CellFault("unknown_value", cell)
    return int(cell)


def keywords(cell: str) -> tuple[tuple[str, int], ...]:
    """``word:weight;word:weight``, weights 1–5."""
    found: dict[str, int] = {}
    for item in listed(text)(cell):
        word, _, weight = item.replace("：", ":").rpartition(":")
        if not word.strip() or weight.strip() not in {str(one) for one in WEIGHTS}:
            raise CellFault("bad_keyword", item)
        found[word.strip()] = int(weight)
    return tuple(found.items())


def pairs(values: object) -> str:
    """Keywords out."""
    parts = values if isinstance(values, tuple) else ()
    return SEPARATOR.join(f"{word}:{weight}" for word, weight in parts)


def verdict(cell: str) -> Verdict:
    """A verdict in Chinese."""
    value = cell.strip()
    if value not in VERDICTS:
        raise CellFault("unknown_value", value)
    return VERDICTS[value]


def verdict_word(value: object) -> str:
    """A verdict out."""
    return next((word for word, known in VERDICTS.items() if known is value), "")


def _matching(pattern: re.Pattern[str], cell: str) -> str:
    value = cell.strip()
    if value and not pattern.fullmatch(value):
        raise CellFault("bad_code", value)
    return value


def _day(cell: str) -> date | None:
    value = cell.strip()
    if not value:
        return None
    found = _DAY.fullmatch(value)
    try:
        return date(*map(int, found.groups())) if found else _no_date(value)
    except ValueError:
        return _no_date(value)


def _no_date(value: str) -> date:
    raise CellFault("bad_date", value) from None


def _instant(cell: str, at: time) -> datetime | None:
    day = _day(cell)
    return datetime.combine(day, at, LOCAL).astimezone(UTC) if day else None
