"""Chinese and Arabic numerals read as one."""

import re
from decimal import Decimal

__all__ = ["RUN", "fold_numbers", "numeral"]

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
# A run of numeral characters: Arabic digits may lead and carry a large unit (1.5万).
RUN = re.compile(
    r"\d{1,40}(?:,\d{3})*(?:\.\d{1,20})?[十百千万亿]{0,3}|[〇零一二三四五六七八九十两][〇零一二三四五六七八九十百千万亿两]{0,30}"
)
# Longer strings of digits are numbers of telephones and papers, not quantities.
_QUANTITY_DIGITS = 12


def fold_numbers(text: str) -> str:
    """The text with every numeral in Arabic digits: 三十 and 30, 1.5万 and 15000 become equal."""
    return RUN.sub(lambda match: numeral(match.group()), text)


def numeral(run: str) -> str:
    """The canonical digits of one run matched by `RUN`."""
    if run[0].isdecimal():
        return _arabic(run)
    if all(character in _DIGITS for character in run):
        return "".join(str(_DIGITS[character]) for character in run)
    return str(_chinese(run))


def _arabic(run: str) -> str:
    digits = run.rstrip("十百千万亿")
    units = run[len(digits) :]
    plain = digits.replace(",", "")
    if not units and ("." not in plain or len(plain) > _QUANTITY_DIGITS):
        return plain
    value = Decimal(plain)
    for unit in units:
        value *= _SMALL.get(unit) or _LARGE[unit]
    return _plain(value)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _chinese(run: str) -> int:
    total = section = digit = 0
    for character in run:
        if character in _DIGITS:
            digit = digit * 10 + _DIGITS[character]
        elif character in _SMALL:
            section += (digit or (1 if section == 0 else 0)) * _SMALL[character]
            digit = 0
        elif character == "亿":
            total = (total + section + digit) * _LARGE[character]
            section = digit = 0
        else:
            total += (section + digit) * _LARGE[character]
            section = digit = 0
    return total + section + digit
