"""Train the model that `piyao match` and the chat decide by.

    pip install -e '.[train]' -c constraints.txt
    python benchmarks/train_matcher.py FOLDER [--output config/matching/model.json]

FOLDER holds ``claims.jsonl`` (``id``, ``title``, ``rebuttal``?) and ``queries.jsonl`` (``id``,
``text``, ``kind``, ``gold`` (claim ids), ``near``?, ``ignore``?). The same folder gives the same
file, byte for byte. Nothing of the texts enters it: it holds trees, bounds and figures.

What is learnt is whether query and candidate are one claim, from the figures that
`matrix.matching.features` lays side by side. Small libraries are drawn from the large one, so that
a district with a hundred bulletins is served as well as one with ten thousand. Cross-fitting keeps
all queries of one claim, and the hard negatives made from it, in one fold.
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from config.matching import FILE
from matrix.matching.batch import propose, rebuild
from matrix.matching.caution import Caution
from matrix.matching.features import Beside, lay_beside
from matrix.matching.forest import Forest, Tree
from matrix.matching.guards import find_conflicts
from matrix.matching.judge import SHORTEST, identical, ranks_of
from matrix.matching.prepared import NOWHERE, PreparedClaim, prepare, prepare_claim
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate
from storage.index.tantivy_index import TantivyIndex

Row = dict[str, Any]

# (claims drawn, how often): a district's first months, its first years, a province.
SMALLER_LIBRARIES = ((120, 24), (800, 8), (4000, 2))
# What a row of a smaller library weighs: the same queries come back in many of them.
SMALLER_WEIGHT = 0.3
# A hard negative weighs as two others; three and more do not help.
HARD_WEIGHT = 2.0
FOLDS = 5
# Least likelihoods at which the curve is written down, to choose the levels by.
CURVE = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
TREES = 220
# Two boosters, averaged: one that sees most figures at each split ranks better, one that sees
# few decides better; together they waver less.
SEEN = (0.6, 0.3)
SEED = 7
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 20,
    "max_depth": 6,
    "min_data_in_leaf": 40,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbose": -1,
    "num_threads": 2,
    "deterministic": True,
    "force_row_wise": True,
    "seed": SEED,
}


@dataclass(frozen=True)
class Data:
    claims: list[Row]
    queries: list[Row]
    digest: str


@dataclass
class Examples:
    """One row per query × candidate; ``library`` numbers the library it was drawn from, 0 = all.

    ``held``: a guard forbids an answer; ``same``: the normalised texts are equal.
    """

    names: list[str] = field(default_factory=list)
    figures: list[list[float]] = field(default_factory=list)
    query: list[int] = field(default_factory=list)
    claim: list[str] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    same: list[bool] = field(default_factory=list)
    library: list[int] = field(default_factory=list)


def read(folder: Path) -> Data:
    names = ("claims.jsonl", "queries.jsonl")
    contents = [(folder / name).read_bytes() for name in names]
    claims, queries = (
        [json.loads(line) for line in text.splitlines() if line.strip()] for text in contents
    )
    return Data(
        claims=claims, queries=queries, digest=hashlib.sha256(b"".join(contents)).hexdigest()
    )


def candidate_of(claim: Row) -> Candidate:
    return Candidate(id=claim["id"], title=claim["title"], rebuttal=claim.get("rebuttal") or "")


def near_of(query: Row) -> list[str]:
    near = query.get("near") or []
    return [near] if isinstance(near, str) else list(near)


def libraries(data: Data) -> Iterator[tuple[int, list[int], list[int]]]:
    """(number, claims, queries) by position; the whole library first, in four parts of queries."""
    everything = list(range(len(data.claims)))
    for part in range(4):
        yield 0, everything, list(range(part, len(data.queries), 4))
    draw = random.Random(SEED)
    number = 0
    for size, times in SMALLER_LIBRARIES:
        for _ in range(times if size < len(everything) else 0):
            number += 1
            drawn = draw.sample(everything, size)
            known = {data.claims[at]["id"] for at in drawn}
            about = [
                at
                for at, query in enumerate(data.queries)
                if known.intersection(query["gold"]) or known.intersection(near_of(query))
            ]
            others = sorted(set(range(len(data.queries))) - set(about))
            others = draw.sample(others, min(len(others), max(60, len(about))))
            yield number, drawn, sorted(about + others)


def examples_of(task: tuple[Path, int, list[int], list[int]]) -> Examples:
    folder, number, claims, queries = task
    data = read(folder)
    library = [candidate_of(data.claims[at]) for at in claims]
    by_id = {claim.id: claim for claim in library}
    apart: dict[str, PreparedClaim] = {}
    found = Examples()
    with TantivyIndex() as index:
        rebuild(index, library)
        for at in queries:
            text = normalise(data.queries[at]["text"])
            proposed = propose(text, index)
            candidates = [by_id[name] for name in proposed]
            for one in candidates:
                if one.id not in apart:
                    apart[one.id] = prepare_claim(one)
            asked = prepare(text)
            beside = lay_beside(
                asked, [apart[c.id] for c in candidates], ranks_of(candidates, proposed), index
            )
            for candidate, one in zip(candidates, beside, strict=True):
                conflicts = find_conflicts(asked, one, NOWHERE)
                short = text.length < SHORTEST
                add(found, at, candidate.id, one, number)
                found.held.append(short or conflicts.forbid_an_answer(one))
                found.same.append(identical(asked, one.claim))
    return found


def add(examples: Examples, query: int, claim: str, beside: Beside, library: int) -> None:
    examples.names = list(beside.figures)
    examples.figures.append(list(beside.figures.values()))
    examples.query.append(query)
    examples.claim.append(claim)
    examples.library.append(library)


def join(parts: Iterable[Examples]) -> Examples:
    whole = Examples()
    for part in parts:
        whole.names = part.names or whole.names
        for name in ("figures", "query", "claim", "held", "same", "library"):
            getattr(whole, name).extend(getattr(part, name))
    return whole


def folds_of(queries: Sequence[Row]) -> list[int]:
    """A fold for each query; queries that share a claim, directly or by others, share the fold."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for at, query in enumerate(queries):
        for claim in [*query["gold"], *near_of(query)]:
            parent[root(f"q{at}")] = root(f"c{claim}")
    roots = [root(f"q{at}") for at in range(len(queries))]
    order = sorted(set(roots))
    random.Random(SEED).shuffle(order)
    fold = {name: at % FOLDS for at, name in enumerate(order)}
    return [fold[name] for name in roots]


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


