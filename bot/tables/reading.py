"""CSV, XLSX and JSON lines → rows of text cells."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bot.tables.decoding import decoded
from bot.tables.faults import TableFault, raise_all
from bot.tables.workbook import workbook_rows

__all__ = ["LONGEST_FILE", "TableFault", "read_table", "unescaped"]

LONGEST_FILE = 50 * 1024 * 1024
"""Bytes. A district's largest table has some ten thousand rows, one hundredth of this."""
LONGEST_CELL = 10_000_000
"""Characters; the csv module's own limit of 131,072 is shorter than a file may hold."""
ESCAPED = "=+-@\t\r'＝＋－＠"
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection); ``'`` itself
is escaped too, so that reading gives back exactly what was written."""
SEPARATOR = ";"

Row = dict[str, str]


def read_table(path: Path) -> list[Row]:
    """The rows of a table file by its ending. A blank row between others stays, all empty.

    So the row at index ``i`` is row ``i + 2`` of a CSV or XLSX file, line ``i + 1`` of a JSONL.
    Lists are joined with ``;``, numbers lose a zero fraction, dates are in ISO form, truth is
    ``是`` and ``否``.

    Raises:
        TableFault: the file cannot be read; nothing is guessed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise TableFault("unknown_format", path.suffix)
    try:
        size = path.stat().st_size
        if size > LONGEST_FILE:
            raise TableFault("too_big", str(LONGEST_FILE // 1024 // 1024))
        if not size:
            raise TableFault("empty_file")
        rows = reader(path)
    except OSError as error:
        raise TableFault("missing_file", path.name) from error
    while rows and not any(rows[-1].values()):
        rows.pop()
    return rows


def unescaped(cell: str) -> str:
    """The cell without the apostrophe that ``write_table`` has put before it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in ESCAPED else cell


def _csv(path: Path) -> list[Row]:
    text = decoded(path.read_bytes())
    csv.field_size_limit(LONGEST_CELL)
    lines: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), strict=True):
            lines.append([unescaped(cell) for cell in record])  # noqa: PERF401 - the fault counts
    except csv.Error as error:
        raise TableFault("bad_csv", str(error), len(lines) + 1) from error
    return _by_header(lines)


def _xlsx(path: Path) -> list[Row]:
    return _by_header(workbook_rows(path))


def _by_header(lines: Iterable[list[str]]) -> list[Row]:
    """Rows by the names in the first line."""
    records = iter(lines)
    header = [name.strip() for name in next(records, [])]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise TableFault("empty_file")
    faults = [TableFault("nameless_column", str(at), 1) for at, n in enumerate(header, 1) if not n]
    double = dict.fromkeys(name for name in header if name and header.count(name) > 1)
    faults += [TableFault("double_column", name, 1) for name in double]
    rows: list[Row] = []
    for number, cells in enumerate(records, start=2):
        if any(cell.strip() for cell in cells[len(header) :]):
            faults.append(TableFault("too_many_cells", str(len(header)), number))
        padded = cells[: len(header)] + [""] * (len(header) - len(cells))
        rows.append(dict(zip(header, padded, strict=True)))
    raise_all(faults)
    return rows


def _jsonl(path: Path) -> list[Row]:
    rows: list[Row] = []
    faults: list[TableFault] = []
    for number, line in enumerate(decoded(path.read_bytes()).split("\n"), start=1):
        try:
            rows.append(_object(line, number) if line.strip() else {})
        except TableFault as fault:
            faults.append(fault)
    raise_all(faults)
    return rows


def _object(line: str, number: int) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TableFault("bad_json", row=number) from error
    if not isinstance(value, dict):
        raise TableFault("not_an_object", row=number)
    return {name.strip(): _cell(name, one, number) for name, one in value.items()}


def _cell(name: str, value: object, number: int) -> str:
    if isinstance(value, list):
        parts = [_scalar(name, part, number) for part in value]
        if any(SEPARATOR in part for part in parts):
            raise TableFault("separator_in_list", name, number)
        return SEPARATOR.join(parts)
    return _scalar(name, value, number)


def _scalar(name: str, value: object, number: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else str(value)
    raise TableFault("nested_value", name, number)


_READERS: Mapping[str, Callable[[Path], list[Row]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
}
