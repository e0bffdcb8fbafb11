"""Normal form of a text, so that one rumor forwarded in ten dresses is one text."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from opencc import OpenCC

from matrix.matching.links import canonical_url, cut_links
from matrix.matching.shells import peel

__all__ = ["Normalised", "canonical_url", "key_of", "normalise"]

# Characters kept of one text: four times the longest message of any platform we serve.
_LIMIT = 20_000
# Rounds until nothing changes; two are usual, the rest guard against odd input.
_ROUNDS = 8

_MENTION = re.compile(r"(?<![a-z0-9])@[\w\-·]{1,20}(?=[\s:,。、]|$)|(?<![a-z0-9])@")
_EMOTE = re.compile(r"\[[\u4e00-\u9fff]{1,4}\]")
# A dot or star put between Han characters to slip past a filter; two and more are a pause.
_SPLITTERS = re.compile(r"(?<=[\u4e00-\u9fff])[*.·•・](?=[\u4e00-\u9fff])")
_SPACES = re.compile(r"\s+")
_LOOSE = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")
_REPEATED = re.compile(r"([^\w\s])\1+")
_UNITS = re.compile(r"[\u3400-\u9fff]|\d+(?:\.\d+)?|[^\W\d_\u3400-\u9fff]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TO_SIMPLIFIED = OpenCC("t2s")
# Written both ways within one script; OpenCC leaves them alone.
_VARIANTS = str.maketrans("著妳祢牠祂衹祇箇週囗曰", "着你你它它只只个周口日")
# Cantonese as it is written in chats, where one character stands for one of the common script.
_CANTONESE = str.maketrans(
    "嘅唔冇咗喺佢哋啲畀俾睇攞嚟嗰咩乜嘢瞓", "的不没了在他们些给给看拿来那么么事睡"
)
# Emoji that compatibility forms would turn into punctuation.
_SIGNS = dict.fromkeys(map(ord, "‼⁉"))
_DROPPED = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "So", "Sk", "Me"})
# Marks piled on letters. Those of Tibetan, Uyghur or Mongolian writing are letters, and stay.
_PILED = re.compile(
    r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """A text in normal form.

    ``text`` keeps its inner punctuation; ``key`` (SHA-256, hex) is made of letters and digits
    alone, so that equal keys mean equal wording; ``urls`` are canonical, in order;
    ``length`` counts a Han character as 1 and a Latin word or a number as 2.
    """

    text: str
    key: str
    urls: tuple[str, ...]
    length: int


class _Sieve(dict[int, str | int]):
    """Translation table that fills itself: what is no writing goes, blanks become a space."""

    def __missing__(self, code: int) -> str | int:
        character = chr(code)
        kept: str | int = code
        if character.isspace():
            kept = " "
        elif unicodedata.category(character) in _DROPPED or _PILED.match(character):
            kept = ""
        self[code] = kept
        return kept


_SIEVE = _Sieve()


def normalise(text: str) -> Normalised:
    """Bring a text into normal form. Idempotent on ``text``, linear in its length."""
    current = text[: 2 * _LIMIT]
    urls: dict[str, None] = {}
    for _ in range(_ROUNDS):
        before = current
        current, links = _one_round(before)
        urls.update(dict.fromkeys(links))
        if current == before:
            break
    return _described(current, tuple(urls))


def key_of(text: str) -> str:
    """The key of a text in normal form (see `Normalised`)."""
    letters = "".join(filter(str.isalnum, text))
    return hashlib.sha256(letters.encode()).hexdigest()


def _described(text: str, urls: tuple[str, ...]) -> Normalised:
    return Normalised(
        text=text,
        key=key_of(text),
        urls=urls,
        length=2 * len(_UNITS.findall(text)) - len(_HAN.findall(text)),
    )


def _one_round(text: str) -> tuple[str, tuple[str, ...]]:
    plain = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIEVE)
    plain = plain[:_LIMIT]
    plain, links = cut_links(plain)
    plain = _MENTION.sub(" ", plain.lower())
    plain = _EMOTE.sub(" ", plain)
    plain = _SPACES.sub(" ", plain).strip()
    plain = _LOOSE.sub("", plain)
    plain = _SPLITTERS.sub("", plain)
    plain = _TO_SIMPLIFIED.convert(plain.translate(_CANTONESE)).translate(_VARIANTS)
    return peel(_REPEATED.sub(r"\1", plain)), links
