"""How alike a query and a claim are, in figures between 0 and 1."""

from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq, Levenshtein

from matrix.matching.prepared import Prepared, PreparedClaim
from matrix.matching.terms import Rarity

__all__ = ["Edit", "Measures", "cover", "measure"]

# Characters of agreement kept around an edit or before a window.
_CONTEXT = 2
# Characters aligned of either side: beyond them alignment costs seconds and tells no more.
_QUERY_ALIGNED, _CLAIM_ALIGNED = 2000, 300
# A pair that only sounds alike may be a typing error, or another word.
_BY_SOUND = 0.9


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
class _Aligned:
    score: float
    edits: tuple[Edit, ...]
    query_lead: str
    claim_lead: str
    common: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All shares from 0 to 1.

    ``cover``: rarity of the claim's pairs found in the query; ``asked``: of the query's pairs
    found in the claim or its rebuttal; ``title_asked``: in the title alone; ``window``:
    likeness of the best window by sound; ``lcs``: common subsequence over the claim;
    ``dice``: pairs; ``singles``: claim's characters found; ``edits``: see `Edit`;
    ``changed``: rarity of what is replaced within the window, over the claim's; ``length``:
    shorter over longer. ``query_lead`` and ``claim_lead``: two characters before the window;
    ``common``: the longest passage both share, in the query's words.
    """

    cover: float
    asked: float
    title_asked: float
    window: float
    lcs: float
    dice: float
    singles: float
    changed: float
    length: float
    edits: tuple[Edit, ...]
    query_lead: str
    claim_lead: str
    common: str


def cover(query: Prepared, claim: PreparedClaim, rarity: Rarity) -> float:
    """The cheap measure: rarity-weighted share of the claim's pairs that the query has."""
    total = found = 0.0
    for pair in claim.title.pairs:
        weight = rarity.rarity(pair)
        total += weight
        if pair in query.pair_set:
            found += weight
    return found / total if total else 0.0


def measure(query: Prepared, claim: PreparedClaim, rarity: Rarity) -> Measures:
    """Everything the score is made of."""
    title = claim.title
    aligned = _align(query, title)
    shared = len(query.pair_set & title.pair_set)
    both = len(query.pair_set) + len(title.pair_set)
    said = title.sound[:_CLAIM_ALIGNED]
    lcs = LCSseq.similarity(query.sound[:_QUERY_ALIGNED], said)
    return Measures(
        cover=_sounding(title, query, rarity),
        asked=_share(query, title.pair_set | claim.rebuttal_pairs, rarity),
        title_asked=_sounding(query, title, rarity),
        window=aligned.score,
        lcs=lcs / max(1, len(said)),
        dice=2 * shared / both if both else 0.0,
        singles=_singles(query, title, rarity),
        changed=_changed(aligned.edits, title, rarity),
        length=min(len(query.plain), len(title.plain)) / max(1, len(query.plain), len(title.plain)),
        edits=aligned.edits,
        query_lead=aligned.query_lead,
        claim_lead=aligned.claim_lead,
        common=aligned.common,
    )


def _sounding(of: Prepared, within: Prepared, rarity: Rarity) -> float:
    """Share of one text's pairs that the other has, by writing or, a little less, by sound."""
    total = found = 0.0
    for pair, sound in zip(of.pairs, of.pair_sounds, strict=True):
        weight = rarity.rarity(pair)
        total += weight
        if pair in within.pair_set:
            found += weight
        elif sound in within.sound_pairs:
            found += _BY_SOUND * weight
    return found / total if total else 0.0


def _share(of: Prepared, within: frozenset[str], rarity: Rarity) -> float:
    total = found = 0.0
    for pair in of.pairs:
        weight = rarity.rarity(pair)
        total += weight
        if pair in within:
            found += weight
    return found / total if total else 0.0


def _singles(query: Prepared, title: Prepared, rarity: Rarity) -> float:
    total = found = 0.0
    for single in title.singles:
        weight = rarity.rarity(single)
        total += weight
        if single in query.single_set:
            found += weight
    return found / total if total else 0.0


def _align(query: Prepared, title: Prepared) -> _Aligned:
    found = fuzz.partial_ratio_alignment(query.sound[:_QUERY_ALIGNED], title.sound[:_CLAIM_ALIGNED])
    if found is None:
        return _Aligned(score=0.0, edits=(), query_lead="", claim_lead="", common="")
    asked = query.plain[found.src_start : found.src_end]
    said = title.plain[found.dest_start : found.dest_end]
    asked_sound = query.sound[found.src_start : found.src_end]
    said_sound = title.sound[found.dest_start : found.dest_end]
    codes = Levenshtein.opcodes(said_sound, asked_sound)
    edits = tuple(
        Edit(
            claim=said[code.src_start : code.src_end],
            query=asked[code.dest_start : code.dest_end],
            before=said[max(0, code.src_start - _CONTEXT) : code.src_start],
            after=said[code.src_end : code.src_end + _CONTEXT],
        )
        for code in codes
        if code.tag != "equal"
    )
    kept = [asked[code.dest_start : code.dest_end] for code in codes if code.tag == "equal"]
    return _Aligned(
        common=max(kept, key=len, default=""),
        score=found.score / 100,
        edits=edits,
        query_lead=query.plain[max(0, found.src_start - _CONTEXT) : found.src_start],
        claim_lead=title.plain[max(0, found.dest_start - _CONTEXT) : found.dest_start],
    )


def _changed(edits: tuple[Edit, ...], title: Prepared, rarity: Rarity) -> float:
    total = sum(rarity.rarity(single) for single in title.singles)
    lost = sum(rarity.rarity(character) for edit in edits for character in edit.claim)
    return min(1.0, lost / total) if total else 0.0
