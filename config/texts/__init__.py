"""The catalogue: every sentence a user reads."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "zh_CN"

Catalogue = Mapping[str, Mapping[str, object]]


@cache
def load_texts() -> Catalogue:
    """Table → key → text. Raises ValueError where a key is defined twice."""
    merged: dict[str, dict[str, object]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for table, rows in tomllib.loads(path.read_text(encoding="utf-8")).items():
            known = merged.setdefault(table, {})
            twice = known.keys() & rows.keys()
            if twice:
                raise ValueError(f"{path.name}: defined twice in [{table}]: {sorted(twice)}")
            known.update(rows)
    return merged


def words(catalogue: Catalogue, actions: Mapping[str, object]) -> dict[str, str]:
    """Typed word → action. Raises ValueError for a word that names two actions."""
    by_key = {name.replace(".", "_"): name for name in actions}
    found: dict[str, str] = {}
    for key, several in catalogue.get("word", {}).items():
        if not isinstance(several, list):
            raise TypeError(f"[word] {key} is no list")
        for word in several:
            if word.lower() in found:
                raise ValueError(f"the word {word} names two actions")
            found[word.lower()] = by_key[key]
    return found
