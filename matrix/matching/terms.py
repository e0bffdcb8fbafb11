"""The small pieces a text is compared by: characters, pairs of them, and how they sound."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from operator import add
from typing import Protocol

from pypinyin.constants import PINYIN_DICT

from matrix.matching.numerals import fold_numbers
from matrix.matching.synonyms import fold_words

__all__ = ["Rarity", "bigrams", "fold_sound", "sense_pairs", "terms", "tokens"]

_TOKENS = re.compile(r"[\u3400-\u9fff]|\d+(?:\.\d+)?|[^\W\d_\u3400-\u9fff]+")
_HAN_FIRST, _HAN_PAST = "\u3400", "\ua000"
_FIRST_HAN, _LAST_HAN = 0x4E00, 0x9FA5
_TONES = frozenset("\u0300\u0301\u0304\u030c")
# Pairs many speakers do not tell apart, and typing errors follow speech.
_CONFUSED = (("zh", "z"), ("ch", "c"), ("sh", "s"))


class Rarity(Protocol):
    """How much a term tells: the inverse document frequency, free of the library's size."""

    def rarity(self, term: str) -> float:
        """log((claims + 1) / (claims with the term + 1)) over its greatest value: 0 to 1.

        1 for a term that no claim has. A library of a few claims counts as one of fifty.
        """
        ...


def tokens(text: str) -> list[str]:
    """Han characters, words of other scripts and canonical numbers, in order."""
    return _TOKENS.findall(fold_numbers(text))


def terms(text: str) -> list[str]:
    """What a text is indexed and searched by: tokens, pairs of them, and pairs of senses."""
    single = tokens(text)
    pairs = bigrams(single)
    known = set(pairs)
    return single + pairs + [pair for pair in sense_pairs(text) if pair not in known]


def sense_pairs(text: str) -> list[str]:
    """Pairs of neighbouring tokens once every word is written as its group writes it."""
    return bigrams(tokens(fold_words(text)))


def bigrams(single: Sequence[str]) -> list[str]:
    """Neighbouring tokens joined; a bar keeps two words or numbers apart."""
    # Most texts hold nothing else, and then no pair needs a look.
    if single and min(single) >= _HAN_FIRST and max(single) < _HAN_PAST:
        return list(map(add, single, single[1:]))
    return [
        left + right
        if _HAN_FIRST <= left < _HAN_PAST or _HAN_FIRST <= right < _HAN_PAST
        else f"{left}|{right}"
        for left, right in pairwise(single)
    ]


def fold_sound(text: str) -> str:
    """The text with every Han character replaced by one that stands for its sound.

    Length and positions stay, so that alignments on it hold for the text itself.
    """
    return text.translate(_sounds())


@cache
def _sounds() -> dict[int, str]:
    first: dict[str, str] = {}
    table: dict[int, str] = {}
    for code in range(_FIRST_HAN, _LAST_HAN + 1):
        if code not in PINYIN_DICT:
            continue
        syllable = _syllable(PINYIN_DICT[code])
        table[code] = first.setdefault(syllable, chr(code))
    return table


def _syllable(readings: str) -> str:
    """The first of several readings ("háng,xíng"), without its tone and as it is folded."""
    first = unicodedata.normalize("NFD", readings.partition(",")[0])
    plain = "".join(letter for letter in first if letter not in _TONES)
    sound = unicodedata.normalize("NFC", plain).replace("ü", "v")
    for spoken, folded in _CONFUSED:
        sound = sound.replace(spoken, folded)
    return sound.removesuffix("g") if sound.endswith(("ing", "eng")) else sound
