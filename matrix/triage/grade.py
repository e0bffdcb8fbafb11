"""How grave: severity, controllability and influence 0–3 → grade, with the rule shown (§5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from matrix.core.case import Grade

# Local seed lists, tuned by the district on real cases. Severity by the worst word found.
SEVERITY: Mapping[int, tuple[str, ...]] = {
    3: (
        "死亡", "死了", "爆炸", "中毒", "坍塌", "塌了", "溃坝", "泄漏", "绑架", "砍人", "砍伤",
        "投毒"),
    2: (
        "停水", "停电", "停气", "疫情", "传染", "致癌", "诈骗", "失踪", "抢购", "断供",
        "封路", "地震", "洪水", "火灾", "着火", "偷孩子", "拐", "暴雨", "涨价", "停课",
    ),
    1: ("通知", "取消", "补贴", "收费", "罚款", "不能吃", "有毒", "辐射"),
}  # fmt: skip
LIFE_DANGER = (
    "救命", "快死了", "要跳楼", "想自杀", "不想活", "被困", "正在着火", "起火了快", "有人落水",
    "昏迷不醒",
)  # fmt: skip
"""Words about danger to life, now: 110/119/120 come before any matching."""

# Local seed numbers. Counts of persons, areas, groups, or of leads within the last hour.
_OUT_OF_CONTROL = 10
_SPREADING = 5
_RISING = 2
# So many persons within so many minutes of the first sighting: it travels by itself.
_QUICK_PERSONS = 3
_QUICK_MINUTES = 30


class Rule(StrEnum):
    """The row that decided a grade; a person decides by PERSON."""

    RED = "red"
    ORANGE_AXIS = "orange-axis"
    ORANGE_SUM = "orange-sum"
    YELLOW = "yellow"
    BLUE = "blue"
    FLOOR = "floor"
    PERSON = "person"


class Influence(StrEnum):
    """What raised the influence."""

    PERSONS = "persons"
    AREAS = "areas"
    GROUPS = "groups"
    QUICK = "quick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What is known of the spread of one claim."""

    leads: int = 1
    persons: int = 1
    areas: int = 1
    groups: int = 1
    last_hour: int = 1
    minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Axes, the floor that applied, and the grade. ``rule`` names the row that decided.

    ``spread`` is what raised the influence: (what, count, minutes since the first or nothing).
    """

    severity: int
    controllability: int
    influence: int
    floor: str
    grade: Grade
    rule: Rule
    spread: tuple[tuple[str, str, str], ...] = ()


_ORDER = (Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED)


def worse(one: Grade, other: Grade) -> Grade:
    """The graver of two."""
    return max(one, other, key=_ORDER.index)


def lower(one: Grade, other: Grade) -> bool:
    """Whether the first is lower than the second."""
    return _ORDER.index(one) < _ORDER.index(other)


def severity_of(text: str) -> int:
    """0–3 by the worst word."""
    return max(
        (level for level, words in SEVERITY.items() if any(w in text for w in words)), default=0
    )


def _steps(count: int, *limits: int) -> int:
    return sum(count >= limit for limit in limits)


def grade_of(severity: int, controllability: int, influence: int) -> tuple[Grade, Rule]:
    """Grade and the name of the rule. Source: domain §5; first match wins."""
    axes = (severity, controllability, influence)
    if severity == 3 and (influence >= 2 or controllability == 3):  # noqa: PLR2004
        return Grade.RED, Rule.RED
    if max(axes) == 3:  # noqa: PLR2004
        return Grade.ORANGE, Rule.ORANGE_AXIS
    if sum(axes) >= 6:  # noqa: PLR2004
        return Grade.ORANGE, Rule.ORANGE_SUM
    if sum(axes) >= 3:  # noqa: PLR2004
        return Grade.YELLOW, Rule.YELLOW
    return Grade.BLUE, Rule.BLUE


def assess(text: str, floors: Collection[str], spread: Spread) -> Assessment:
    """Assess a claim. ``floors`` are those of its topics (life_safety, minors, panic, forged)."""
    severity = severity_of(text)
    controllability = _steps(spread.last_hour, _RISING, _SPREADING, _OUT_OF_CONTROL)
    influence, why = _influence(spread)
    grade, rule = grade_of(severity, controllability, influence)
    floor = next(iter(sorted(floors)), "")
    if floor and grade is Grade.BLUE:
        grade, rule = Grade.YELLOW, Rule.FLOOR
    return Assessment(
        severity=severity,
        controllability=controllability,
        influence=influence,
        floor=floor,
        grade=grade,
        rule=rule,
        spread=why,
    )


def _influence(spread: Spread) -> tuple[int, tuple[tuple[str, str, str], ...]]:
    """0–3 with what raised it: distinct persons, areas and groups, minutes since the first."""
    persons = _steps(spread.persons, _RISING, _SPREADING, _OUT_OF_CONTROL)
    quick = spread.persons >= _QUICK_PERSONS and spread.minutes <= _QUICK_MINUTES
    found = (
        (Influence.PERSONS, persons, str(spread.persons), ""),
        (Influence.AREAS, spread.areas >= _RISING, str(spread.areas), ""),
        (Influence.GROUPS, spread.groups >= _SPREADING, str(spread.groups), ""),
        (Influence.QUICK, quick, str(spread.persons), str(spread.minutes)),
    )
    raised = tuple((what.value, count, minutes) for what, step, count, minutes in found if step)
    return min(3, sum(step for _, step, _, _ in found)), raised


def endangers_life(text: str) -> bool:
    """Whether 110/119/120 must stand on top of the answer."""
    return any(word in text for word in LIFE_DANGER)
