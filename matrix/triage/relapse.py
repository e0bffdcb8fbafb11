"""复燃: a rumor whose case is closed comes back. Pure: sightings and a rule → alarm or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Relapse:
    """How many reporters from how many areas within how long make an alarm. Local policy."""

    reports: int
    areas: int
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What was seen of a closed claim within the window."""

    reports: int
    areas: int


def count(seen: Sequence[tuple[str, str]]) -> Returned:
    """``seen`` are (reporter, area) of each sighting; who reports twice counts once."""
    return Returned(
        reports=len({person for person, _ in seen}), areas=len({area for _, area in seen if area})
    )


def alarming(rule: Relapse, found: Returned) -> bool:
    """Whether it comes back."""
    return found.reports >= rule.reports and found.areas >= rule.areas
