"""The body of `piyao match`: two files of JSON lines in, one out."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard

from rich.progress import track

from config.matching import load_model
from matrix.matching.batch import match_all
from matrix.matching.caution import Caution
from matrix.matching.gazetteer import Gazetteer
from matrix.matching.judge import Judge
from matrix.matching.verdicts import Candidate, Judgement, Reason
from storage.index.tantivy_index import TantivyIndex

__all__ = ["FaultyRowsError", "RowFault", "run_match"]

Row = dict[str, object]
RowFault = tuple[Path, int, str]
"""File, line number from 1, and the kind of fault.

Kinds: ``json``, ``object``, ``missing:KEY``, ``text:KEY`` (no string), ``empty:KEY``, ``double``
(an id seen before).
"""


class FaultyRowsError(ValueError):
    """Rows that cannot be used; ``faults`` in order of file and line."""

    def __init__(self, faults: list[RowFault]) -> None:
        super().__init__("; ".join(f"{path.name}:{line} {kind}" for path, line, kind in faults))
        self.faults = tuple(faults)


def run_match(
    library: Path,
    leads: Path,
    output: Path,
    reason_text: Callable[[Reason], str],
    caution: Caution = Caution.STANDARD,
    own: Gazetteer | None = None,
) -> int:
    """Judge every lead against the library; returns how many leads were written.

    Nothing is written unless all rows of both files are sound. The output appears at once,
    when it is complete.

    Raises:
        FaultyRowsError: rows that cannot be used.
        OSError: a file that cannot be read or written.
    """
    faults: list[RowFault] = []
    claims = [
        Candidate(id=_text(row, "id"), title=_text(row, "title"), rebuttal=_text(row, "rebuttal"))
        for row in _rows(library, ("id", "title"), ("rebuttal",), faults)
    ]
    asked = [
        (_text(row, "id"), _text(row, "text")) for row in _rows(leads, ("id", "text"), (), faults)
    ]
    if faults:
        raise FaultyRowsError(faults)
    part = output.with_name(output.name + ".part")
    judge = Judge(own or Gazetteer((), {}), load_model(), caution)
    with TantivyIndex() as index, part.open("w", encoding="utf-8") as lines:
        shown = track(asked, disable=not sys.stderr.isatty(), description="")
        for name, judgement in match_all(claims, shown, index, judge):
            lines.write(json.dumps(_written(name, judgement, reason_text), ensure_ascii=False))
            lines.write("\n")
    part.replace(output)
    return len(asked)


def _written(name: str, judgement: Judgement, reason_text: Callable[[Reason], str]) -> Row:
    candidates = [
        {
            "id": one.id,
            "score": round(one.score, 1),
            "reasons": [reason_text(reason) for reason in one.reasons],
        }
        for one in judgement.candidates
    ]
    return {"id": name, "decision": judgement.decision.value, "candidates": candidates}


def _rows(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...], faults: list[RowFault]
) -> Iterator[Row]:
    """Sound rows of a file; what is wrong with the others goes to ``faults``."""
    seen: set[object] = set()
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            row = _parsed(line)
            fault = _fault(row, required, optional)
            if fault is None and _is_row(row):
                fault = "double" if row["id"] in seen else None
                seen.add(row["id"])
                if fault is None:
                    yield row
            if fault is not None:
                faults.append((path, number, fault))


def _parsed(line: str) -> object:
    """The value of a line, or the fault's name as a bare exception value."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as fault:
        return fault


def _fault(row: object, required: tuple[str, ...], optional: tuple[str, ...]) -> str | None:
    if isinstance(row, Exception):
        return "json"
    if not _is_row(row):
        return "object"
    for key in required:
        if key not in row:
            return f"missing:{key}"
        if not isinstance(row[key], str):
            return f"text:{key}"
    if not _text(row, "id").strip():
        return "empty:id"
    wrong = (key for key in optional if not isinstance(row.get(key) or "", str))
    return next((f"text:{key}" for key in wrong), None)


def _is_row(value: object) -> TypeGuard[Row]:
    return isinstance(value, dict)


def _text(row: Row, key: str) -> str:
    value = row.get(key) or ""
    return value if isinstance(value, str) else ""
