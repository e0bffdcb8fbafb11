"""Very long texts: the claim may be one sentence of an article that makes several."""

import dataclasses
import re
from collections.abc import Iterable

from matrix.matching.judge import ALIKE
from matrix.matching.verdicts import Decision, Judgement, Reason, ReasonKind, Scored

__all__ = ["LONG", "gather", "passages"]

LONG = 1500
"""Characters of a normalised text from which it is also read in passages."""

# A passage is about as long as the longest claims, and few texts have more of them.
_PASSAGE, _MOST = 300, 60
_SHOWN = 5
_QUOTED = 20
_ENDS = re.compile(r"(?<=[。!?;\n])")


def passages(text: str) -> list[str]:
    """Neighbouring sentences together, each passage up to some 300 characters, in order."""
    found: list[str] = []
    for sentence in _ENDS.split(text):
        for start in range(0, len(sentence), _PASSAGE):
            piece = sentence[start : start + _PASSAGE]
            if found and len(found[-1]) + len(piece) <= _PASSAGE:
                found[-1] += piece
            else:
                found.append(piece)
    return found[:_MOST]


def gather(whole: Judgement, parts: Iterable[tuple[str, Judgement]]) -> Judgement:
    """What the whole and its passages resemble, each claim once, by its best score.

    Nothing is answered: who sends an article with several claims is owed an answer to each.
    """
    best: dict[str, Scored] = {one.id: one for one in whole.candidates}
    for passage, judged in parts:
        for one in judged.candidates:
            known = best.get(one.id)
            if one.score < ALIKE or (known is not None and known.score >= one.score):
                continue
            where = Reason(kind=ReasonKind.PASSAGE, query=passage[:_QUOTED])
            best[one.id] = dataclasses.replace(one, reasons=(where, *one.reasons))
    shown = sorted(best.values(), key=lambda one: (-one.score, one.id))[:_SHOWN]
    clear = bool(shown) and shown[0].score >= ALIKE
    near = clear or whole.decision is not Decision.NONE
    return Judgement(
        decision=Decision.SUGGEST if near else Decision.NONE,
        candidates=tuple(shown),
        asks_original=False,
    )
