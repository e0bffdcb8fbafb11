"""Who and what exists in the district: units, areas, topics, people, posts, accounts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matrix.core.entity import Entity
from matrix.core.roles import Role


class UnitKind(StrEnum):
    """Departments answer for subjects (属事), towns for territory (属地)."""

    DESK = "desk"
    DEPARTMENT = "department"
    TOWN = "town"
    MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit(Entity):
    """A body. ``id`` is its code; ``calendar`` is the code of its working hours."""

    name: str
    short_name: str
    kind: UnitKind
    parent: str = ""
    area: str = ""
    vertical: bool = False
    vertical_coordinator: str = ""
    calendar: str = ""
    ended: bool = False


class AreaKind(StrEnum):
    """Levels of the tree."""

    DISTRICT = "district"
    TOWN = "town"
    COMMUNITY = "community"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area(Entity):
    """An administrative division. ``id`` is its code of 6, 9 or 12 digits."""

    name: str
    kind: AreaKind
    parent: str = ""
    aliases: tuple[str, ...] = ()
    valid_from: str = ""
    valid_to: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Entity):
    """An entry of the gazetteer. A weak name needs a cue and must fail its block-list."""

    name: str
    kind: str
    area: str
    strength: str = "strong"
    aliases: tuple[str, ...] = ()
    blocklist: tuple[str, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Entity):
    """A subject-matter class. ``keywords`` are (word, weight 1–5); ``floor`` sets grade floors.

    ``national``: decided above the district, whose desk refers it upward.
    """

    name: str
    lead_unit: str
    co_units: tuple[str, ...] = ()
    keywords: tuple[tuple[str, int], ...] = ()
    floor: tuple[str, ...] = ()
    national: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Entity):
    """A pseudonymous person. ``handle`` is what imports name them by."""

    handle: str
    name: str
    note: str = ""
    notices: bool = True
    greeted: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Entity):
    """person × unit × role, from–to (ISO dates), deputy of another person."""

    person: str
    unit: str = ""
    role: Role
    valid_from: str = ""
    valid_to: str = ""
    deputy_of: str = ""
    accounts: tuple[str, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelIdentity(Entity):
    """A person's account on one chat platform, bound by an invitation, revocable."""

    platform: str
    external: str
    chat: str
    person: str
    bound_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Entity):
    """One-time binding code. Only its SHA-256 is kept."""

    digest: str
    person: str
    made_by: str
    expires_at: datetime
    used_at: datetime | None = None


class Tier(StrEnum):
    """Main force, second force, willing allies."""

    MAIN = "main"
    SECOND = "second"
    ALLY = "ally"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Entity):
    """An officially labelled account of the matrix. ``capability`` is ``direct`` or ``manual``.

    ``address`` is where a direct channel posts; ``owner`` is the owner of a group, by the id that
    its platform knows them by. ``hosts`` may appear in receipt links.
    ``paused`` says why a direct account was stopped after a permanent failure.
    """

    name: str
    unit: str
    platform: str
    tier: Tier
    capability: str = "manual"
    address: str = ""
    filing_number: str = ""
    hosts: tuple[str, ...] = ()
    group_size: int = 0
    owner: str = ""
    area: str = ""
    consent_on: str = ""
    paused: str = ""
    ended: bool = False
