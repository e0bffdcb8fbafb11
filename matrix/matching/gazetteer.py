"""Place names in a text, against a list of names with their areas."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matrix.matching.wordlist import longest_of

__all__ = ["Gazetteer", "PlaceHit", "PlaceName"]

# Characters looked at before and after a weak name for a sign that a place is meant.
_BEFORE, _AFTER = 6, 4
_CUES_BEFORE = re.compile(
    r"(?:在|去|到|从|往|来|回|由|发生|网传|位于|地处|途经|路过|抵达|前往|途径|经过|附近的|我们|咱们)[\"“《「【]?$"
)
_CUES_AFTER = re.compile(
    r"^[\"”》」】]?(?:那边|这边|那里|这里|一带|附近|周边|境内|辖区|本地|当地|人民|居民|村民|群众|有人|出现|发生|确诊|多地)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceName:
    """A name and the area it stands for.

    ``area`` is the code of a division; ``kind`` says what is named (official, former, stem,
    village, school, hospital, mall, road, 景区 and so on). A weak name counts only beside a
    cue, and never inside a word of its ``blocklist`` ("荔枝" the fruit, "江北机场").
    """

    name: str
    area: str
    strength: Literal["strong", "weak"]
    blocklist: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHit:
    """A name found at ``start:end`` of the text; ``strong`` hits may decide, weak ones hint."""

    name: str
    area: str
    start: int
    end: int
    strong: bool


class Gazetteer:
    """Finds the longest names first, so that an entity hides the stem it contains.

    A name shared by several areas gives one hit for each of them.
    """

    def __init__(self, names: Sequence[PlaceName], parents: Mapping[str, str]) -> None:
        self._parents = dict(parents)
        self._names: dict[str, list[PlaceName]] = {}
        for name in names:
            if name.name:
                self._names.setdefault(name.name, []).append(name)
        self._pattern = longest_of(self._names)

    def find(self, text: str) -> tuple[PlaceHit, ...]:
        """Hits in order of their position; those of one span in order of their area."""
        found = [hit for match in self._pattern.finditer(text) for hit in self._hits(text, match)]
        return tuple(found)

    def related(self, one: str, other: str) -> bool:
        """Whether two areas are the same, or one lies in the other."""
        return one in self._upwards(other) or other in self._upwards(one)

    def _hits(self, text: str, match: re.Match[str]) -> Iterator[PlaceHit]:
        for name in sorted(self._names[match.group()], key=lambda name: name.area):
            strong = name.strength == "strong"
            if _blocked(text, match, name.blocklist) or not (strong or _cued(text, match)):
                continue
            yield PlaceHit(
                name=name.name, area=name.area, start=match.start(), end=match.end(), strong=strong
            )

    def _upwards(self, area: str) -> set[str]:
        line = {area}
        while (above := self._parents.get(area)) is not None and above not in line:
            line.add(above)
            area = above
        return line


def _cued(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    after = text[match.end() : match.end() + _AFTER]
    return bool(_CUES_BEFORE.search(before) or _CUES_AFTER.match(after))


def _blocked(text: str, match: re.Match[str], blocklist: tuple[str, ...]) -> bool:
    """Whether a blocking word covers the name where it stands."""
    for word in blocklist:
        offset = max(0, match.start() - len(word) + 1)
        at = text.find(word, offset, match.end() + len(word))
        if 0 <= at < match.end() and at + len(word) > match.start():
            return True
    return False
