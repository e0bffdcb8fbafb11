"""Train the model that `piyao match` and the chat decide by.

    pip install -e '.[train]' -c constraints.txt
    python benchmarks/train_matcher.py FOLDER [--output config/matching/model.json]

FOLDER holds ``claims.jsonl`` (``id``, ``title``, ``rebuttal``?) and ``queries.jsonl`` (``id``,
``text``, ``kind``, ``gold`` (claim ids), ``near``?, ``ignore``?). The same folder gives the same
file, byte for byte. Nothing of the texts enters it: it holds trees, bounds and figures.

What is learnt is whether query and candidate are one claim, from the figures that
`matrix.matching.features` lays side by side. Cross-fitting keeps all queries of one claim, and the
hard negatives made from it, in one fold.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.matcher_examples import (
    FOLDS,
    SEED,
    Data,
    Examples,
    Row,
    examples,
    folds_of,
    read,
)
from config.matching import FILE
from matrix.matching.batch import PROPOSED
from matrix.matching.caution import Caution
from matrix.matching.forest import Forest, Tree

# What a row of a part of the library weighs: the same queries come back in many of them.
OTHER_WEIGHT = 0.3
# A hard negative weighs as two others; three and more do not help.
HARD_WEIGHT = 2.0
# Of the candidates behind the first few one in so many is learnt from, and weighs as many.
NEAREST, ONE_IN = 8, 8
# Least likelihoods at which the curve is written down, to choose the levels by.
CURVE = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
TREES = 150
# Two boosters, averaged: one that sees most figures at each split ranks better, one that sees
# few decides better; together they waver less.
SEEN = (0.6, 0.3)
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 20,
    "max_depth": 6,
    "min_data_in_leaf": 40,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": SEED,
}


@dataclass(frozen=True)
class Table:
    """The examples as arrays, one entry per row."""

    figures: np.ndarray
    query: np.ndarray
    right: np.ndarray
    weight: np.ndarray
    ignored: np.ndarray
    held: np.ndarray
    same: np.ndarray
    whole: np.ndarray
    compared: np.ndarray


def table_of(data: Data, rows: Examples) -> Table:
    query = np.array(rows.query)
    gold = [frozenset(q["gold"]) for q in data.queries]
    ignore = [frozenset(q.get("ignore", ())) for q in data.queries]
    pairs = list(zip(rows.query, rows.claim, strict=True))
    right = np.array([claim in gold[at] for at, claim in pairs])
    ignored = np.array([claim in ignore[at] and claim not in gold[at] for at, claim in pairs])
    hard = np.array([q["kind"].startswith("hn_") for q in data.queries])[query]
    rebuttal = np.array([q["kind"].startswith("refutation") for q in data.queries])[query]
    whole = np.array(rows.library) == 0
    weight = np.where(hard, HARD_WEIGHT, 1.0) * np.where(whole, 1.0, OTHER_WEIGHT)
    far = (np.array(rows.place) >= NEAREST) & ~right
    drawn = np.random.default_rng(SEED).random(len(query)) < 1 / ONE_IN
    weight = np.where(far, np.where(drawn, ONE_IN * weight, 0.0), weight)
    weight[rebuttal | ignored] = 0
    return Table(
        figures=np.array(rows.figures), query=query, right=right, weight=weight,
        ignored=ignored, held=np.array(rows.held), same=np.array(rows.same), whole=whole,
        compared=np.array(rows.same) | (np.array(rows.place) < PROPOSED),
    )  # fmt: skip


def fit(table: Table, rows: np.ndarray) -> list[lightgbm.Booster]:
    rows = rows & (table.weight > 0)
    data = lightgbm.Dataset(
        table.figures[rows], table.right[rows], weight=table.weight[rows], params=PARAMETERS
    )
    return [lightgbm.train({**PARAMETERS, "feature_fraction": one}, data, TREES) for one in SEEN]


def predict(boosters: Sequence[lightgbm.Booster], figures: np.ndarray) -> np.ndarray:
    """The boosters' mean logit, before calibration."""
    return np.mean([one.predict(figures, raw_score=True) for one in boosters], axis=0)


