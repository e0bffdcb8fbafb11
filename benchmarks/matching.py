"""Matching: how good on a folder of real rumors, how fast and how large at 10k to 1M claims.

    python benchmarks/matching.py FOLDER [--scale 10000 100000 1000000] [--queries 300] [--seed 7]
                                  [--keep BUILT] [--no-quality]

FOLDER holds ``claims.jsonl`` and ``queries.jsonl`` as `benchmarks/train_matcher.py` reads them.
Quality runs `piyao match` on all of it, per level, beside the index alone (BM25). Scale recombines
clauses of the folder's claims, swaps their numbers and places, and asks real queries on one core,
beside plain BM25 of the same index and rapidfuzz's ``process.extract`` in the same run. An index is
built in one process and used in another; with ``--keep`` it stays in BUILT and is used again.
"Follow" is the time from the commit of a bulletin in the database to the answer of another
process's library. The last line is one JSON object. The shipped model was trained on the
development folder: what it reaches on rumors it has not seen stands in its provenance
(``cross_fitted``).
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rapidfuzz import fuzz, process
from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.following import indexes  # noqa: E402
from bot.tuning import tune  # noqa: E402
from config.matching import load_model  # noqa: E402
from matrix.core.bulletin import Bulletin, BulletinState, Kind  # noqa: E402
from matrix.core.case import Verdict  # noqa: E402
from matrix.matching.batch import decide, propose  # noqa: E402
from matrix.matching.caution import Caution  # noqa: E402
from matrix.matching.gazetteer import Gazetteer  # noqa: E402
from matrix.matching.judge import Judge  # noqa: E402
from matrix.matching.text import normalise  # noqa: E402
from matrix.matching.verdicts import Candidate  # noqa: E402
from storage.engine import open_engine  # noqa: E402
from storage.index.layered import LayeredIndex  # noqa: E402
from storage.index.tantivy_index import TantivyIndex  # noqa: E402
from storage.migrate import upgrade  # noqa: E402
from storage.unit_of_work import SqlStore  # noqa: E402

Row = dict[str, Any]
SIZES = (10_000, 100_000, 1_000_000)
PLACES = "北京 上海 广州 深圳 武汉 成都 杭州 南京 西安 郑州 长沙 合肥 福州 昆明 太原 兰州".split()  # noqa: SIM905
CLAUSES = re.compile(r"[，。！？；、：,!?;:\s]+")
NUMBER = re.compile(r"\d+")
# rapidfuzz looks at every claim: a handful of queries says what it costs.
EXTRACTED = 5
CHANGES = 500
# Seconds between changes: the index writes aside after two, and the change beside that counts too.
BETWEEN = 0.05
FOLLOWED = 120


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


def build(folder: Path, made: Path, count: int, seed: int, results: Any) -> None:
    """Fill an index on disk."""
    real = rows(folder / "claims.jsonl")
    start = time.perf_counter()
    with TantivyIndex(made) as index:
        shown = track(
            claims_like(real, count, seed), f"{count:,}", count,
            console=Console(stderr=True), disable=not sys.stderr.isatty(),
        )  # fmt: skip
        index.put(shown)
        index.commit()
    results.put(
        {
            "build_s": round(time.perf_counter() - start, 1),
            "build_rss_mb": rss(),
            "disk_mb": round(sum(one.stat().st_size for one in made.iterdir()) / 1e6),
        }
    )


def rss() -> int:
    """MB of this process, pages of mapped files included."""
    return round(psutil.Process().memory_info().rss / 1e6)


def ask(folder: Path, made: Path, count: int, asked: int, seed: int, results: Any) -> None:
    """Use a built index, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    draw = random.Random(seed)
    texts = [row["text"] for row in draw.sample(rows(folder / "queries.jsonl"), asked)]
    found: Row = {}
    with LayeredIndex(TantivyIndex(made)) as index:
        assert index.count >= count
        judge = Judge(Gazetteer((), {}), load_model())
        timed(lambda text: decide(normalise(text), index, judge), texts[:20])
        tune()
        found["p50_ms"], found["p99_ms"] = percentiles(
            timed(lambda text: decide(normalise(text), index, judge), texts)
        )
        found["rss_mb"] = rss()
        plain = [normalise(text).text for text in texts]
        found["bm25_p50_ms"], found["bm25_p99_ms"] = percentiles(
            timed(lambda text: index.search(text, 10), plain)
        )
        found["add_p50_ms"], found["add_p99_ms"] = percentiles(visible(index, draw))
        found["remove_p50_ms"], found["remove_p99_ms"] = percentiles(gone(index))
    titles = [one.title for one in claims_like(rows(folder / "claims.jsonl"), count, seed)]
    found["extract_p50_ms"], _ = percentiles(
        timed(lambda t: process.extract(t, titles, scorer=fuzz.WRatio, limit=10), plain[:EXTRACTED])
    )
    results.put(found)


