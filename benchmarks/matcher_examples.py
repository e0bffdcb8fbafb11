"""What the matcher learns from: one row per query and candidate, with the figures about the two.

The folder's library as a whole; without half of what is asked for, so that something new is known
as new; and smaller ones drawn from it, so that a district with a hundred bulletins is served as
well as one with ten thousand.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matrix.matching.batch import propose, rebuild
from matrix.matching.features import Beside, lay_beside
from matrix.matching.guards import find_conflicts
from matrix.matching.judge import SHORTEST, identical
from matrix.matching.prepared import NOWHERE, PreparedClaim, prepare, prepare_claim
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate
from storage.index.tantivy_index import TantivyIndex

Row = dict[str, Any]

FOLDS = 5
SEED = 7
# Candidates learnt from; a decision compares fewer, and is the better for it: learnt from those
# alone, R@5 is .0013 lower, precision .0015.
LEARNT_FROM = 20
# Parts in which the whole library's queries are asked, one process each.
PARTS = 2
# (claims drawn, how often): a district's first months, its first years, a province.
SMALLER_LIBRARIES = ((120, 12), (800, 3))


@dataclass(frozen=True)
class Data:
    claims: list[Row]
    queries: list[Row]
    digest: str


@dataclass
class Examples:
    """One row per query × candidate; ``library`` numbers the library it was drawn from, 0 = all.

    ``held``: a guard forbids an answer; ``same``: the normalised texts are equal; ``place``: among
    the index's candidates for the query, from 0.
    """

    names: list[str] = field(default_factory=list)
    figures: list[list[float]] = field(default_factory=list)
    query: list[int] = field(default_factory=list)
    claim: list[str] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    same: list[bool] = field(default_factory=list)
    library: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)


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
    """(number, claims, queries) by position; the whole library first, in parts of its queries."""
    everything = list(range(len(data.claims)))
    for part in range(PARTS):
        yield 0, everything, list(range(part, len(data.queries), PARTS))
    draw = random.Random(SEED)
    yield 1, *withheld(data, draw)
    number = 1
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


def withheld(data: Data, draw: random.Random) -> tuple[list[int], list[int]]:
    """The library without half of the claims that are asked for, and the queries about those.

    A rumor nobody has rebutted yet looks like this: much that is near, and nothing that is it.
    """
    asked = sorted({claim for query in data.queries for claim in query["gold"]})
    gone = set(draw.sample(asked, len(asked) // 2))
    claims = [at for at, claim in enumerate(data.claims) if claim["id"] not in gone]
    queries = [
        at
        for at, query in enumerate(data.queries)
        if query["gold"] and gone.issuperset(query["gold"])
    ]
    return claims, queries


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
            proposed = propose(text, index, LEARNT_FROM)
            candidates = [by_id[name] for name in proposed]
            for one in candidates:
                if one.id not in apart:
                    apart[one.id] = prepare_claim(one)
            asked = prepare(text)
            beside = lay_beside(asked, [apart[c.id] for c in candidates], index)
            for place, (candidate, one) in enumerate(zip(candidates, beside, strict=True)):
                conflicts = find_conflicts(asked, one, NOWHERE)
                short = text.length < SHORTEST
                add(found, at, candidate.id, one, number)
                found.place.append(place)
                found.held.append(short or conflicts.forbid_an_answer(one))
                found.same.append(identical(asked, one.claim))
    return found


def add(examples: Examples, query: int, claim: str, beside: Beside, library: int) -> None:
    examples.names = list(beside.figures)
    examples.figures.append(list(beside.figures.values()))
    examples.query.append(query)
    examples.claim.append(claim)
    examples.library.append(library)


def examples(folder: Path, data: Data) -> Examples:
    """All of them, in an order that depends on the data alone."""
    tasks = [(folder, *one) for one in libraries(data)]
    with ProcessPoolExecutor() as pool:
        return join(pool.map(examples_of, tasks))


def join(parts: Iterable[Examples]) -> Examples:
    whole = Examples()
    for part in parts:
        whole.names = part.names or whole.names
        for name in ("figures", "query", "claim", "held", "same", "library", "place"):
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