# What the processes of the folds find when they are forked.
_shared: dict[str, Any] = {}


def _fold(fold: int) -> np.ndarray:
    table, folds = _shared["table"], _shared["folds"]
    held_out = folds[table.query] == fold
    likely = predict(fit(table, ~held_out), table.figures[held_out & table.whole])
    print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return likely


def cross_fitted(table: Table, folds: np.ndarray) -> np.ndarray:
    """The logit of each row of the whole library by a model that saw no query of its claim."""
    logit = np.zeros(len(table.query))
    _shared.update(table=table, folds=folds)
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        for fold, likely in enumerate(pool.map(_fold, range(FOLDS))):
            logit[(folds[table.query] == fold) & table.whole] = likely
    return logit


def ranked(table: Table, logit: np.ndarray) -> dict[int, list[int]]:
    """Rows of the whole library by query, likeliest first, as `Judge` would order them.

    Of those that a decision compares; how each stands is still told among all learnt from.
    """
    found: dict[int, list[int]] = {}
    for row in np.lexsort((-logit, ~table.same, table.query)):
        if table.whole[row] and table.compared[row] and not table.ignored[row]:
            found.setdefault(int(table.query[row]), []).append(int(row))
    return found


def calibration(
    data: Data, table: Table, order: dict[int, list[int]], logit: np.ndarray
) -> tuple[float, float]:
    """Slope and shift on the logit that make the best candidates' likelihoods true shares.

    Hard negatives weigh double in training, so likelihoods come out too low.
    """
    asked = [at for at in order if not data.queries[at]["kind"].startswith("refutation")]
    rows = np.array([order[at][0] for at in sorted(asked) if not table.same[order[at][0]]])
    logit, right = logit[rows], table.right[rows]
    slope, shift = 1.0, 0.0
    for _ in range(30):
        share = 1 / (1 + np.exp(-(slope * logit + shift)))
        weight = share * (1 - share)
        off = right - share
        gradient = np.array([(off * logit).sum(), off.sum()])
        mixed = (weight * logit).sum()
        curve = np.array([[(weight * logit**2).sum(), mixed], [mixed, weight.sum()]])
        step = np.linalg.solve(curve, gradient)
        slope, shift = slope + step[0], shift + step[1]
    return round(float(slope), 6), round(float(shift), 6)


def calibrated(logit: np.ndarray, slope: float, shift: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(slope * logit + shift)))


def measure(
    data: Data,
    table: Table,
    order: dict[int, list[int]],
    likelihood: np.ndarray,
    queries: set[int],
) -> dict[str, Any]:
    """The benchmark's figures on the whole library, as `Judge` would decide, per level."""
    asked = [at for at in sorted(queries) if not data.queries[at]["kind"].startswith("refutation")]
    positive = [at for at in asked if data.queries[at]["gold"]]
    hard = [at for at in asked if data.queries[at]["kind"].startswith("hn_")]
    nothing = [at for at in asked if not data.queries[at]["gold"] and at not in set(hard)]

    def hit(at: int, depth: int) -> bool:
        return any(table.right[row] for row in order.get(at, ())[:depth])

    def level(least: float) -> dict[str, float]:
        best = {at: order[at][0] for at in asked if at in order}
        answered = {
            at
            for at, row in best.items()
            if table.same[row] or (likelihood[row] >= least and not table.held[row])
        }
        true = sum(bool(table.right[best[at]]) for at in answered)
        return {
            "precision": round(true / max(1, len(answered)), 4),
            "recall": round(true / len(positive), 4),
            "false_hard": round(len(answered.intersection(hard)) / max(1, len(hard)), 4),
            "false_none": round(len(answered.intersection(nothing)) / max(1, len(nothing)), 4),
        }

    return {
        "R@1": round(sum(hit(at, 1) for at in positive) / len(positive), 4),
        "R@5": round(sum(hit(at, 5) for at in positive) / len(positive), 4),
        **{one.value: level(one.score / 100) for one in Caution},
        "curve": {share: level(share) for share in CURVE},
    }


