"""How a candidate stands among the others of the same query."""

from collections.abc import Sequence

__all__ = ["Features", "compare"]

Features = dict[str, float]
"""Figures by name; which of them count, and in what order, the model says."""

_COMPARED = (
    "cover", "shared", "window", "asked", "rank", "sentence", "order_claim", "whole", "singles",
    "balance",
)  # fmt: skip
# A candidate covered nearly as well competes.
_NEARLY = 0.9


def compare(rows: Sequence[Features], pairs: Sequence[frozenset[str]]) -> list[Features]:
    """Each row with its lead over the best other candidate, and how many are as good.

    ``pairs`` are those of each candidate's title: a rival that says nearly the same is no reason
    for doubt.
    """
    if not rows:
        return []
    leads = {name: _leads([row[name] for row in rows]) for name in _COMPARED}
    covers = [row["cover"] for row in rows]
    order = sorted(range(len(rows)), key=lambda at: -rows[at]["sentence"])[:2]
    return [
        {
            **row,
            **{f"{name}_lead": leads[name][at] for name in _COMPARED},
            "rivals": min(12, sum(other >= _NEARLY * row["cover"] for other in covers) - 1),
            "rival_alike": _alike(at, order, pairs),
        }
        for at, row in enumerate(rows)
    ]


def _leads(values: Sequence[float]) -> list[float]:
    ordered = sorted(values, reverse=True)
    best = ordered[0]
    second = ordered[1] if len(ordered) > 1 else 0.0
    return [value - (second if value == best else best) for value in values]


def _alike(at: int, order: Sequence[int], pairs: Sequence[frozenset[str]]) -> float:
    """How alike a candidate's title and that of the best other one are, 0 to 1."""
    rival = next((other for other in order if other != at), None)
    if rival is None:
        return 0.0
    both = len(pairs[at]) + len(pairs[rival])
    return 2 * len(pairs[at] & pairs[rival]) / both if both else 0.0
