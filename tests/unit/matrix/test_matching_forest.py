"""Trees say what they were written to say."""

import math

import pytest

from config.matching import load_model
from matrix.matching.caution import Caution
from matrix.matching.forest import Forest, Tree

STUMP = Tree(feature=[0, -1, -1], number=[0.5, 2.0, -2.0], right=[2, 0, 0])
DEEPER = Tree(feature=[1, 0, -1, -1, -1], number=[3.0, 0.1, 1.0, 4.0, -1.0], right=[4, 3, 0, 0, 0])


def share(total):
    return 1 / (1 + math.exp(-total))


def test_rows_walk_each_tree_to_its_leaf():
    forest = Forest(["a", "b"], [STUMP, DEEPER])
    rows = [{"a": 0.0, "b": 3.0}, {"a": 0.5, "b": 2.0}, {"a": 0.6, "b": 9.0, "more": 1.0}]
    assert forest.likelihoods(rows) == pytest.approx([share(3.0), share(6.0), share(-3.0)])
    assert forest.likelihoods([]) == []


def test_a_row_without_a_figure_is_refused():
    with pytest.raises(KeyError):
        Forest(["a", "b"], [STUMP]).likelihoods([{"a": 1.0}])


@pytest.mark.parametrize(
    "tree",
    [
        Tree(feature=[2, -1, -1], number=[0, 0, 0], right=[2, 0, 0]),
        Tree(feature=[0, -1, -1], number=[0, 0, 0], right=[9, 0, 0]),
        Tree(feature=[0, -1, -1], number=[0, 0, 0], right=[0, 0, 0]),
        Tree(feature=[0], number=[0], right=[0]),
        Tree(feature=[], number=[], right=[]),
    ],
)
def test_a_tree_that_leads_nowhere_is_refused(tree):
    with pytest.raises(ValueError, match="tree"):
        Forest(["a", "b"], [tree])


def test_the_shipped_model_names_its_maker():
    model = load_model()
    assert model.version.startswith("trees-")
    assert len(set(model.forest.names)) == len(model.forest.names)


def test_more_caution_asks_for_more():
    careful, standard, eager = Caution.CAREFUL, Caution.STANDARD, Caution.EAGER
    assert careful.score > standard.score > eager.score
    assert standard.score == pytest.approx(100 * standard.cost / (standard.cost + 1))
