"""Matching, wired: the index proposes, the judge decides, the database follows by number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers.services import Directories, Found, Resemblance
from matrix.core.bulletin import REBUTTALS, Bulletin, Kind
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

    ``change`` and ``filed`` say how far the index has followed the database.
    """

    def __init__(
        self, index: CandidateIndex, directories: Directories, thresholds: Thresholds | None = None
    ) -> None:
        """The index may be empty: ``refresh`` fills it from the database."""
        self._index = index
        self._directories = directories
        self._thresholds = thresholds
        self._judge = Judge(directories.current.gazetteer, thresholds)
        self._candidates: dict[str, Candidate] = {}
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
        if changed or fresh:
            self._index.commit()

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
        kinds = {*REBUTTALS, Kind.CORRECTION, Kind.IMPORTED}
        if bulletin.kind in kinds and bulletin.answers:
            self._put(_of_bulletin(bulletin))
        else:
            self._candidates.pop(f"b:{bulletin.id}", None)
            self._index.drop([f"b:{bulletin.id}"])

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
                reasons=tuple((r.kind.value, r.query, r.claim) for r in one.reasons),
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


def _of_bulletin(bulletin: Bulletin) -> Candidate:
    return Candidate(
        id=f"b:{bulletin.id}", title=bulletin.claim_text, rebuttal=bulletin.body,
        urls=(bulletin.url,) if bulletin.url else (),
    )  # fmt: skip


def _of_case(case: Case) -> Candidate:
    return Candidate(id=f"c:{case.id}", title=case.wording, may_answer=False)
