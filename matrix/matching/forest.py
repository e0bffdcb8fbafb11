"""A trained model, evaluated: a sum of small decision trees."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forest", "Tree"]

_LEAF: Final = -1
_MOST_LEAVES: Final = 64
# Of the answers to one feature's questions: more bounds than this no feature has.
_ALWAYS_LEFT: Final = 2**16 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree, its nodes in the order in which they are met going left first.

    ``feature`` is an index into the model's names, or -1 at a leaf. A row whose figure is at most
    ``number`` goes on at the next node, any other at ``right``; at a leaf ``number`` counts.
    """

    feature: Sequence[int]
    number: Sequence[float]
    right: Sequence[int]


class Forest:
    """Trees over named figures. Equal rows give equal results.

    All questions of all trees are put to all rows at once. A question answered "right" rules out
    the leaves on its left; the first leaf of a tree that nothing rules out is the row's. Figures
    are compared by how many of their feature's bounds lie below them: small numbers, and exact.
    Source: Lucchese et al., QuickScorer, SIGIR 2015.
    """

    def __init__(self, names: Sequence[str], trees: Sequence[Tree]) -> None:
        """Lay the trees side by side.

        Raises:
            ValueError: a node that asks for an unknown figure or leads out of its tree, or a tree
                of more than 64 leaves.
        """
        taken = []
        for tree in trees:
            _check(tree, len(names))
            taken.append(_taken_apart(tree))
        self.names: Final = tuple(names)
        self._figures = _taker(self.names)
        self._bounds = _bounds([one for asked, _ in taken for one in asked], len(names))
        # One row of questions holds the nth of every tree; trees with fewer ask for nothing.
        most = max((len(asked) for asked, _ in taken), default=0)
        leaves = max((len(counts) for _, counts in taken), default=1)
        self._bits = np.uint32 if leaves <= _MOST_LEAVES // 2 else np.uint64
        self._feature = np.zeros((most, len(taken)), dtype=np.intp)
        self._rank = np.full((most, len(taken), 1), _ALWAYS_LEFT, dtype=np.uint16)
        self._ruled_out = np.zeros((most, len(taken), 1), dtype=self._bits)
        self._leaves = np.zeros(len(taken) * leaves, dtype=np.float64)
        self._firsts = np.arange(len(taken))[:, None] * leaves
        for at, (asked, counts) in enumerate(taken):
            self._leaves[at * leaves : at * leaves + len(counts)] = counts
            for nth, one in enumerate(asked):
                self._feature[nth, at] = one.feature
                self._rank[nth, at] = np.searchsorted(self._bounds[one.feature], one.bound)
                self._ruled_out[nth, at] = one.ruled_out

    def likelihoods(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        """Between 0 and 1 for each row; a row must have every name, and may have others.

        Raises:
            KeyError: a figure that the model asks for is missing.
        """
        return [float(one) for one in 1 / (1 + np.exp(-self._totals(rows)))]

    def _totals(self, rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        if not rows:
            return np.zeros(0)
        table = np.array(list(map(self._figures, rows)), dtype=np.float64)
        ranks = np.empty((len(self.names), len(rows)), dtype=np.uint16)
        for at, bounds in enumerate(self._bounds):
            ranks[at] = bounds.searchsorted(table[:, at])
        right = ranks[self._feature] > self._rank
        closed = np.bitwise_or.reduce(right * self._ruled_out, axis=0)
        lowest = ~closed & (closed + self._bits(1))
        at_leaf = np.frexp(lowest.astype(np.float64))[1] - 1 + self._firsts
        totals: NDArray[np.float64] = np.ascontiguousarray(self._leaves[at_leaf].T).sum(axis=1)
        return totals


def _taker(names: Sequence[str]) -> Callable[[Mapping[str, float]], tuple[float, ...]]:
    """Takes the named figures out of a row, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


def _bounds(questions: Sequence["_Question"], features: int) -> list[NDArray[np.float64]]:
    """What is asked of each feature, ascending and each once."""
    found: list[set[float]] = [set() for _ in range(features)]
    for one in questions:
        found[one.feature].add(one.bound)
    return [np.array(sorted(bounds), dtype=np.float64) for bounds in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """``ruled_out``: a bit for each leaf that is impossible when the answer is "right"."""

    feature: int
    bound: float
    ruled_out: int


def _taken_apart(tree: Tree) -> tuple[list[_Question], list[float]]:
    """Questions and leaves of a tree, its leaves numbered from the left."""
    leaves = [node for node, feature in enumerate(tree.feature) if feature == _LEAF]
    if len(leaves) > _MOST_LEAVES:
        raise ValueError(f"a tree of {len(leaves)} leaves")
    questions = []
    for node, feature in enumerate(tree.feature):
        if feature != _LEAF:
            below = (1 << bisect_left(leaves, tree.right[node])) - 1
            before = (1 << bisect_left(leaves, node)) - 1
            questions.append(
                _Question(feature=feature, bound=tree.number[node], ruled_out=below ^ before)
            )
    return questions, [tree.number[node] for node in leaves]


def _check(tree: Tree, names: int) -> None:
    nodes = len(tree.feature)
    for node, (feature, right) in enumerate(zip(tree.feature, tree.right, strict=True)):
        if feature != _LEAF and not (0 <= feature < names and node + 1 < right < nodes):
            raise ValueError(f"node {node} leads out of its tree")
    if not nodes or tree.feature[-1] != _LEAF or len(tree.number) != nodes:
        raise ValueError("a tree without an end")
