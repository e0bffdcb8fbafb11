"""Who may read a lead: the desk, its reporter, a supervisor of its area."""

from datetime import UTC, datetime

import pytest

from handlers import access
from handlers.services import Directory
from matrix.core.directory import Area, AreaKind, Post, Unit, UnitKind
from matrix.core.lead import Lead, LeadState
from matrix.core.roles import Role
from matrix.matching.gazetteer import Gazetteer
from matrix.triage.routing import Tables

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
DIRECTORY = Directory(
    units={
        "t1": Unit(id="t1", name="甲镇", short_name="甲镇", kind=UnitKind.TOWN, area="990101001"),
        "d": Unit(id="d", name="区", short_name="区", kind=UnitKind.DEPARTMENT, area="990101"),
    },
    areas={
        one.id: one
        for one in (
            Area(id="990101", name="区", kind=AreaKind.DISTRICT),
            Area(id="990101001", name="甲镇", kind=AreaKind.TOWN, parent="990101"),
            Area(id="990101001001", name="东村", kind=AreaKind.COMMUNITY, parent="990101001"),
            Area(id="990101002", name="乙镇", kind=AreaKind.TOWN, parent="990101"),
        )
    },
    topics={}, people={}, posts=(), accounts={}, gazetteer=Gazetteer([], {}),
    tables=Tables(topics=[], units={}, areas={}, reachable=frozenset()),
)  # fmt: skip


def lead(**changes: object) -> Lead:
    return Lead(
        id="l", number="1109-01", reporter="r", platform="webchat", chat="r", text="停水",
        received_at=AT, last_part_at=AT, **changes,
    )  # fmt: skip


def post(role: Role, unit: str = "t1", person: str = "s") -> Post:
    return Post(id="p", person=person, unit=unit, role=role)


@pytest.mark.parametrize(
    ("who", "changes", "seen"),
    [
        (post(Role.SUPERVISOR), {"heard_area": "990101001001"}, True),
        (post(Role.SUPERVISOR), {"about_area": "990101001"}, True),
        (post(Role.SUPERVISOR), {"heard_area": "990101002"}, False),
        (post(Role.SUPERVISOR), {"about_area": "990101"}, False),
        (post(Role.SUPERVISOR), {}, False),
        (post(Role.SUPERVISOR, unit="d"), {"heard_area": "990101002"}, True),
        (post(Role.SUPERVISOR, unit=""), {"heard_area": "990101002"}, False),
        (post(Role.SUPERVISOR), {"heard_area": "990101001", "state": LeadState.WITHDRAWN}, False),
        (post(Role.SUPERVISOR, person="r"), {"state": LeadState.WITHDRAWN}, True),
        (post(Role.PUBLIC), {"heard_area": "990101001"}, False),
        (post(Role.HANDLER), {"heard_area": "990101001"}, False),
        (post(Role.DESK), {}, True),
    ],
)
def test_who_sees_a_lead(who: Post, changes: dict[str, object], seen: bool) -> None:
    assert access.sees_lead(DIRECTORY, [who], lead(**changes)) is seen
