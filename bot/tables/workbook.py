"""XLSX files: the only place that touches openpyxl."""

import warnings
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from bot.tables.faults import TableFault, raise_all

__all__ = ["LONGEST_CELL", "workbook_rows", "write_workbook"]

LONGEST_CELL = 32_767
"""Characters in one cell. Source: support.microsoft.com, Excel specifications and limits."""
LONGEST_UNPACKED = 500 * 1024 * 1024
"""Bytes of the unpacked parts: a small file can unpack to fill the memory."""


def workbook_rows(path: Path) -> list[list[str]]:
    """The first sheet, row by row, as text. Formulas stay the text that was typed.

    Raises:
        TableFault: ``bad_workbook``, ``too_big``, ``error_cell``.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > LONGEST_UNPACKED:
                raise TableFault("too_big", str(LONGEST_UNPACKED // 1024 // 1024))
        with warnings.catch_warnings():
            # openpyxl warns of styles and validations that it drops; cells are all we want.
            warnings.simplefilter("ignore")
            return _rows(path)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        raise TableFault("bad_workbook") from error


def _rows(path: Path) -> list[list[str]]:
    book = load_workbook(path, read_only=True)
    try:
        if not book.worksheets:
            raise TableFault("bad_workbook")
        sheet = book.worksheets[0]
        # Some programs write a wrong size of the sheet; openpyxl would believe it.
        sheet.reset_dimensions()
        faults: list[TableFault] = []
        rows: list[list[str]] = []
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            rows.append([_text(cell.value) for cell in cells])
            faults += [
                TableFault("error_cell", str(cell.value), number)
                for cell in cells
                if cell.data_type == "e"
            ]
        raise_all(faults)
    finally:
        book.close()
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
    return str(value)


def write_workbook(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """One sheet with text cells only, whatever they begin with.

    Raises:
        TableFault: ``cell_too_long`` or ``control_character``, which the format cannot hold.
    """
    table = [list(header), *(list(row) for row in rows)]
    for number, row in enumerate(table, start=1):
        for text in row:
            _check(text, number)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("1")
    for row in table:
        sheet.append([_cell(sheet, text) for text in row])
    book.save(path)


def _check(text: str, number: int) -> None:
    if len(text) > LONGEST_CELL:
        raise TableFault("cell_too_long", str(LONGEST_CELL), number)
    if ILLEGAL_CHARACTERS_RE.search(text):
        raise TableFault("control_character", row=number)


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    # Else a leading "=" would make it a formula, and "@" keeps digits from becoming numbers.
    cell.data_type = "s"
    cell.number_format = "@"
    return cell
