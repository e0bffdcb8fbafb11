"""Indexes that follow the database: what has been issued, and what still waits.

Ids in them are ``bulletin:…``, ``case:…`` and ``claim:…``.
"""

import asyncio
import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count, takewhile
from pathlib import Path
from typing import Any, NamedTuple

from matrix.core.bulletin import Bulletin
from matrix.core.case import Case
from matrix.core.claim import Claim
from matrix.core.lead import LeadState
from matrix.matching.candidates import CandidateIndex
from matrix.matching.passages import LONG
from matrix.matching.terms import tokens
from matrix.matching.text import Normalised, normalise
from matrix.matching.verdicts import Candidate
from matrix.ports import Work
from storage.index.layered import LayeredIndex
from storage.index.memory import MemoryIndex
from storage.index.tantivy_index import TantivyIndex

# How long a lead that waits is compared with new ones.
_LEADS_KEPT = timedelta(hours=72)
# Of what waits, this many are compared with a lead.
_COMPARED = 12
# Claims read by one statement.
_SLICE = 500


class Issued:
    """The bulletins in force, by their change number.

    What the index on disk has reached stands in ``mark`` beside it, written after it: a crash in
    between only puts the same bulletins again.
    """

    def __init__(self, index: CandidateIndex, mark: Path | None = None) -> None:
        """An index that was lost or is empty is filled from the database."""
        self.index = index
        self.version = 0
        """Another one whenever searches see something else."""
        self._mark = mark
        self._reached = self._marked = _read(mark) if index.count else 0
        if not self._reached:
            self.start_over()

    def start_over(self) -> None:
        """Forget everything; the next `follow` takes all from the database."""
        self._reached = self._marked = 0
        self.version += 1
        self.index.clear()
        self.index.commit()

    async def follow(self, work: Work) -> None:
        """Take in what changed since the last call, in this or any other process."""
        last = await work.last_change()
        if last > self._reached:
            await self._take_in(work, last)
        if self._mark is not None and self._marked < self._reached and self.index.settle():
            self._marked = self._reached
            await asyncio.to_thread(self._mark.write_text, json.dumps(self._marked), "ascii")

    async def _take_in(self, work: Work, last: int) -> None:
        for bulletin in await work.bulletins.find(change__gt=self._reached, order="change"):
            if bulletin.answers:
                self.index.put([_of_bulletin(bulletin)])
            else:
                self.index.drop([f"bulletin:{bulletin.id}"])
        self.version += 1
        self.index.commit()
        self._reached = last


class Own(NamedTuple):
    """A claim that waits: its name in the index, and how many claims were there before it."""

    name: str
    before: int


