"""How long what is done with is kept, as data."""

import tomllib
from pathlib import Path

DEFAULT = Path(__file__).parent / "retention.toml"


def read_retention(path: Path = DEFAULT) -> dict[str, int]:
    """Days by kind, 0 for ever. Raises ValueError for what is no number of days."""
    days: dict[str, int] = tomllib.loads(path.read_text(encoding="utf-8"))["days"]
    for kind, number in days.items():
        if not isinstance(number, int) or number < 0:
            raise ValueError(f"retention of {kind}: {number!r} is no number of days")
    return days
