"""A text taken apart once, for many comparisons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matrix.matching.facts import Facts, denials, find_facts, negations
from matrix.matching.gazetteer import Gazetteer, PlaceHit
from matrix.matching.known_places import known_places
from matrix.matching.terms import bigrams, fold_sound, tokens
from matrix.matching.text import Normalised, canonical_url, in_normal_form, normalise
from matrix.matching.verdicts import Candidate

__all__ = ["NOWHERE", "Prepared", "PreparedClaim", "prepare", "prepare_claim"]

NOWHERE = Gazetteer((), {})
"""The gazetteer of a district without places."""

_SENTENCES = re.compile(r"[。!?;\n\s,:…【】\[\]#、]+")
# Shorter pieces are names and cries; beyond the number a text says nothing new.
_SHORTEST_SENTENCE, _SENTENCES_KEPT = 4, 60
_HAN_PAIR = re.compile(r"(?=([\u3400-\u9fff]{2}))")
_WORD = re.compile(r"[a-z][a-z0-9]+")
_MODAL = re.compile(r"可以|能够|能|会|可能|或|应该|必须|要|将")
_ASKS = re.compile(r"吗|么|是否|是不是|真的假的|真假|\?|如何|为什么|怎么")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``plain`` and ``sound`` are equally long and hold no punctuation.

    ``singles`` are tokens, ``pairs`` neighbouring tokens, each once and in order;
    ``pair_sounds`` goes with ``pairs``; ``triples`` are three neighbouring characters;
    ``sentences`` are the pairs of each clause and of each two neighbouring clauses;
    ``denied`` are pairs of characters right after a denial, ``affirmed`` all others;
    ``slots``: numbers by their two neighbours; ``words``: those of other scripts; ``modals``:
    can, must, will; ``asks`` and ``denials``: how often; ``places`` are those any reader knows,
    ``own`` the district's strong names.
    """

    key: str
    text: str
    plain: str
    sound: str
    singles: tuple[str, ...]
    single_set: frozenset[str]
    pairs: tuple[str, ...]
    pair_set: frozenset[str]
    pair_sounds: tuple[str, ...]
    sound_pairs: frozenset[str]
    triples: frozenset[str]
    denied: frozenset[str]
    affirmed: frozenset[str]
    slots: Mapping[tuple[str, str], frozenset[str]]
    words: frozenset[str]
    modals: frozenset[str]
    asks: int
    denials: int
    facts: Facts
    places: tuple[PlaceHit, ...]
    own: tuple[PlaceHit, ...]

    def sentences(self) -> list[frozenset[str]]:
        """The pairs of each clause, and of each two neighbouring ones; of all where none is."""
        found: list[frozenset[str]] = []
        before: frozenset[str] = frozenset()
        pieces = [p for p in _SENTENCES.split(self.text) if len(p) >= _SHORTEST_SENTENCE]
        for piece in pieces[:_SENTENCES_KEPT]:
            pairs = frozenset(bigrams(tokens(piece)))
            found.append(pairs)
            if before:
                found.append(before | pairs)
            before = pairs
        return [pairs for pairs in found if pairs] or [self.pair_set]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedClaim:
    """A claim: its title taken apart, its rebuttal as far as it helps.

    ``rebuttal_denials`` is how many of its characters deny, as a share.
    """

    title: Prepared
    rebuttal: str
    rebuttal_pairs: frozenset[str]
    rebuttal_singles: frozenset[str]
    rebuttal_places: frozenset[str]
    rebuttal_denials: float
    urls: frozenset[str]


def prepare(query: Normalised, own: Gazetteer = NOWHERE) -> Prepared:
    """Take a normalised text apart."""
    every = tokens(query.text)
    letters = "".join(every)
    pairs = tuple(dict.fromkeys(bigrams(every)))
    sounds = tuple(fold_sound(" ".join(pairs)).split(" ")) if pairs else ()
    denying = denials(letters)
    denied, affirmed = _polarity(letters, denying)
    return Prepared(
        key=query.key,
        text=query.text,
        plain=letters,
        sound=fold_sound(letters),
        singles=tuple(dict.fromkeys(every)),
        single_set=frozenset(every),
        pairs=pairs,
        pair_set=frozenset(pairs),
        pair_sounds=sounds,
        sound_pairs=frozenset(sounds),
        triples=frozenset(letters[at : at + 3] for at in range(len(letters) - 2)),
        denied=denied,
        affirmed=affirmed,
        slots=_slots(every),
        words=frozenset(_WORD.findall(letters)),
        modals=frozenset(_MODAL.findall(letters)),
        asks=len(_ASKS.findall(query.text)),
        denials=len(denying),
        facts=find_facts(query.text),
        places=known_places().find(query.text),
        own=tuple(hit for hit in own.find(query.text) if hit.strong),
    )


def prepare_claim(claim: Candidate, own: Gazetteer = NOWHERE) -> PreparedClaim:
    """Take a claim apart."""
    taken = in_normal_form if claim.normal else normalise
    title = taken(claim.title)
    rebuttal = claim.rebuttal if claim.normal else normalise(claim.rebuttal).text
    single = tokens(rebuttal)
    return PreparedClaim(
        title=prepare(title, own),
        rebuttal="".join(single),
        rebuttal_pairs=frozenset(bigrams(single)),
        rebuttal_singles=frozenset(single),
        rebuttal_places=frozenset(hit.name for hit in known_places().find(rebuttal)),
        rebuttal_denials=negations("".join(single)) / (1 + len(single)),
        urls=frozenset(map(canonical_url, claim.urls)) | frozenset(title.urls),
    )


def _slots(every: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
    """Numbers by what stands right before and right after them."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    framed = ("", *every, "")
    for left, middle, right in zip(framed, framed[1:], framed[2:], strict=False):
        if middle[:1].isdigit():
            found[left, right] = found.get((left, right), frozenset()) | {middle}
    return found


def _polarity(letters: str, denying: Sequence[int]) -> tuple[frozenset[str], frozenset[str]]:
    """Pairs of Han characters within two places after a denial, and all others."""
    if not denying:
        return frozenset(), frozenset(_HAN_PAIR.findall(letters))
    at = set(denying)
    pairs = [(found.start(), found.group(1)) for found in _HAN_PAIR.finditer(letters)]
    denied, affirmed = set[str](), set[str]()
    for start, pair in pairs:
        if start in at or start + 1 in at:
            continue
        (denied if start - 1 in at or start - 2 in at else affirmed).add(pair)
    return frozenset(denied), frozenset(affirmed)
