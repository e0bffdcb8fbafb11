"""Matching, wired: the index proposes, the judge decides, the database follows by number."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from handlers.services import Directories, Found, Resemblance
from matrix.core.bulletin import Bulletin
from matrix.core.case import Case
from matrix.matching.batch import decide, document_of
from matrix.matching.candidates import CandidateIndex
from matrix.matching.judge import Judge, Thresholds
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, ReasonKind
from matrix.matching.weights import MODEL_VERSION
from matrix.ports import Work

_KINDS = {"b": "bulletin", "c": "case"}


class Library:
    """Implements ``handlers.services.Matching`` over a candidate index.

    The index is derived: it follows the database by the bulletins' change number and the time
    at which cases were filed. What it has reached stands in ``mark`` beside it, written after
    the index: a crash in between only puts the same documents again.
    """

    def __init__(
        self,
        index: CandidateIndex,
        directories: Directories,
        mark: Path | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        """An index that was lost or is empty is filled from the database by ``refresh``."""
        self._index = index
        self._directories = directories
        self._thresholds = thresholds
        self._judge = Judge(directories.current.gazetteer, thresholds)
        self._candidates: dict[str, Candidate] = {}
        self._mark = mark
        self._indexed = _read_mark(mark) if index.count else 0
        if not self._indexed:
            index.clear()
            index.commit()
        self._change = 0
        self._filed: datetime | None = None

    def follow_directory(self) -> None:
        """After an import the gazetteer may be another."""
        self._judge = Judge(self._directories.current.gazetteer, self._thresholds)

    async def refresh(self, work: Work) -> None:
        """Take in what changed since the last call, in this or any other process."""
        last = await work.last_change()
        changed = last > self._change
        if changed:
            for bulletin in await work.bulletins.find(change__gt=self._change, order="change"):
                self._take(bulletin)
            self._change = last
        fresh = await self._fresh_cases(work)
        if last > self._indexed or fresh:
            self._index.commit()
            self._indexed = max(last, self._indexed)
            if self._mark is not None:
                await asyncio.to_thread(self._mark.write_text, str(self._indexed), "ascii")

    async def _fresh_cases(self, work: Work) -> bool:
        criteria: dict[str, Any] = {"filed_at__gte": self._filed} if self._filed else {}
        found = [
            case
            for case in await work.cases.find(order="filed_at", **criteria)
            if f"c:{case.id}" not in self._candidates
        ]
        for case in found:
            self._put(_of_case(case))
            self._filed = case.filed_at
        return bool(found)

    def _take(self, bulletin: Bulletin) -> None:
        """A bulletin in force is a candidate; the index is told unless it knows already."""
        candidate = _of_bulletin(bulletin)
        if bulletin.answers:
            self._candidates[candidate.id] = candidate
            if bulletin.change > self._indexed:
                self._index.put([document_of(candidate)])
            return
        self._candidates.pop(candidate.id, None)
        if bulletin.change > self._indexed:
            self._index.drop([candidate.id])

    def _put(self, candidate: Candidate) -> None:
        self._candidates[candidate.id] = candidate
        self._index.put([document_of(candidate)])

    def _lookup(self, ids: Sequence[str]) -> list[Candidate]:
        return [self._candidates[one] for one in ids if one in self._candidates]

    def find(self, text: str) -> Found:
        """See ``Matching.find``."""
        query = normalise(text)
        judged = decide(text, self._index, self._lookup, self._judge)
        candidates = tuple(
            Resemblance(
                kind=_KINDS[one.id[0]],
                target=one.id[2:],
                score=one.score,
                reasons=tuple(
                    (r.kind.value, r.query, r.claim)
                    for r in one.reasons
                    # A case may never answer, which is no matter of a review date; those of
                    # bulletins stand in the database.
                    if r.kind is not ReasonKind.PAST_REVIEW
                ),
                identical=any(r.kind is ReasonKind.IDENTICAL_TEXT for r in one.reasons),
            )
            for one in judged.candidates
        )
        hits = self._directories.current.gazetteer.find(query.text)
        return Found(
            decision=judged.decision.value,
            candidates=candidates,
            model_version=MODEL_VERSION,
            asks_original=judged.asks_original,
            key=query.key if query.text else "",
            length=query.length,
            areas=tuple(dict.fromkeys(hit.area for hit in hits)),
            text=text,
        )


def _read_mark(mark: Path | None) -> int:
    """The change number that the index on disk has reached; 0 when it is not known."""
    try:
        return int(mark.read_text("ascii")) if mark is not None else 0
    except (OSError, ValueError):
        return 0


def _of_bulletin(bulletin: Bulletin) -> Candidate:
    return Candidate(
        id=f"b:{bulletin.id}", title=bulletin.claim_text, rebuttal=bulletin.body,
        urls=(bulletin.url,) if bulletin.url else (),
    )  # fmt: skip


def _of_case(case: Case) -> Candidate:
    return Candidate(id=f"c:{case.id}", title=case.wording, may_answer=False)