async def followed(claims: Sequence[Row]) -> Row:
    """Bulletins committed by one process, found by the library of another at its next message."""
    took = []
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as made:
        url = f"sqlite:///{made}/piyao.db"
        upgrade(url)
        store = SqlStore(open_engine(url))
        here, there = spawn.Pipe()
        other = spawn.Process(target=follow, args=(url, Path(made) / "index", there))
        other.start()
        assert here.recv() == "ready"
        for number, claim in enumerate(claims):
            bulletin = bulletin_of(claim, number + 1)
            async with store.work() as work:
                await work.serial("bulletin-change")
                await work.bulletins.add(bulletin)
                await work.commit()
            start = time.perf_counter()
            here.send((bulletin.id, bulletin.claim_text))
            assert here.recv() == "found"
            took.append(time.perf_counter() - start)
        here.send(None)
        other.join()
        await store.engine.dispose()
    return dict(zip(("p50_ms", "p99_ms"), percentiles(took), strict=True))


def follow(url: str, folder: Path, asked: Any) -> None:
    """The other process: follows the database and looks for what it is asked for."""

    async def look() -> None:
        store = SqlStore(open_engine(url))
        with indexes(folder) as (issued, _):
            asked.send("ready")
            while (one := asked.recv()) is not None:
                name, text = one
                async with store.read() as work:
                    await issued.follow(work)
                found = propose(normalise(text), issued.index)
                asked.send("found" if f"bulletin:{name}" in found else "missed")
        await store.engine.dispose()

    asyncio.run(look())


def bulletin_of(claim: Row, change: int) -> Bulletin:
    return Bulletin(
        id=claim["id"], state=BulletinState.CURRENT, kind=Kind.IMPORTED, number=claim["id"],
        title=claim["title"][:60], short=claim["title"][:60], body=claim.get("rebuttal") or "-",
        claim_text=claim["title"], claim_key=normalise(claim["title"]).key, issuer="benchmark",
        verdict=Verdict.FALSE, issued_at=datetime.now(UTC), change=change,
    )  # fmt: skip


def visible(index: LayeredIndex, draw: random.Random) -> list[float]:
    """From a new claim to a search that finds it, in the writing process, as it writes aside."""

    def add(number: int) -> None:
        mark = "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(12))
        index.put([Candidate(id=f"new{number}", title=f"{mark}明天停水")])
        index.commit()
        assert index.search(mark, 1)[0][0] == f"new{number}"
        index.settle()

    took = []
    for number in range(CHANGES):
        time.sleep(BETWEEN)
        took += timed(add, [number])
    return took


def gone(index: LayeredIndex) -> list[float]:
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
    parser.add_argument("--keep", type=Path, help="a folder for built indexes, used again")
    parser.add_argument("--no-quality", action="store_true")
    given = parser.parse_args()
    folder = given.folder.resolve()
    found: Row = {} if given.no_quality else {"quality": quality(folder)}
    found["model"] = load_model().version
    found["follow"] = asyncio.run(followed(rows(folder / "claims.jsonl")[:FOLLOWED]))
    print("follow", found["follow"], file=sys.stderr)
    found["scale"] = []
    with tempfile.TemporaryDirectory() as passing:
        for count in given.scale:
            made = (given.keep or Path(passing)) / f"{count}-{given.seed}"
            one: Row = {"claims": count}
            if not made.exists():
                one |= apart(build, folder, made, count, given.seed)
            one |= apart(ask, folder, made, count, given.queries, given.seed)
            print(one, file=sys.stderr)
            found["scale"].append(one)
    print(json.dumps(found, ensure_ascii=False))


def apart(act: Callable[..., None], *given: Any) -> Row:
    """In a process of its own, so that memory is its own."""
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    one = spawn.Process(target=act, args=(*given, results))
    one.start()
    while one.is_alive() and results.empty():
        one.join(0.2)
    if results.empty():
        raise SystemExit(f"{act.__name__} ended with {one.exitcode}")
    found: Row = results.get()
    one.join()
    return found


if __name__ == "__main__":
    main()
