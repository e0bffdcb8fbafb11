"""The trained model as shipped: ``model.json``, written by ``benchmarks/train_matcher.py``."""

import json
from functools import cache
from pathlib import Path

from matrix.matching.forest import Forest, Tree
from matrix.matching.judge import Model

__all__ = ["FILE", "load_model"]

FILE = Path(__file__).parent / "model.json"


@cache
def load_model() -> Model:
    """The model.

    Raises:
        ValueError, KeyError: a file that was changed by hand and does not fit any more.
    """
    raw = json.loads(FILE.read_text(encoding="utf-8"))
    trees = [
        Tree(feature=feature, number=number, right=right) for feature, number, right in raw["trees"]
    ]
    return Model(version=raw["version"], forest=Forest(raw["figures"], trees))
