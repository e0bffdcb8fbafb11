"""Bytes of a text file to text: UTF-8 with or without a mark, or GB18030."""

import unicodedata

from bot.tables.faults import TableFault

__all__ = ["decoded"]

_SAMPLE = 100_000
"""Characters looked at for signs that the guess was wrong."""
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_TEXT_CONTROLS = frozenset("\t\n\r\f")


def decoded(data: bytes) -> str:
    """The text. Spreadsheets in Chinese Windows save CSV as GB18030, everything else as UTF-8.

    Raises:
        TableFault: ``binary``, or ``encoding`` with the line of the first bad byte.
    """
    if b"\0" in data[:_SAMPLE] or data.startswith(b"PK\x03\x04"):
        raise TableFault("binary")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if _damaged(data):
            raise TableFault("encoding", row=line) from error
        text = _gb18030(data)
    if any(_is_control(character) for character in text[:_SAMPLE]):
        raise TableFault("binary")
    return text


def _damaged(data: bytes) -> bool:
    """Whether it is UTF-8 with a few bad bytes: read as GB18030 it would be nonsense."""
    text = data[:_SAMPLE].decode("utf-8", errors="replace")
    bad = text.count(_REPLACED)
    good = sum(not character.isascii() for character in text) - bad
    return good > bad


def _gb18030(data: bytes) -> str:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableFault("encoding", row=line) from error
    for number, part in enumerate(text[:_SAMPLE].split("\n"), start=1):
        # Unassigned and private characters: other encodings give them, Chinese writing does not.
        if any(unicodedata.category(character) in {"Cn", "Co"} for character in part):
            raise TableFault("encoding", row=number)
    return text


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in _TEXT_CONTROLS
