"""How much of each text's wording the other has."""

import math
from collections.abc import Mapping

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, LCSseq

from matrix.matching.features.weighted import Reading, Weighted
from matrix.matching.prepared import PreparedClaim

__all__ = ["wording"]

# A pair that only sounds alike may be a typing error, or another word.
_BY_SOUND = 0.9
# Terms that make a claim or a query what it is.
_TELLING_CLAIM, _TELLING_QUERY = 5, 8
# Characters compared of either side by common subsequences, whose cost grows with both.
_QUERY_COMPARED, _CLAIM_COMPARED = 2000, 300
_NO_REBUTTAL = -1.0


def wording(
    query: Weighted, reading: Reading, claim: Weighted, whole: PreparedClaim
) -> dict[str, float]:
    """Figures about terms and letters, wherever they stand."""
    return {
        **_claim_side(query, claim),
        **_query_side(query, reading, claim, whole),
        **_letters(query, claim),
        **_best_sentence(query, reading, claim),
        **_telling(query, claim, whole),
        **_thirds(query, claim),
        **_explained(query, whole),
        **_senses(query, claim, whole),
    }


def _claim_side(query: Weighted, claim: Weighted) -> dict[str, float]:
    exact = _shared(claim.pairs, query.text.pair_set)
    sounding = _sounding(claim, query)
    missing = claim.text.single_set - query.text.single_set
    lost = sorted([claim.singles[single] for single in missing], reverse=True)
    return {
        "cover_exact": exact / claim.pair_total,
        "cover": sounding / claim.pair_total,
        "shared": min(40.0, sounding),
        "lost": min(20.0, claim.pair_total - sounding),
        "singles": 1 - sum(lost) / claim.single_total,
        "lost_first": lost[0] if lost else 0.0,
        "lost_second": lost[1] if len(lost) > 1 else 0.0,
        "lost_singles": min(20, len(lost)),
        "claim_weight": min(40.0, claim.pair_total),
    }


def _query_side(
    query: Weighted, reading: Reading, claim: Weighted, whole: PreparedClaim
) -> dict[str, float]:
    titled = _sounding(query, claim)
    title, rebuttal = claim.text.pair_set, whole.rebuttal_pairs
    explained = math.fsum([query.pairs[p] for p in (query.text.pair_set & rebuttal) - title])
    unheard = query.text.single_set - claim.text.single_set - whole.rebuttal_singles
    new = (query.singles[one] for one in reading.singles if one in unheard)
    rest = max(query.pair_total - titled, 1e-6)
    return {
        "asked": titled / query.pair_total,
        "asked_anywhere": min(1.0, (titled + explained) / query.pair_total),
        "rest_explained": explained / rest if whole.rebuttal else _NO_REBUTTAL,
        "newest_pair": next(
            (query.pairs[p] for p in query.heaviest if p not in title and p not in rebuttal), 0.0
        ),
        "new_first": next(new, 0.0),
        "new_second": next(new, 0.0),
        "new_singles": min(60, len(unheard)),
        "asked_singles": _shared(query.singles, claim.text.single_set) / query.single_total,
        "query_weight": min(150.0, query.pair_total),
        "balance": 2 * titled / (query.pair_total + claim.pair_total),
        "rebuttal_length": math.log1p(len(whole.rebuttal)),
    }


def _letters(query: Weighted, claim: Weighted) -> dict[str, float]:
    asked, said = query.text.sound[:_QUERY_COMPARED], claim.text.sound[:_CLAIM_COMPARED]
    common = LCSseq.similarity(asked, said)
    lengths = max(1, len(query.text.plain)), max(1, len(claim.text.plain))
    return {
        "order_claim": common / max(1, len(said)),
        "order_query": common / max(1, len(asked)),
        "whole": Indel.normalized_similarity(asked[:_CLAIM_COMPARED], said),
        "triples": len(query.text.triples & claim.text.triples) / max(1, len(claim.text.triples)),
        "query_length": math.log(lengths[0]),
        "claim_length": math.log(lengths[1]),
        "proportion": math.log(lengths[0] / lengths[1]),
    }


