"""The clock table as data: read, and refused when the stages do not fit first publication."""

import re
import tomllib
from datetime import time, timedelta
from pathlib import Path

from matrix.core.case import Grade
from matrix.core.deadline import Stage
from matrix.triage.deadline import ClockTable, Length
from matrix.triage.relapse import Relapse

DEFAULT = Path(__file__).parent / "clocks.toml"
_LENGTH = re.compile(r"([0-9]+)([md])( W)?")


def parse_length(text: str) -> Length:
    """``"30m"``, ``"2d W"``. Raises ValueError."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ValueError(f"not a length: {text!r}")
    number, unit, working = int(found.group(1)), found.group(2), bool(found.group(3))
    if unit == "m":
        return Length(minutes=number, working=working)
    return Length(days=number, working=working)


def read_clocks(path: Path = DEFAULT) -> ClockTable:
    """The table. Raises ValueError for grades whose stages exceed first publication."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    begin, end = (time.fromisoformat(one) for one in raw["quiet"])
    table = ClockTable(
        lengths={
            Stage(stage): {Grade(grade): parse_length(text) for grade, text in row.items()}
            for stage, row in raw["lengths"].items()
        },
        quiet=(begin, end),
        morning=time.fromisoformat(raw["morning"]),
        same_day=frozenset(raw["same_day"]),
        relapse=Relapse(
            reports=raw["relapse"]["reports"],
            areas=raw["relapse"]["areas"],
            within=timedelta(minutes=raw["relapse"]["minutes"]),
        ),
    )
    if table.faults():
        raise ValueError(f"stages exceed first publication: {', '.join(table.faults())}")
    return table
