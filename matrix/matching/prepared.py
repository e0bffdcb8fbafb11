"""A text taken apart once, for many comparisons."""

from dataclasses import dataclass

from matrix.matching.facts import Facts, find_facts
from matrix.matching.terms import bigrams, fold_sound, tokens
from matrix.matching.text import Normalised, canonical_url, normalise
from matrix.matching.verdicts import Candidate

__all__ = ["Prepared", "PreparedClaim", "prepare", "prepare_claim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``plain`` and ``sound`` are equally long and hold no punctuation."""

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
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedClaim:
    """A claim: its title taken apart, its rebuttal as far as it helps."""

    title: Prepared
    rebuttal_pairs: frozenset[str]
    urls: frozenset[str]


def prepare(query: Normalised) -> Prepared:
    """Take a normalised text apart."""
    single = tokens(query.text)
    letters = "".join(single)
    sound = fold_sound(letters)
    pairs = tuple(dict.fromkeys(bigrams(single)))
    sounds = tuple(map(fold_sound, pairs))
    return Prepared(
        key=query.key,
        text=query.text,
        plain=letters,
        sound=sound,
        singles=tuple(dict.fromkeys(single)),
        single_set=frozenset(single),
        pairs=pairs,
        pair_set=frozenset(pairs),
        pair_sounds=sounds,
        sound_pairs=frozenset(sounds),
        facts=find_facts(query.text),
    )


def prepare_claim(claim: Candidate) -> PreparedClaim:
    """Take a claim apart."""
    title = normalise(claim.title)
    rebuttal = normalise(claim.rebuttal).text
    return PreparedClaim(
        title=prepare(title),
        rebuttal_pairs=frozenset(bigrams(tokens(rebuttal))),
        urls=frozenset(map(canonical_url, claim.urls)) | frozenset(title.urls),
    )