def _best_sentence(query: Weighted, reading: Reading, claim: Weighted) -> dict[str, float]:
    """The clause that says the claim best; long texts hold it in the middle of others."""
    best = covered = asked = 0.0
    common = claim.text.pair_set & query.text.pair_set
    for pairs, weight in reading.sentences:
        if common.isdisjoint(pairs):
            continue
        shared = math.fsum([claim.pairs[pair] for pair in common & pairs])
        alike = 2 * shared / (claim.pair_total + weight)
        if alike > best:
            best, covered, asked = alike, shared / claim.pair_total, shared / max(weight, 1e-6)
    return {"sentence": best, "sentence_cover": covered, "sentence_asked": asked}


def _telling(query: Weighted, claim: Weighted, whole: PreparedClaim) -> dict[str, float]:
    mine, theirs = claim.heaviest[:_TELLING_CLAIM], query.heaviest[:_TELLING_QUERY]
    found = sum(pair in query.text.pair_set for pair in mine)
    said = sum(pair in claim.text.pair_set for pair in theirs)
    explained = sum(pair in whole.rebuttal_pairs for pair in theirs)
    return {
        "telling_claim": found / max(1, len(mine)),
        "telling_query": said / max(1, len(theirs)),
        "telling_explained": explained / max(1, len(theirs)),
    }


def _shared(weights: Mapping[str, float], others: frozenset[str]) -> float:
    # Exact, so that the order in which a set gives its terms does not count.
    return math.fsum([weights[term] for term in others.intersection(weights)])


def _sounding(of: Weighted, within: Weighted) -> float:
    """Weight of one text's pairs that the other has, by writing or, a little less, by sound."""
    here, exact, sounds = of.pairs, within.text.pair_set, within.text.sound_pairs
    return sum(
        [
            here[pair] if pair in exact else _BY_SOUND * here[pair]
            for pair, sound in zip(of.text.pairs, of.text.pair_sounds, strict=True)
            if sound in sounds
        ]
    )


def _thirds(query: Weighted, claim: Weighted) -> dict[str, float]:
    """Cover of the claim's beginning, middle and end: who, what, and with what outcome."""
    pairs, sounds, heard = claim.text.pairs, claim.text.pair_sounds, query.text.sound_pairs
    shares = []
    for part in range(3):
        here = range(part * len(pairs) // 3, (part + 1) * len(pairs) // 3)
        total = sum([claim.pairs[pairs[at]] for at in here])
        found = sum([claim.pairs[pairs[at]] for at in here if sounds[at] in heard])
        shares.append(found / total if total else 1.0)
    return {
        "cover_first": shares[0],
        "cover_middle": shares[1],
        "cover_last": shares[2],
        "cover_worst": min(shares),
    }


def _explained(query: Weighted, whole: PreparedClaim) -> dict[str, float]:
    """How much of the query the rebuttal says in the same order: it often quotes the rumor."""
    if not whole.rebuttal:
        return {"order_rebuttal": _NO_REBUTTAL, "window_rebuttal": _NO_REBUTTAL}
    asked, said = query.text.plain[:_CLAIM_COMPARED], whole.rebuttal[:_QUERY_COMPARED]
    return {
        "order_rebuttal": LCSseq.similarity(asked, said) / max(1, len(asked)),
        "window_rebuttal": fuzz.partial_ratio(asked, said) / 100,
    }


def _senses(query: Weighted, claim: Weighted, whole: PreparedClaim) -> dict[str, float]:
    """The same shares once other words for the same are one word."""
    both = math.fsum([claim.senses[p] for p in claim.senses.keys() & query.senses.keys()])
    beyond = (query.senses.keys() & whole.rebuttal_senses) - claim.senses.keys()
    explained = math.fsum([query.senses[p] for p in beyond])
    return {
        "sense_cover": both / claim.sense_total,
        "sense_asked": both / query.sense_total,
        "sense_balance": 2 * both / (query.sense_total + claim.sense_total),
        "sense_explained": explained / query.sense_total if whole.rebuttal else _NO_REBUTTAL,
        "sense_anywhere": (both + explained) / query.sense_total,
    }
