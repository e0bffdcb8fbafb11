"""A trained model, evaluated: a sum of small decision trees."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forest", "Tree"]

_LEAF: Final = -1
_MOST_LEAVES: Final = 64
_ALL: Final = np.uint64(2**64 - 1)
_ONE: Final = np.uint64(1)


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
    the leaves on its left; the first leaf of a tree that nothing rules out is the row's.
    Source: Lucchese et al., QuickScorer, SIGIR 2015.
    """

    def __init__(self, names: Sequence[str], trees: Sequence[Tree]) -> None:
        """Lay the trees side by side.

        Raises:
            ValueError: a node that asks for an unknown figure or leads out of its tree, or a tree
                of more than 64 leaves.
        """
        questions: list[_Question] = []
        leaves: list[float] = []
        starts, firsts = [], []
        for tree in trees:
            _check(tree, len(names))
            starts.append(len(questions))
            firsts.append(len(leaves))
            asked, counts = _taken_apart(tree)
            questions += asked
            leaves += counts
        self.names: Final = tuple(names)
        self._feature = np.array([one.feature for one in questions], dtype=np.int64)
        self._bound = np.array([[one.bound] for one in questions], dtype=np.float64)
        self._left_out = np.array([[one.left_out] for one in questions], dtype=np.uint64)
        self._starts = np.array(starts, dtype=np.int64)
        self._firsts = np.array(firsts, dtype=np.int64)[:, None]
        self._leaves = np.array(leaves, dtype=np.float64)

    def likelihoods(self, rows: Sequence[Mapping[str, float]]) -> list[float]:
        """Between 0 and 1 for each row; a row must have every name, and may have others.

        Raises:
            KeyError: a figure that the model asks for is missing.
        """
        if not rows:
            return []
        table = np.array([[row[name] for row in rows] for name in self.names], dtype=np.float64)
        left = table[self._feature] <= self._bound
        open_leaves = np.bitwise_and.reduceat(
            np.where(left, _ALL, self._left_out), self._starts, axis=0
        )
        lowest = open_leaves & (~open_leaves + _ONE)
        at = np.frexp(lowest.astype(np.float64))[1] - 1 + self._firsts
        totals: NDArray[np.float64] = np.ascontiguousarray(self._leaves[at].T).sum(axis=1)
        return [float(one) for one in 1 / (1 + np.exp(-totals))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """``left_out``: a bit for each leaf that stays possible when the answer is "right"."""

    feature: int
    bound: float
    left_out: int


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
                _Question(
                    feature=feature, bound=tree.number[node], left_out=int(_ALL) ^ below ^ before
                )
            )
    # A tree of one leaf asks what is always answered "left".
    never = _Question(feature=0, bound=math.inf, left_out=int(_ALL))
    return questions or [never], [tree.number[node] for node in leaves]


def _check(tree: Tree, names: int) -> None:
    nodes = len(tree.feature)
    for node, (feature, right) in enumerate(zip(tree.feature, tree.right, strict=True)):
        if feature != _LEAF and not (0 <= feature < names and node + 1 < right < nodes):
            raise ValueError(f"node {node} leads out of its tree")
    if not nodes or tree.feature[-1] != _LEAF or len(tree.number) != nodes:
        raise ValueError("a tree without an end")
