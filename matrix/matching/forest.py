"""A trained model, evaluated: a sum of small decision trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forest", "Tree"]

_LEAF: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree, its nodes in the order in which they are met going left first.

    ``feature`` is an index into the model's names, or -1 at a leaf. A row whose figure is at most
    ``number`` goes on at the next node, any other at ``right``; at a leaf ``number`` counts.
    """

    feature: Sequence[int]
    number: Sequence[float]
    right: Sequence[int]

    def depth(self) -> int:
        """How many questions the longest way asks."""
        below = [0] * len(self.feature)
        for node in reversed(range(len(self.feature))):
            if self.feature[node] != _LEAF:
                below[node] = 1 + max(below[node + 1], below[self.right[node]])
        return below[0]


class Forest:
    """Trees over named figures, all walked at once. Equal rows give equal results."""

    def __init__(self, names: Sequence[str], trees: Sequence[Tree]) -> None:
        """Lay the trees side by side.

        Raises:
            ValueError: a node that asks for an unknown figure or leads out of its tree.
        """
        for tree in trees:
            _check(tree, len(names))
        sizes = [len(tree.feature) for tree in trees]
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        self.names: Final = tuple(names)
        self._roots = np.array(starts, dtype=np.int64)
        self._feature = np.array([one for tree in trees for one in tree.feature], dtype=np.int64)
        self._number = np.array([one for tree in trees for one in tree.number], dtype=np.float64)
        self._right = np.array(
            [s + one for tree, s in zip(trees, starts, strict=True) for one in tree.right],
            dtype=np.int64,
        )
        self._depth = max(tree.depth() for tree in trees)

    def likelihoods(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        """Between 0 and 1 for each row; a row must have every name, and may have others.

        Raises:
            KeyError: a figure that the model asks for is missing.
        """
        if not rows:
            return []
        table = np.array([[row[name] for name in self.names] for row in rows], dtype=np.float64)
        line = np.arange(len(rows))[:, None]
        at = np.tile(self._roots, (len(rows), 1))
        for _ in range(self._depth):
            feature = self._feature[at]
            below = np.where(table[line, feature] <= self._number[at], at + 1, self._right[at])
            at = np.where(feature == _LEAF, at, below)
        totals: NDArray[np.float64] = self._number[at].sum(axis=1)
        return [float(one) for one in 1 / (1 + np.exp(-totals))]


def _check(tree: Tree, names: int) -> None:
    nodes = len(tree.feature)
    for node, (feature, right) in enumerate(zip(tree.feature, tree.right, strict=True)):
        if feature != _LEAF and not (0 <= feature < names and node + 1 < right < nodes):
            raise ValueError(f"node {node} leads out of its tree")
    if not nodes or tree.feature[-1] != _LEAF or len(tree.number) != nodes:
        raise ValueError("a tree without an end")
