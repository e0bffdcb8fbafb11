"""Matching: how good on a folder of real rumors, how fast and how large at 10k to 1M claims.

    python benchmarks/matching.py FOLDER [--scale 10000 100000 1000000] [--queries 300] [--seed 7]

FOLDER holds ``claims.jsonl`` and ``queries.jsonl`` as `benchmarks/train_matcher.py` reads them.
Quality runs `piyao match` on all of it, per level, beside the index alone (BM25). Scale recombines
clauses of the folder's claims, swaps their numbers and places, and asks real queries and changed
claims on one core, beside plain BM25 of the same index and rapidfuzz's ``process.extract`` in the
same run. The last line is one JSON object. The shipped model was trained on the development folder:
what it reaches on rumors it has not seen stands in its provenance (``cross_fitted``).
"""

import argparse
import json
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from rapidfuzz import fuzz, process

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.matching import load_model  # noqa: E402
from matrix.matching.batch import decide  # noqa: E402
from matrix.matching.caution import Caution  # noqa: E402
from matrix.matching.gazetteer import Gazetteer  # noqa: E402
from matrix.matching.judge import Judge  # noqa: E402
from matrix.matching.text import normalise  # noqa: E402
from matrix.matching.verdicts import Candidate  # noqa: E402
from storage.index.tantivy_index import TantivyIndex  # noqa: E402

Row = dict[str, Any]
SIZES = (10_000, 100_000, 1_000_000)
PLACES = "北京 上海 广州 深圳 武汉 成都 杭州 南京 西安 郑州 长沙 合肥 福州 昆明 太原 兰州".split()  # noqa: SIM905
CLAUSES = re.compile(r"[，。！？；、：,!?;:\s]+")
NUMBER = re.compile(r"\d+")
# rapidfuzz looks at every claim: a handful of queries says what it costs.
EXTRACTED = 5
CHANGES = 100


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def candidate_of(row: Row) -> Candidate:
    return Candidate(id=row["id"], title=row["title"], rebuttal=row.get("rebuttal") or "")


# Quality: the definitions of the evaluation's score.py.


def score(queries: Sequence[Row], outputs: dict[str, Row]) -> Row:
    positives = hits = first = true = answered = 0
    hard, nothing = [0, 0], [0, 0]
    for query in queries:
        if query["kind"].startswith("refutation"):
            continue
        output = outputs[query["id"]]
        ignored = set(query.get("ignore", ()))
        ranked = [one["id"] for one in output["candidates"] if one["id"] not in ignored]
        matched = output["decision"] == "match" and bool(ranked)
        answered += matched
        gold = set(query["gold"])
        if not gold:
            group = hard if query["kind"].startswith("hn_") else nothing
            group[0] += 1
            group[1] += matched
            continue
        positives += 1
        at_once = bool(ranked) and ranked[0] in gold
        first += at_once
        hits += bool(gold.intersection(ranked[:5]))
        true += matched and at_once
    return {
        "R@1": round(first / positives, 4),
        "R@5": round(hits / positives, 4),
        "precision": round(true / max(1, answered), 4),
        "recall": round(true / positives, 4),
        "false_hard": round(hard[1] / max(1, hard[0]), 4),
        "false_none": round(nothing[1] / max(1, nothing[0]), 4),
    }


def quality(folder: Path) -> Row:
    queries = rows(folder / "queries.jsonl")
    found: Row = {}
    with tempfile.TemporaryDirectory() as made:
        output = Path(made) / "out.jsonl"
        for level in Caution:
            command = [
                sys.executable, "-m", "bot", "match", "--level", level.value,
                "--library", folder / "claims.jsonl", "--leads", folder / "queries.jsonl",
                "--output", output,
            ]  # fmt: skip
            start = time.perf_counter()
            subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            found[level.value] = score(queries, {row["id"]: row for row in rows(output)})
            found[level.value]["seconds"] = round(time.perf_counter() - start, 1)
            print(level.value, found[level.value], file=sys.stderr)
    found["BM25"] = bm25(folder, queries)
    return found


def bm25(folder: Path, queries: Sequence[Row]) -> Row:
    outputs = {}
    with TantivyIndex() as index:
        index.put(map(candidate_of, rows(folder / "claims.jsonl")))
        index.commit()
        for query in queries:
            found = index.search(normalise(query["text"]).text, 6)
            outputs[query["id"]] = {
                "decision": "none", "candidates": [{"id": name} for name, _ in found],
            }  # fmt: skip
    return {name: value for name, value in score(queries, outputs).items() if name.startswith("R")}