class Waiting:
    """Cases, and claims of the leads that wait, of the last 72 h; filled anew at every start.

    They lie in an index of their own: what a claim's words tell among the bulletins must not
    depend on what has come in today.
    """

    def __init__(self, index: "Nearest") -> None:
        """Nothing is known before the first `follow`."""
        self.index = index
        self.cases = self.claims = 0
        """How many have come in so far: what has been looked up before may be out of date."""
        self._wordings: set[str] = set()
        self.start_over()

    def has_case(self, query: Normalised) -> bool:
        """Whether a case may have the very words, numerals read as one; False is certain."""
        # Passages of a long text are compared too, and each may be a case's wording.
        if len(query.text) > LONG:
            return True
        return not self._wordings.isdisjoint({query.key, _folded(query)})

    def own(self, query: Normalised) -> "Own | None":
        """The claim of leads of the very words, where some wait."""
        return self._own.get(query.key)

    def start_over(self) -> None:
        """Forget everything; the next `follow` takes all from the database."""
        self._cases: set[str] = set()
        self._wordings.clear()
        self._own: dict[str, Own] = {}
        self._leads: dict[str, datetime] = {}
        self._filed: datetime | None = None
        self._received: datetime | None = None
        self.index.clear()
        self.index.commit()

    async def follow(self, work: Work) -> None:
        """Take in cases filed and leads received since the last call."""
        if any([await self._fresh_cases(work), await self._fresh_leads(work)]):
            self.index.commit()

    async def _fresh_cases(self, work: Work) -> bool:
        criteria: dict[str, Any] = {"filed_at__gte": self._filed} if self._filed else {}
        criteria["drill"] = False
        found = [
            case
            for case in await work.cases.find(order="filed_at", **criteria)
            if case.id not in self._cases
        ]
        for case in found:
            self.index.put([_of_case(case)])
            wording = normalise(case.wording)
            self._wordings |= {wording.key, _folded(wording)}
            self._cases.add(case.id)
            self.cases += 1
            self._filed = case.filed_at
        return bool(found)

    async def _fresh_leads(self, work: Work) -> bool:
        criteria: dict[str, Any] = {"received_at__gte": self._received} if self._received else {}
        waiting = await work.leads.find(
            state=LeadState.QUEUED, order="received_at", claim__ne="", drill=False, **criteria
        )
        found = [lead for lead in waiting if lead.claim not in self._leads]
        for start in range(0, len(found), _SLICE):
            await work.claims.load(lead.claim for lead in found[start : start + _SLICE])
        for lead in found:
            claim = await work.claims.get(lead.claim)
            self.index.put([_of_claim(claim)])
            self._leads[claim.id] = lead.received_at
            self._own[claim.key] = Own(f"claim:{claim.id}", self.claims)
            self.claims += 1
        if waiting:
            self._received = waiting[-1].received_at
        return bool(found) | self._forget_leads()

    def _forget_leads(self) -> bool:
        """Those of 72 h before the newest make room."""
        if self._received is None:
            return False
        # They came in this order.
        first = self._received - _LEADS_KEPT
        old = [claim for claim, _ in takewhile(lambda one: one[1] < first, self._leads.items())]
        if not old:
            return False
        for claim in old:
            del self._leads[claim]
        names = {f"claim:{claim}" for claim in old}
        self._own = {key: one for key, one in self._own.items() if one.name not in names}
        self.index.drop(names)
        return True


class Nearest(MemoryIndex):
    """An index that proposes few: what waits is only ever shown to people, three at a time.

    To compare with 12 instead of 40 takes a third of the time; of 377 leads with something worth a
    look among 10,000, three lost the best of it (docs/performance.md).
    """

    _hidden = ""

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims, best first."""
        most = min(limit, _COMPARED)
        found = super().search(text, most + bool(self._hidden))
        return [one for one in found if one[0] != self._hidden][:most]

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return [name for name in super().search_key(key) if name != self._hidden]

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """One claim is not there for a while: beside itself nothing is worth a look."""
        self._hidden = name
        try:
            yield
        finally:
            self._hidden = ""


@contextmanager
def indexes(folder: Path | None) -> Iterator[tuple[Issued, Waiting]]:
    """Both, open: bulletins on disk in ``folder``, in memory where there is none.

    What waits is in memory always: it is read anew at every start, and changes with every lead.
    """
    if folder is None:
        yield Issued(MemoryIndex()), Waiting(Nearest())
        return
    with _own(folder) as mine, LayeredIndex(TantivyIndex(mine / "issued")) as issued:
        yield Issued(issued, mine / "issued" / "reached"), Waiting(Nearest())


@contextmanager
def _own(folder: Path) -> Iterator[Path]:
    """The folder, or where another process has it ``index-2``, ``index-3``, …: one writer each."""
    for number in count(1):
        mine = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        mine.mkdir(parents=True, exist_ok=True)
        with (mine / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield mine
            return


def _read(mark: Path | None) -> int:
    try:
        return int(json.loads(mark.read_text("ascii"))) if mark is not None else 0
    except (OSError, ValueError, TypeError):
        return 0


def _folded(wording: Normalised) -> str:
    """Letters and digits, every numeral in digits: what makes two texts identical to the judge."""
    return "".join(tokens(wording.text))


def _of_bulletin(bulletin: Bulletin) -> Candidate:
    return Candidate(
        id=f"bulletin:{bulletin.id}", title=bulletin.claim_text, rebuttal=bulletin.body,
        urls=(bulletin.url,) if bulletin.url else (),
    )  # fmt: skip


def _of_case(case: Case) -> Candidate:
    return Candidate(id=f"case:{case.id}", title=case.wording)


def _of_claim(claim: Claim) -> Candidate:
    return Candidate(id=f"claim:{claim.id}", title=claim.wording)
