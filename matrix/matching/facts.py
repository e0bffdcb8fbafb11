"""What makes a claim a different claim: its numbers, dates, negations, and signs of rebuttal."""

import re
from dataclasses import dataclass
from functools import cache

from matrix.matching.numerals import fold_numbers

__all__ = [
    "Dated",
    "Facts",
    "Number",
    "debunking_cues",
    "denials",
    "find_dates",
    "find_facts",
    "find_numbers",
    "may_deny",
    "negations",
    "reversals",
]

# Units that mean the same thing count as one.
_UNIT_GROUPS = (
    "人 名 例 位 个人 余人 多人 名学生 个病例",
    "元 块 块钱 元钱",
    "美元 美金",
    "岁 周岁",
    "天 日内",
    "小时 个小时 个钟头",
    "分钟 分",
    "个月",
    "年 年内",
    "公里 千米",
    "公斤 千克 kg",
    "斤",
    "克 g",
    "毫克 mg",
    "吨",
    "米",
    "厘米 cm",
    "毫升 ml",
    "升",
    "% 个百分点",
    "度 c",
    "次",
    "倍",
    "家",
    "所",
    "级",
    "辆",
    "只",
    "头",
    "条",
    "张",
    "瓶",
    "杯",
    "台",
    "户",
    "起",
    "种",
    "个",
    "点",
    "周",
    "代",
    "届",
    "层",
    "楼",
    "路",
    "号线",
)
_UNIT_OF = {unit: group.split()[0] for group in _UNIT_GROUPS for unit in group.split()}
_UNITS = "|".join(sorted(map(re.escape, _UNIT_OF), key=len, reverse=True))
_NUMBER = re.compile(rf"(百分之)?(\d{{1,12}}(?:\.\d{{1,6}})?)(?:[多余几])?({_UNITS})?")
_DATE = re.compile(
    r"(?:(\d{4})年)?(\d{1,2})月(?:(\d{1,2})[日号]?)?|(\d{4})年|(?<!\d)(\d{1,2})[日号](?!线|楼)"
)
_DIGIT = re.compile(r"\d")
_NEGATIONS = re.compile("不|没|无|未|非|别|勿|莫|否|禁")
# Characters of negation that deny nothing.
_HARMLESS = re.compile(
    "不但|不仅|不只|不过|不断|不管|不论|不少|不久|不同|不明|不锈|不良|不幸|不料|不孕|不治|非常|非法|非洲|非典|除非|"
    "无锡|无线|无人机|无论|无奈|无症状|未来|未成年|别人|特别|性别|级别|区别|识别|个别|分别|差别|别墅|告别|"
    "没收|否则|是否|禁毒|了不得|不得了|无数|莫名|无比|对不起|差不多|来不及"
)
# "能不能" asks; it does not deny.
_ASKING = re.compile(r"(.)不\1")
_OPPOSITES = (
    "增加/减少 提高/降低 升高/降低 上涨/下跌 上调/下调 允许/禁止 促进/抑制 有益/有害 致癌/抗癌 "
    "开放/关闭 开通/停运 恢复/暂停 延长/缩短 提前/推迟 增强/减弱 加重/减轻 有效/无效 安全/危险 "
    "真/假 多/少 能/不能 可以/不可以 有毒/无毒 免费/收费 阳性/阴性 进口/出口 男/女 "
    "停水/停气 停水/停电 停电/停气 开学/停课 复工/停工 解封/封城 死亡/生还 涨价/降价 禁止/可以 "
    "致癌/防癌 诱癌/抗癌 有害/无害 有益/无益 上升/下降 上涨/下降 上涨/下跌 升温/降温 支持/反对 "
    "承认/否认 成功/失败 复课/停课 取消/保留 有罪/无罪 治病/致病 延迟/提前 扩大/缩小 已/未"
)
_DEBUNKING = re.compile(
    "辟谣|不实|谣言|假消息|不属实|纯属虚构|纯属捏造|造谣|系谣传|谣传|不信谣|不传谣|并非事实|"
    "与事实不符|不是真的|并无此事|没有此事|澄清|假的"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A quantity in canonical digits; ``unit`` is empty when none was named."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A calendar date as far as it was named; 0 stands for a part left out."""

    year: int = 0
    month: int = 0
    day: int = 0

    def written(self) -> str:
        """Digits with their signs of year, month and day."""
        parts = ((self.year, "年"), (self.month, "月"), (self.day, "日"))
        return "".join(f"{value}{sign}" for value, sign in parts if value)

    def contradicts(self, other: "Dated") -> bool:
        """Whether a part named by both differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one text; ``values`` are the numbers without their units."""

    numbers: frozenset[Number]
    values: frozenset[str]
    dates: frozenset[Dated]
    cues: tuple[str, ...]


def find_facts(text: str) -> Facts:
    """The facts of a normalised text."""
    folded = fold_numbers(text)
    numbers = frozenset(find_numbers(folded))
    return Facts(
        numbers=numbers,
        values=frozenset([number.value for number in numbers]),
        dates=frozenset(find_dates(folded)),
        cues=debunking_cues(text),
    )


def find_numbers(folded: str) -> list[Number]:
    """Quantities in order, from a text whose numerals are folded; dates are left out."""
    if not _DIGIT.search(folded):
        return []
    bare = _DATE.sub(" ", folded)
    return [
        Number(value=value, unit="%" if percent else _UNIT_OF.get(unit or "", ""))
        for percent, value, unit in _NUMBER.findall(bare)
    ]


def find_dates(folded: str) -> list[Dated]:
    """Dates in order, from a text whose numerals are folded."""
    found: list[Dated] = []
    if not _DIGIT.search(folded):
        return found
    for year, month, day, lone_year, lone_day in _DATE.findall(folded):
        dated = Dated(
            year=int(year or lone_year or 0), month=int(month or 0), day=int(day or lone_day or 0)
        )
        found.append(dated)
    return found


def may_deny(text: str) -> bool:
    """Whether a character that can deny stands in the text; most pieces hold none."""
    return _NEGATIONS.search(text) is not None


def denials(text: str) -> list[int]:
    """Positions of the characters that deny; questions of the kind 能不能 hold none."""
    if not may_deny(text):
        return []
    plain = _HARMLESS.sub(lambda found: "*" * len(found.group()), text)
    plain = _ASKING.sub(r"\1*\1", plain)
    return [found.start() for found in _NEGATIONS.finditer(plain)]


def negations(text: str) -> int:
    """How many denials a text or a piece of one holds."""
    return len(denials(text))


def reversals(left: str, right: str) -> list[tuple[str, str]]:
    """Pairs of opposites of which one side has the one and the other side the other."""
    return [
        (mine, theirs)
        for mine, theirs in _opposites()
        if mine in left and theirs in right and mine not in right and theirs not in left
    ]


def debunking_cues(text: str) -> tuple[str, ...]:
    """Words that say a text rebuts rather than claims, each once, in order."""
    return tuple(dict.fromkeys(_DEBUNKING.findall(text)))


@cache
def _opposites() -> tuple[tuple[str, str], ...]:
    pairs = [tuple(pair.split("/")) for pair in _OPPOSITES.split()]
    return tuple((a, b) for pair in pairs for a, b in (pair, pair[::-1]))