def tree_of(node: Row, slope: float, shift: float) -> tuple[list[int], list[float], list[int]]:
    feature: list[int] = []
    number: list[float] = []
    right: list[int] = []

    def walk(one: Row) -> None:
        at = len(feature)
        leaf = "leaf_value" in one
        feature.append(-1 if leaf else one["split_feature"])
        # A bound in full: figures that equal it exactly are common.
        number.append(round(slope * one["leaf_value"] + shift, 7) if leaf else one["threshold"])
        right.append(0)
        if not leaf:
            walk(one["left_child"])
            right[at] = len(feature)
            walk(one["right_child"])

    walk(node)
    return feature, number, right


def trees_of(boosters: Sequence[lightgbm.Booster], slope: float, shift: float) -> list[str]:
    """One line a tree."""
    dumped = [tree["tree_structure"] for one in boosters for tree in one.dump_model()["tree_info"]]
    trees = [tree_of(tree, slope, 0.0 if at else shift) for at, tree in enumerate(dumped)]
    return [json.dumps(tree, separators=(",", ":")) for tree in trees]


def written(
    data: Data,
    names: list[str],
    boosters: Sequence[lightgbm.Booster],
    true: tuple[float, float],
    folds: Row,
) -> str:
    slope, shift = true
    lines = trees_of(boosters, slope / len(boosters), shift)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    provenance = {
        "by": "benchmarks/train_matcher.py",
        "lightgbm": lightgbm.__version__,
        "claims": len(data.claims),
        "queries": len(data.queries),
        "sha256": data.digest,
        "calibration": true,
        "cross_fitted": folds,
    }
    head = json.dumps(
        {"version": f"trees-3-{digest[:8]}", "provenance": provenance, "figures": names},
        ensure_ascii=False,
        indent=1,
    )
    return head[:-2] + ',\n "trees": [\n' + ",\n".join(lines) + "\n]}\n"


def check(
    text: str, table: Table, boosters: Sequence[lightgbm.Booster], true: tuple[float, float]
) -> None:
    """What is shipped must say what was trained."""
    raw = json.loads(text)
    forest = Forest(
        raw["figures"], [Tree(feature=f, number=n, right=r) for f, n, r in raw["trees"]]
    )
    some = table.figures[:: max(1, len(table.figures) // 2000)]
    rows = [dict(zip(raw["figures"], row, strict=True)) for row in some]
    apart = np.abs(
        np.array(forest.likelihoods(rows)) - calibrated(predict(boosters, some), *true)
    ).max()
    if apart > 1e-4:
        raise SystemExit(f"the written model differs from the trained one by {apart}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=FILE)
    given = parser.parse_args()
    data = read(given.folder)
    rows = examples(given.folder, data)
    table = table_of(data, rows)
    print(f"{len(table.query)} rows, {len(rows.names)} figures", file=sys.stderr)
    folds = np.array(folds_of(data.queries))
    logit = cross_fitted(table, folds)
    order = ranked(table, logit)
    true = calibration(data, table, order, logit)
    likelihood = calibrated(logit, *true)
    figures = measure(data, table, order, likelihood, set(range(len(data.queries))))
    figures["folds"] = [
        measure(data, table, order, likelihood, set(np.flatnonzero(folds == fold).tolist()))
        for fold in range(FOLDS)
    ]
    boosters = fit(table, np.ones(len(table.query), dtype=bool))
    text = written(data, rows.names, boosters, true, figures)
    check(text, table, boosters, true)
    given.output.write_text(text, encoding="utf-8")
    print(json.dumps({k: v for k, v in figures.items() if k != "folds"}, ensure_ascii=False))


if __name__ == "__main__":
    main()
