"""Remarks on a draft: what blocks it and what only deserves a look (domain §8)."""

import re
from dataclasses import dataclass

from matrix.privacy import mask

MARK = "【网传】"
SHORT = 70
"""Characters of the short form for groups."""

_ABSOLUTE = ("绝对", "百分之百", "100%", "永远", "一切", "完全没有任何")
_TRUE_CUE = re.compile("属实|确有|确实|的确|真实|没错")
"""How a first sentence says that something of the rumor is true."""
_NAME_CUE = re.compile(r"(学生|患者|居民|男子|女子|业主)[\u4e00-\u9fff]{1,3}(某|（)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """``code`` is a key under ``lint``; ``part`` is where; blocking ones stop a submission."""

    code: str
    part: str
    blocking: bool


def lint(
    *,
    title: str,
    fact: str,
    rumor: str,
    why: str,
    todo: str,
    rebuts: bool,
    partly: bool = False,
) -> tuple[Remark, ...]:
    """Remarks in the order of the parts. ``partly``: the verdict is 部分属实."""
    remarks = []
    whole = {"title": title, "fact": fact, "rumor": rumor, "why": why, "todo": todo}
    for part, text in whole.items():
        if text and mask(text) != text:
            remarks.append(Remark(code="personal_number", part=part, blocking=True))
        if any(word in text for word in _ABSOLUTE):
            remarks.append(Remark(code="absolute", part=part, blocking=False))
        if _NAME_CUE.search(text):
            remarks.append(Remark(code="name", part=part, blocking=False))
    if rebuts:
        remarks += _rebuttal(title, fact, rumor, why)
    if partly and not _TRUE_CUE.search(re.split("[。！？\n]", fact.strip())[0]):
        remarks.append(Remark(code="true_part_first", part="fact", blocking=True))
    if not todo:
        remarks.append(Remark(code="no_todo", part="todo", blocking=False))
    return tuple(remarks)


def _rebuttal(title: str, fact: str, rumor: str, why: str) -> list[Remark]:
    remarks = []
    quoted = rumor.strip('“”"。 ')
    if MARK in title or (quoted and quoted in title):
        remarks.append(Remark(code="title_states_rumor", part="title", blocking=True))
    if quoted and (quoted in fact or quoted in why):
        remarks.append(Remark(code="rumor_twice", part="fact", blocking=True))
    if rumor and len(why) < 6:  # noqa: PLR2004
        remarks.append(Remark(code="bare_denial", part="why", blocking=True))
    return remarks


def compose(*, title: str, fact: str, rumor: str, why: str, todo: str) -> str:
    """The full text: fact first, the rumor quoted once and marked, why, what to do."""
    quoted = f"{MARK}“{rumor.strip('“”')}”" if rumor else ""
    return "\n\n".join(part for part in (title, fact, quoted, why, todo) if part.strip())


def short_form(fact: str) -> str:
    """At most seventy characters: the fact's first sentences."""
    if len(fact) <= SHORT:
        return fact
    kept = ""
    for sentence in re.findall(r"[^。！？]+[。！？]?", fact):
        if len(kept) + len(sentence) > SHORT:
            break
        kept += sentence
    return kept or fact[: SHORT - 1] + "…"
