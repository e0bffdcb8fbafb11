"""Matching, wired: the index proposes, the judge decides, the database follows by number."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from handlers.services import Directories, Found, Resemblance
from matrix.core.bulletin import Bulletin
from matrix.core.case import Case
from matrix.core.claim import Claim
from matrix.core.lead import LeadState
from matrix.matching.batch import decide
from matrix.matching.candidates import CandidateIndex
from matrix.matching.caution import Caution
from matrix.matching.judge import Judge, Model
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, ReasonKind
from matrix.ports import Work

_KINDS = {"b": "bulletin", "c": "case", "l": "claim"}
# How long a lead that waits is compared with new ones.
_LEADS_KEPT = timedelta(hours=72)


class Library:
    """Implements ``handlers.services.Matching`` over a candidate index.

    The index is derived: it follows the database by the bulletins' change number and the times
    at which cases were filed and leads received (the last 72 h of them). What it has reached
    stands in ``mark`` beside it, written after the index: a crash in between only puts the same
    documents again.
    """

    def __init__(
        self,
        index: CandidateIndex,
        directories: Directories,
        model: Model,
        caution: Caution = Caution.STANDARD,
        mark: Path | None = None,
    ) -> None:
        """An index that was lost or is empty is filled from the database by ``refresh``."""
        self._index = index
        self._directories = directories
        self._model = model
        self._caution = caution
        self.follow_directory()
        self._cases: set[str] = set()
        self._mark = mark
        self._indexed, self._leads = _read_mark(mark) if index.count else (0, {})
        if not self._indexed:
            index.clear()
            index.commit()
        self._change = 0
        self._filed: datetime | None = None
        self._received: datetime | None = None

    def follow_directory(self) -> None:
        """After an import the gazetteer may be another."""
        self._judge = Judge(self._directories.current.gazetteer, self._model, self._caution)

    async def refresh(self, work: Work) -> None:
        """Take in what changed since the last call, in this or any other process."""
        last = await work.last_change()
        changed = last > self._change
        if changed:
            for bulletin in await work.bulletins.find(change__gt=self._change, order="change"):
                self._take(bulletin)
            self._change = last
        fresh = [await self._fresh_cases(work), await self._fresh_leads(work)]
        if last > self._indexed or any(fresh):
            self._index.commit()
            self._indexed = max(last, self._indexed)
            if self._mark is not None:
                reached = json.dumps({"change": self._indexed, "leads": self._leads})
                await asyncio.to_thread(self._mark.write_text, reached, "ascii")

    async def _fresh_cases(self, work: Work) -> bool:
        criteria: dict[str, Any] = {"filed_at__gte": self._filed} if self._filed else {}
        found = [
            case
            for case in await work.cases.find(order="filed_at", **criteria)
            if case.id not in self._cases
        ]
        for case in found:
            self._index.put([_of_case(case)])
            self._cases.add(case.id)
            self._filed = case.filed_at
        return bool(found)

    async def _fresh_leads(self, work: Work) -> bool:
        """Claims of leads that wait; those of 72 h before the newest make room."""
        criteria: dict[str, Any] = {"received_at__gte": self._received} if self._received else {}
        waiting = await work.leads.find(
            state=LeadState.QUEUED, order="received_at", claim__ne="", **criteria
        )
        found = [lead for lead in waiting if lead.claim not in self._leads]
        for lead in found:
            claim = await work.claims.get(lead.claim)
            self._index.put([_of_claim(claim)])
            self._leads[claim.id] = lead.received_at.timestamp()
        if waiting:
            self._received = waiting[-1].received_at
        return bool(found) | self._forget_leads()

    def _forget_leads(self) -> bool:
        newest = max(self._leads.values(), default=0.0)
        old = [i for i, at in self._leads.items() if newest - at > _LEADS_KEPT.total_seconds()]
        for claim in old:
            del self._leads[claim]
        self._index.drop([f"l:{claim}" for claim in old])
        return bool(old)

    def _take(self, bulletin: Bulletin) -> None:
        """A bulletin in force is a candidate; the index is told unless it knows already."""
        if bulletin.change <= self._indexed:
            return
        if bulletin.answers:
            self._index.put([_of_bulletin(bulletin)])
        else:
            self._index.drop([f"b:{bulletin.id}"])

    def _admit(self, claim: Candidate) -> Candidate | None:
        """Only bulletins answer; claims of leads that wait no longer are left out."""
        kind, _, name = claim.id.partition(":")
        if kind == "l" and name not in self._leads:
            return None
        return replace(claim, may_answer=kind == "b", group="" if kind == "b" else kind)

    def find(self, text: str) -> Found:
        """See ``Matching.find``."""
        query = normalise(text)
        judged = decide(text, self._index, self._judge, self._admit)
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
            model_version=self._model.version,
            asks_original=judged.asks_original,
            key=query.key if query.text else "",
            length=query.length,
            areas=tuple(dict.fromkeys(hit.area for hit in hits)),
            text=text,
        )


def _read_mark(mark: Path | None) -> tuple[int, dict[str, float]]:
    """What the index on disk holds: the change number reached, and waiting claims by time."""
    try:
        raw = json.loads(mark.read_text("ascii")) if mark is not None else {}
        return int(raw["change"]), {str(i): float(at) for i, at in raw["leads"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0, {}


def _of_bulletin(bulletin: Bulletin) -> Candidate:
    return Candidate(
        id=f"b:{bulletin.id}", title=bulletin.claim_text, rebuttal=bulletin.body,
        urls=(bulletin.url,) if bulletin.url else (),
    )  # fmt: skip


def _of_case(case: Case) -> Candidate:
    return Candidate(id=f"c:{case.id}", title=case.wording)


def _of_claim(claim: Claim) -> Candidate:
    return Candidate(id=f"l:{claim.id}", title=claim.wording)