# Scale.


def claims_like(real: Sequence[Row], count: int, seed: int) -> Iterator[Candidate]:
    """Recombined clauses with other numbers and places; rebuttals as often as among the real."""
    draw = random.Random(seed)
    clauses = [part for row in real for part in CLAUSES.split(row["title"]) if len(part) > 3]
    rebuttals = [row.get("rebuttal") or "" for row in real]
    for number in range(count):
        parts = draw.sample(clauses, draw.choice((1, 1, 2, 2, 3)))
        title = NUMBER.sub(lambda _: str(draw.randrange(1, 1000)), "，".join(parts))
        if draw.random() < 0.3:
            title = draw.choice(PLACES) + title
        yield Candidate(id=str(number), title=title, rebuttal=draw.choice(rebuttals))


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return (
        round(1000 * ordered[len(ordered) // 2], 1),
        round(1000 * ordered[int(len(ordered) * 0.99)], 1),
    )


def timed(act: Callable[[Any], object], each: Sequence[Any]) -> list[float]:
    took = []
    for one in each:
        start = time.perf_counter()
        act(one)
        took.append(time.perf_counter() - start)
    return took


def scale(folder: Path, count: int, asked: int, seed: int, results: Any) -> None:
    """One size in a process of its own, so that memory is its own."""
    real = rows(folder / "claims.jsonl")
    draw = random.Random(seed)
    texts = [row["text"] for row in draw.sample(rows(folder / "queries.jsonl"), asked)]
    process_of = psutil.Process()
    found: Row = {"claims": count}
    with tempfile.TemporaryDirectory() as made, TantivyIndex(Path(made) / "index") as index:
        start = time.perf_counter()
        index.put(claims_like(real, count, seed))
        index.commit()
        found["build_s"] = round(time.perf_counter() - start, 1)
        del real
        judge = Judge(Gazetteer((), {}), load_model())
        timed(lambda text: decide(normalise(text), index, judge), texts[:20])
        found["p50_ms"], found["p99_ms"] = percentiles(
            timed(lambda text: decide(normalise(text), index, judge), texts)
        )
        found["rss_mb"] = round(process_of.memory_info().rss / 1e6)
        plain = [normalise(text).text for text in texts]
        found["bm25_p50_ms"], found["bm25_p99_ms"] = percentiles(
            timed(lambda text: index.search(text, 10), plain)
        )
        found["add_p50_ms"], found["add_p99_ms"] = percentiles(visible(index, draw))
        found["remove_p50_ms"], found["remove_p99_ms"] = percentiles(gone(index))
    titles = [
        normalise(one.title).text for one in claims_like(rows(folder / "claims.jsonl"), count, seed)
    ]
    found["extract_p50_ms"], _ = percentiles(
        timed(lambda t: process.extract(t, titles, scorer=fuzz.WRatio, limit=10), plain[:EXTRACTED])
    )
    results.put(found)


def visible(index: TantivyIndex, draw: random.Random) -> list[float]:
    """From a new claim to a search that finds it, in the writing process."""

    def add(number: int) -> None:
        mark = "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(12))
        index.put([Candidate(id=f"new{number}", title=f"{mark}明天停水")])
        index.commit()
        assert index.search(mark, 1)[0][0] == f"new{number}"

    return timed(add, range(CHANGES))


def gone(index: TantivyIndex) -> list[float]:
    def remove(number: int) -> None:
        index.drop([f"new{number}"])
        index.commit()
        assert not index.read([f"new{number}"])

    return timed(remove, range(CHANGES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=int, nargs="*", default=SIZES)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-quality", action="store_true")
    given = parser.parse_args()
    folder = given.folder.resolve()
    found: Row = {} if given.no_quality else {"quality": quality(folder)}
    found["model"] = load_model().version
    found["scale"] = []
    spawn = multiprocessing.get_context("spawn")
    for count in given.scale:
        results = spawn.Queue()
        one = spawn.Process(target=scale, args=(folder, count, given.queries, given.seed, results))
        one.start()
        found["scale"].append(results.get())
        one.join()
        print(found["scale"][-1], file=sys.stderr)
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