def table_of(data: Data, examples: Examples) -> Table:
    query = np.array(examples.query)
    gold = [frozenset(q["gold"]) for q in data.queries]
    ignore = [frozenset(q.get("ignore", ())) for q in data.queries]
    pairs = list(zip(examples.query, examples.claim, strict=True))
    right = np.array([claim in gold[at] for at, claim in pairs])
    ignored = np.array([claim in ignore[at] and claim not in gold[at] for at, claim in pairs])
    hard = np.array([q["kind"].startswith("hn_") for q in data.queries])[query]
    rebuttal = np.array([q["kind"].startswith("refutation") for q in data.queries])[query]
    whole = np.array(examples.library) == 0
    weight = np.where(hard, HARD_WEIGHT, 1.0) * np.where(whole, 1.0, SMALLER_WEIGHT)
    weight[rebuttal | ignored] = 0
    return Table(
        figures=np.array(examples.figures), query=query, right=right, weight=weight,
        ignored=ignored, held=np.array(examples.held), same=np.array(examples.same), whole=whole,
    )  # fmt: skip


def fit(table: Table, rows: np.ndarray) -> list[lightgbm.Booster]:
    rows = rows & (table.weight > 0)
    data = lightgbm.Dataset(
        table.figures[rows], table.right[rows], weight=table.weight[rows], params=PARAMETERS
    )
    return [lightgbm.train({**PARAMETERS, "feature_fraction": one}, data, TREES) for one in SEEN]


def predict(boosters: Sequence[lightgbm.Booster], figures: np.ndarray) -> np.ndarray:
    """The likelihood that the boosters' mean logit says."""
    logit = np.mean([one.predict(figures, raw_score=True) for one in boosters], axis=0)
    return 1 / (1 + np.exp(-logit))


