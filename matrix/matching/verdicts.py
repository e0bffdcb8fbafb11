"""Values the matcher takes and gives."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Candidate", "Decision", "Judgement", "Reason", "ReasonKind", "Scored"]


class Decision(StrEnum):
    """What may be done with a lead: answer it, show what is near, or open a case."""

    MATCH = "match"
    SUGGEST = "suggest"
    NONE = "none"


class ReasonKind(StrEnum):
    """Why a candidate was taken or held back."""

    IDENTICAL_TEXT = "identical_text"
    SAME_URL = "same_url"
    WORDING = "wording"
    NUMBER_DIFFERS = "number_differs"
    PLACE_DIFFERS = "place_differs"
    DATE_DIFFERS = "date_differs"
    BODY_DIFFERS = "body_differs"
    NEGATION_DIFFERS = "negation_differs"
    DEBUNKING_CUE = "debunking_cue"
    TOO_SHORT = "too_short"
    BARE_LINK = "bare_link"
    PAST_REVIEW = "past_review"
    PASSAGE = "passage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """``query`` and ``claim`` hold the words of either side that the reason is about."""

    kind: ReasonKind
    query: str = ""
    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A claim to compare with.

    ``normal`` texts are in normal form already, as an index gives them back.
    """

    id: str
    title: str
    rebuttal: str = ""
    urls: tuple[str, ...] = ()
    normal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A candidate with its likeness, 0 to 100, and what speaks for and against it."""

    id: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The decision on one lead; up to five candidates, best first.

    ``asks_original`` tells that the text is too short to be sure of: ask for the original.
    """

    decision: Decision
    candidates: tuple[Scored, ...]
    asks_original: bool
