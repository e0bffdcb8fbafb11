"""Where a claim lies in a query, and in what the two part there."""

from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.distance._initialize import Opcode

from matrix.matching.prepared import Prepared

__all__ = ["Alignment", "Edit", "align"]

# Characters of agreement kept around an edit or before a window.
_CONTEXT = 2
# Characters aligned of either side: beyond them alignment costs seconds and tells no more.
_QUERY_ALIGNED, _CLAIM_ALIGNED = 2000, 300
# The best window often ends a character or two before a change at its border.
_MARGIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A place where the claim and the query's window part; one side may be empty.

    ``before`` and ``after`` are what both agree on around it (up to two characters, claim side).
    """

    claim: str
    query: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """The stretch of the longer text that sounds most like the shorter one.

    ``likeness`` 0 to 1; ``position``: where the window begins, as a share of the query;
    ``claim`` and ``query``: the aligned stretches; ``kept``: passages equal by sound, in the
    query's words; ``query_lead`` and ``claim_lead``: two characters before the first of them
    where the other side has none.
    """

    likeness: float
    position: float
    claim: str
    query: str
    edits: tuple[Edit, ...]
    kept: tuple[str, ...]
    query_lead: str
    claim_lead: str

    @property
    def common(self) -> str:
        """The longest passage both share, in the query's words."""
        return max(self.kept, key=len, default="")


def align(query: Prepared, claim: Prepared) -> Alignment:
    """Align by sound, so that a typing error is no difference."""
    asked, said = query.sound[:_QUERY_ALIGNED], claim.sound[:_CLAIM_ALIGNED]
    found = fuzz.partial_ratio_alignment(asked, said)
    if found is None:
        return Alignment(
            likeness=0.0, position=0.0, claim="", query="", edits=(), kept=(),
            query_lead="", claim_lead="",
        )  # fmt: skip
    wraps = len(asked) > len(said)
    if wraps:
        here = slice(max(0, found.src_start - _MARGIN), found.src_end + _MARGIN)
        there = slice(0, _CLAIM_ALIGNED)
    else:
        here = slice(0, _QUERY_ALIGNED)
        there = slice(max(0, found.dest_start - _MARGIN), found.dest_end + _MARGIN)
    mine, theirs = claim.plain[:_CLAIM_ALIGNED][there], query.plain[:_QUERY_ALIGNED][here]
    codes = list(Levenshtein.opcodes(said[there], asked[here]))
    outside = "insert" if wraps else "delete"
    inner = [
        code
        for at, code in enumerate(codes)
        if not (at in {0, len(codes) - 1} and code.tag == outside)
    ]
    kept = [code for code in inner if code.tag == "equal"]
    first = kept[0] if kept else None
    return Alignment(
        likeness=found.score / 100,
        position=found.src_start / max(1, len(asked)),
        claim=mine,
        query=theirs,
        edits=tuple(_edit(code, mine, theirs) for code in inner if code.tag != "equal"),
        kept=tuple(theirs[code.dest_start : code.dest_end] for code in kept),
        query_lead=_lead(theirs, first.dest_start) if first and wraps else "",
        claim_lead=_lead(mine, first.src_start) if first and not wraps else "",
    )


def _edit(code: Opcode, mine: str, theirs: str) -> Edit:
    return Edit(
        claim=mine[code.src_start : code.src_end],
        query=theirs[code.dest_start : code.dest_end],
        before=mine[max(0, code.src_start - _CONTEXT) : code.src_start],
        after=mine[code.src_end : code.src_end + _CONTEXT],
    )


def _lead(text: str, start: int) -> str:
    return text[max(0, start - _CONTEXT) : start]
