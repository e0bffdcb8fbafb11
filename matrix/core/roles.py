"""Roles a post can carry (domain §2), and the two actors that are no persons."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who acts. MACHINE is the program in a conversation, CLOCK the passing of time."""

    PUBLIC = "public"
    SUPERVISOR = "supervisor"
    DESK = "desk"
    HANDLER = "handler"
    UNIT_HEAD = "unit_head"
    LEADER = "leader"
    REVIEWER_1 = "reviewer_1"
    REVIEWER_2 = "reviewer_2"
    REVIEWER_3 = "reviewer_3"
    PUBLISHER = "publisher"
    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    ADMIN = "admin"
    MACHINE = "machine"
    CLOCK = "clock"


REPORTERS = frozenset({Role.PUBLIC, Role.SUPERVISOR})
OWNERS = frozenset({Role.HANDLER, Role.UNIT_HEAD})
REVIEWERS = frozenset({Role.REVIEWER_1, Role.REVIEWER_2, Role.REVIEWER_3})
DISTRICT = frozenset(
    {Role.DESK, Role.LEADER, Role.PUBLISHER, Role.ADMIN, *REVIEWERS},
)
"""Roles whose jurisdiction is the whole district."""

NOT_PERSONS = frozenset({Role.MACHINE, Role.CLOCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, in which post. ``person`` is empty for MACHINE and CLOCK."""

    role: Role
    person: str = ""
    post: str = ""
    unit: str = ""


MACHINE = Actor(role=Role.MACHINE)
CLOCK = Actor(role=Role.CLOCK)
