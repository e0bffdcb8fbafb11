"""Rows of text cells → CSV, XLSX and JSON lines; reading gives back exactly what was written."""

import csv
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from bot.tables.faults import TableFault
from bot.tables.reading import ESCAPED, SEPARATOR
from bot.tables.workbook import write_workbook

__all__ = ["write_table"]

Rows = Iterable[Mapping[str, str]]


def write_table(path: Path, header: Sequence[str], rows: Rows, lists: Collection[str] = ()) -> None:
    """Write a table by the path's ending; the file appears at once, when it is complete.

    CSV is UTF-8 with a mark, for spreadsheets; cells that begin like a formula get an
    apostrophe. XLSX has text cells only. In JSONL the columns of ``lists`` become lists.

    Raises:
        TableFault: ``unknown_format``, or a cell that XLSX cannot hold.
        OSError: the folder cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        match path.suffix.lower():
            case ".csv":
                _csv(part, header, rows)
            case ".xlsx":
                write_workbook(part, header, _cells(header, rows))
            case ".jsonl":
                _jsonl(part, header, rows, lists)
            case other:
                raise TableFault("unknown_format", other)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _cells(header: Sequence[str], rows: Rows) -> Iterable[list[str]]:
    return ([row.get(name, "") for name in header] for row in rows)


def _csv(path: Path, header: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(header)
        writer.writerows([_escaped(cell) for cell in row] for row in _cells(header, rows))


def _escaped(cell: str) -> str:
    return f"'{cell}" if cell[:1] and cell[0] in ESCAPED else cell


def _jsonl(path: Path, header: Sequence[str], rows: Rows, lists: Collection[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for row in rows:
            value: dict[str, object] = {name: row.get(name, "") for name in header}
            for name in lists:
                cell = row.get(name, "")
                value[name] = cell.split(SEPARATOR) if cell else []
            lines.write(json.dumps(value, ensure_ascii=False) + "\n")
