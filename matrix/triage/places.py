"""Places outside of the district that a text names."""

import re

from matrix.matching.gazetteer import Gazetteer
from matrix.matching.known_places import known_places

# What makes a foreign name a part of something at home: a street, a dish, a kind of goods.
_AT_HOME = re.compile(
    r"(?:东|西|南|北|中)?(?:路|街|大道|巷|广场|花园|酒店|饭店|宾馆|银行|菜|料理|烤鸭|小吃|小面|"
    r"米粉|拉面|牛肉面|火锅|香米|进口|产的|大理石|籍)"
)


def foreign_places(text: str, own: Gazetteer) -> tuple[str, ...]:
    """Provinces, larger cities and states named in a text, each once, in order.

    A name that stands within a place of the district, a street or a dish is none: 北海公园,
    南京路 and 重庆小面 are at home.
    """
    home = [(hit.start, hit.end) for hit in own.find(text)]
    found = [
        hit.name
        for hit in known_places().find(text)
        if not any(start < hit.end and hit.start < end for start, end in home)
        and not _AT_HOME.match(text, hit.end)
    ]
    return tuple(dict.fromkeys(found))