def cross_fitted(table: Table, folds: np.ndarray) -> np.ndarray:
    """The likelihood of each row by a model that saw no query of its claim."""
    likelihood = np.zeros(len(table.query))
    for fold in range(FOLDS):
        held_out = folds[table.query] == fold
        likelihood[held_out] = predict(fit(table, ~held_out), table.figures[held_out])
        print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return likelihood


def calibration(table: Table, likelihood: np.ndarray) -> tuple[float, float]:
    """Slope and shift on the logit that make the best candidates' likelihoods true shares.

    Hard negatives weigh double in training, so likelihoods come out too low.
    """
    best: dict[int, int] = {}
    for row in np.lexsort((-likelihood, table.query)):
        if table.whole[row] and not table.ignored[row] and table.weight[row] > 0:
            best.setdefault(int(table.query[row]), int(row))
    rows = np.array([row for row in best.values() if not table.same[row]])
    logit = np.log(likelihood[rows] / (1 - likelihood[rows]))
    right = table.right[rows]
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


def calibrated(likelihood: np.ndarray, slope: float, shift: float) -> np.ndarray:
    logit = np.log(likelihood / (1 - likelihood))
    return 1 / (1 + np.exp(-(slope * logit + shift)))


def measure(data: Data, table: Table, likelihood: np.ndarray, queries: set[int]) -> dict[str, Any]:
    """The benchmark's figures on the whole library, as `Judge` would decide, per level."""
    ranked: dict[int, list[int]] = {}
    for row in np.lexsort((-likelihood, table.query)):
        if table.whole[row] and not table.ignored[row] and table.query[row] in queries:
            ranked.setdefault(int(table.query[row]), []).append(int(row))
    asked = [at for at in sorted(queries) if not data.queries[at]["kind"].startswith("refutation")]
    positive = [at for at in asked if data.queries[at]["gold"]]
    hard = [at for at in asked if data.queries[at]["kind"].startswith("hn_")]
    nothing = [at for at in asked if not data.queries[at]["gold"] and at not in set(hard)]

    def hit(at: int, depth: int) -> bool:
        return any(table.right[row] for row in ranked.get(at, ())[:depth])

    def level(least: float) -> dict[str, float]:
        best = {at: ranked[at][0] for at in asked if at in ranked}
        answered = {
            at
            for at, row in best.items()
            if likelihood[row] >= least and (table.same[row] or not table.held[row])
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


def written(
    data: Data,
    names: list[str],
    boosters: Sequence[lightgbm.Booster],
    true: tuple[float, float],
    folds: Row,
) -> str:
    slope, shift = true
    dumped = [tree for one in boosters for tree in one.dump_model()["tree_info"]]
    trees = [
        tree_of(tree["tree_structure"], slope / len(boosters), shift if at == 0 else 0.0)
        for at, tree in enumerate(dumped)
    ]
    lines = [json.dumps(tree, separators=(",", ":")) for tree in trees]
    version = "trees-2-" + hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
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
        {"version": version, "provenance": provenance, "figures": names},
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
    tasks = [(given.folder, *one) for one in libraries(data)]
    with ProcessPoolExecutor() as pool:
        examples = join(pool.map(examples_of, tasks))
    table = table_of(data, examples)
    print(f"{len(table.query)} rows, {len(examples.names)} figures", file=sys.stderr)
    folds = np.array(folds_of(data.queries))
    raw = cross_fitted(table, folds)
    true = calibration(table, raw)
    likelihood = np.where(table.same, 1.0, calibrated(raw, *true))
    figures = measure(data, table, likelihood, set(range(len(data.queries))))
    figures["folds"] = [
        measure(data, table, likelihood, set(np.flatnonzero(folds == fold).tolist()))
        for fold in range(FOLDS)
    ]
    boosters = fit(table, np.ones(len(table.query), dtype=bool))
    text = written(data, examples.names, boosters, true, figures)
    check(text, table, boosters, true)
    given.output.write_text(text, encoding="utf-8")
    print(json.dumps({k: v for k, v in figures.items() if k != "folds"}, ensure_ascii=False))


if __name__ == "__main__":
    main()
