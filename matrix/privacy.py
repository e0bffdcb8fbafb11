"""Masks for wide view: telephone and identity numbers, checked by their checksums."""

import re

_MOBILE = re.compile(r"(?<![0-9])(1[3-9][0-9])[ -]?([0-9]{4})[ -]?([0-9]{4})(?![0-9])")
_LANDLINE = re.compile(r"(?<![0-9])(0[0-9]{2,3})-([0-9]{3,4})([0-9]{4})(?![0-9])")
_IDENTITY = re.compile(r"(?<![0-9])([0-9]{6})([0-9]{8})([0-9]{3}[0-9Xx])(?![0-9Xx])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def valid_identity(number: str) -> bool:
    """Whether 18 characters are a resident identity number. Source: GB 11643-1999."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == number[17].upper()


def _hide_identity(found: re.Match[str]) -> str:
    whole = found.group(0)
    return f"{found.group(1)}********{whole[-4:]}" if valid_identity(whole) else whole


def mask(text: str) -> str:
    """The text with personal numbers masked; a bank number that fails the checksum stays."""
    text = _IDENTITY.sub(_hide_identity, text)
    text = _MOBILE.sub(r"\1****\3", text)
    return _LANDLINE.sub(r"\1-****\3", text)
