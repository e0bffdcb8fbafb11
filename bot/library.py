"""Matching, wired: the indexes propose, the judge decides, the database follows by number."""

from functools import lru_cache
from typing import NamedTuple, TypeVar

from bot.following import Issued, Waiting
from handlers.services import Beside, Directories, Found, Resemblance
from matrix.matching.batch import decide
from matrix.matching.candidates import IndexLostError
from matrix.matching.caution import Caution
from matrix.matching.judge import WORTH_A_LOOK, Judge, Model
from matrix.matching.text import Normalised, normalise
from matrix.matching.verdicts import Judgement, ReasonKind, Scored
from matrix.ports import Work

T = TypeVar("T")

# Judgements remembered between changes of the library: a rumor comes many times a day.
_REMEMBERED = 1000


class _Latest(dict[Normalised, T]):
    """What was found for the wordings that came last; the one longest unasked makes room."""

    def at(self, query: Normalised) -> T | None:
        found = self.pop(query, None)
        if found is not None:
            self[query] = found
        return found

    def keep(self, query: Normalised, found: T) -> T:
        self.pop(query, None)
        self[query] = found
        if len(self) > _REMEMBERED:
            del self[next(iter(self))]
        return found


class _Looked(NamedTuple):
    """What was alike when so many cases and claims had come in."""

    judged: Judgement
    cases: int
    claims: int


class Library:
    """Implements ``handlers.services.Matching`` over two candidate indexes.

    What answers is decided among the bulletins alone, as `piyao match` does for a file of them;
    cases and waiting leads are looked up beside, and never answer.
    """

    def __init__(
        self,
        issued: Issued,
        waiting: Waiting,
        directories: Directories,
        model: Model,
        caution: Caution = Caution.STANDARD,
    ) -> None:
        """Knows nothing before the first ``refresh``."""
        self._issued = issued
        self._waiting = waiting
        self._directories = directories
        self._model = model
        self._caution = caution
        self._normal = lru_cache(_REMEMBERED)(normalise)
        self.follow_directory()

    def follow_directory(self) -> None:
        """After an import the gazetteer may be another."""
        self._judge = Judge(self._directories.current.gazetteer, self._model, self._caution)
        self._judged = _Latest[Judgement]()
        self._looked_up = _Latest[_Looked]()

    async def refresh(self, work: Work) -> None:
        """Take in what changed since the last call, in this or any other process."""
        before = self._issued.version
        for one in (self._issued, self._waiting):
            try:
                await one.follow(work)
            except IndexLostError:
                one.start_over()
                await one.follow(work)
        if self._issued.version != before:
            self._judged.clear()
            self._looked_up.clear()

    def forget_waiting(self) -> None:
        """What was taken in has not come about; the next ``refresh`` looks at all that waits."""
        self._waiting.start_over()
        self._looked_up.clear()

    def find(self, text: str) -> Found:
        """See ``Matching.find``."""
        query = self._normal(text)
        judged = self._among_bulletins(query)
        hits = self._directories.current.gazetteer.find(query.text)
        return Found(
            decision=judged.decision.value,
            candidates=tuple(map(_resembles, judged.candidates)),
            model_version=self._model.version,
            asks_original=judged.asks_original,
            key=query.key if query.text else "",
            length=query.length,
            areas=tuple(dict.fromkeys(hit.area for hit in hits)),
            text=text,
        )

    def beside(self, found: Found) -> Beside:
        """See ``Matching.beside``."""
        query = self._normal(found.text)
        judged = self._among_what_waits(query)
        return Beside(
            alike=tuple(_resembles(one) for one in judged.candidates if one.score >= WORTH_A_LOOK),
            asks_original=judged.asks_original and self._waiting.own(query) is None,
        )

    def repeats_case(self, found: Found) -> bool:
        """See ``Matching.repeats_case``."""
        return self._waiting.has_case(self._normal(found.text))

    def _among_what_waits(self, query: Normalised) -> Judgement:
        """What else waits and is alike; of a wording that comes again, looked up once.

        As long as nothing new has begun to wait, that is; of a wording that waits itself, as long
        as no case has been filed: what has come in since was compared with it, and both stand in
        the desk's list. What is decided never rests on another waiting lead.
        """
        now, own = self._waiting, self._waiting.own(query)
        known = self._looked_up.at(query)
        if known is not None and known.cases == now.cases:
            since = now.claims if own is None else own.before
            if known.claims >= since:
                return known.judged
        with now.index.without(own.name if own is not None else ""):
            # What a word tells is taken from the bulletins: of what waits, half may be one rumor.
            found = decide(query, now.index, self._judge, rarity=self._issued.index, doubles=False)
        self._looked_up.keep(query, _Looked(found, now.cases, now.claims))
        return found

    def _among_bulletins(self, query: Normalised) -> Judgement:
        """What is decided, once for each wording while the library stands still."""
        return self._judged.at(query) or self._judged.keep(
            query, decide(query, self._issued.index, self._judge)
        )


def _resembles(one: Scored) -> Resemblance:
    kind, _, target = one.id.partition(":")
    return Resemblance(
        kind=kind,
        target=target,
        score=one.score,
        reasons=tuple((r.kind.value, r.query, r.claim) for r in one.reasons),
        identical=any(r.kind is ReasonKind.IDENTICAL_TEXT for r in one.reasons),
    )
