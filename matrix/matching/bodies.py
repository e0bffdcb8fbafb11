"""Named bodies: hospitals, schools, firms, offices."""

import re

__all__ = ["conflicting_bodies", "find_bodies"]

_KINDS = (  # noqa: SIM905 - a list a reader can scan
    "大学 医院 中学 小学 幼儿园 公司 集团 银行 超市 商场 酒店 小区 机场 法院 检察院 "
    "公安局 教育局 卫健委 卫生局 交警大队 派出所 自来水厂 电视台 研究所 研究院 协会 学院"
).split()
# Letters before the kind that may belong to the name.
_NAME = re.compile(rf"([\u4e00-\u9fff0-9a-z]{{2,6}}?)({'|'.join(_KINDS)})(?!生|附近|里的|门口)")
# Words that name no body in particular, or end before its name begins.
_NO_NAME = re.compile(
    r".*(?:某|多家|多所|各大|各|当地|有的|的|去|到|在|从|是|和|与|及|被|由|对|等|家|这|该|那|我们|你们|"
    r"他们|一些|所有|全部|本|大型|私立|公立|民营|国内|国外|网传|据|称|让|把|向|给|来|了|有|为|于)"
)


def find_bodies(text: str) -> tuple[str, ...]:
    """Names of bodies in a normalised text, each once, in order; what names none is left out."""
    found: dict[str, None] = {}
    if not any(kind in text for kind in _KINDS):
        return ()
    for name, kind in _NAME.findall(text):
        bare = _NO_NAME.sub("", name)
        if len(bare) > 1:
            found.setdefault(bare + kind, None)
    return tuple(found)


def conflicting_bodies(asked: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, str] | None:
    """A body of either side, of one kind, where neither side names the other's.

    The left end of a name is a guess, so that the longer one may end in the shorter.
    """
    if not asked or not said:
        return None
    mine = [one for one in said if not any(_same(one, other) for other in asked)]
    theirs = [one for one in asked if not any(_same(one, other) for other in said)]
    pairs = ((one, other) for one in theirs for other in mine if _kind(one) == _kind(other))
    return next(pairs, None)


def _same(one: str, other: str) -> bool:
    return one.endswith(other) or other.endswith(one)


def _kind(body: str) -> str:
    return next(kind for kind in _KINDS if body.endswith(kind))
