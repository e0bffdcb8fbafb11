"""A text taken apart once, for many comparisons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matrix.matching.bodies import find_bodies
from matrix.matching.facts import Facts, denials, find_facts, negations
from matrix.matching.gazetteer import Gazetteer, PlaceHit
from matrix.matching.known_places import known_places
from matrix.matching.terms import bigrams, fold_sound, sense_pairs, tokens
from matrix.matching.text import Normalised, canonical_url, key_of, normalise
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
    ``pair_sounds`` goes with ``pairs``; ``senses`` are the pairs in the words of their groups;
    ``triples`` are three neighbouring characters;
    ``sentences`` are the pairs of each clause and of each two neighbouring clauses;
    ``denied`` are pairs of characters right after a denial, ``affirmed`` all others;
    ``slots``: numbers by their two neighbours; ``words``: those of other scripts; ``modals``:
    can, must, will; ``asks`` and ``denials``: how often; ``bodies``: by name; ``places`` are those
    any reader knows,
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
    senses: tuple[str, ...]
    triples: frozenset[str]
    denied: frozenset[str]
    affirmed: frozenset[str]
    slots: Mapping[tuple[str, str], frozenset[str]]
    words: frozenset[str]
    modals: frozenset[str]
    asks: int
    denials: int
    facts: Facts
    bodies: tuple[str, ...]
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
    rebuttal_senses: frozenset[str]
    rebuttal_places: frozenset[str]
    rebuttal_denials: float
    urls: frozenset[str]


def prepare(query: Normalised, own: Gazetteer = NOWHERE) -> Prepared:
    """Take a normalised text apart."""
    return _take_apart(query.text, query.key, own)


def _take_apart(text: str, key: str, own: Gazetteer) -> Prepared:
    every = tokens(text)
    letters = "".join(every)
    pairs = tuple(dict.fromkeys(bigrams(every)))
    sounds = tuple(fold_sound(" ".join(pairs)).split(" ")) if pairs else ()
    denying = denials(letters)
    denied, affirmed = _polarity(letters, denying)
    return Prepared(
        key=key,
        text=text,
        plain=letters,
        sound=fold_sound(letters),
        singles=tuple(dict.fromkeys(every)),
        single_set=frozenset(every),
        pairs=pairs,
        pair_set=frozenset(pairs),
        pair_sounds=sounds,
        sound_pairs=frozenset(sounds),
        senses=tuple(dict.fromkeys(sense_pairs(text))),
        triples=frozenset(letters[at : at + 3] for at in range(len(letters) - 2)),
        denied=denied,
        affirmed=affirmed,
        slots=_slots(every),
        words=frozenset(_WORD.findall(letters)),
        modals=frozenset(_MODAL.findall(letters)),
        asks=len(_ASKS.findall(text)),
        denials=len(denying),
        facts=find_facts(text),
        bodies=find_bodies(text),
        places=known_places().find(text),
        own=tuple(hit for hit in own.find(text) if hit.strong),
    )


def prepare_claim(claim: Candidate, own: Gazetteer = NOWHERE) -> PreparedClaim:
    """Take a claim apart."""
    links = frozenset(map(canonical_url, claim.urls))
    if claim.normal:
        title, key, rebuttal = claim.title, key_of(claim.title), claim.rebuttal
    else:
        normal, rebuttal = normalise(claim.title), normalise(claim.rebuttal).text
        title, key, links = normal.text, normal.key, links.union(normal.urls)
    single = tokens(rebuttal)
    letters = "".join(single)
    return PreparedClaim(
        title=_take_apart(title, key, own),
        rebuttal=letters,
        rebuttal_pairs=frozenset(bigrams(single)),
        rebuttal_singles=frozenset(single),
        rebuttal_senses=frozenset(sense_pairs(rebuttal)),
        rebuttal_places=frozenset(hit.name for hit in known_places().find(rebuttal)),
        rebuttal_denials=negations(letters) / (1 + len(single)),
        urls=links,
    )


def _slots(every: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
    """Numbers by what stands right before and right after them."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for at, middle in enumerate(every):
        if middle[0].isdigit():
            left = every[at - 1] if at else ""
            slot = left, "".join(every[at + 1 : at + 2])
            found[slot] = found.get(slot, frozenset()) | {middle}
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
