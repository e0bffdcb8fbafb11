"""A chat platform's own directory (departments, members) → rows of units, people and posts.

The rows go through the ordinary import: faults, differences, a question, all or nothing. What a
member does here is said by tags that bear a role's name; a department's leader heads the unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from handlers import access
from handlers.importing.sheet import Sheet
from matrix.core.directory import ChannelIdentity, Person, Unit
from matrix.core.roles import DISTRICT, Role
from matrix.ports import Ids, Work

_TOWN = ("街道", "街道办事处", "镇", "乡")
"""Endings of the names of units that answer for territory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department; ``parent`` is 0 for the root, which stands for the district itself."""

    id: int
    name: str
    parent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member: which departments, which of them they lead, and the names of their tags."""

    userid: str
    name: str
    position: str = ""
    departments: tuple[int, ...] = ()
    leads: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corporation:
    """What was read. ``roles`` gives the role of a tag by its name."""

    platform: str
    departments: Sequence[Department]
    members: Sequence[Member]
    roles: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows of the three tables; handles by member; members who have no post by this."""

    tables: Mapping[str, Sheet]
    handles: Mapping[str, str]
    idle: tuple[str, ...]


async def rows_of(work: Work, read: Corporation, today: str) -> Found:
    """Compare with what is stored. A unit of the same name is that unit, never a second one."""
    units = {one.id: one for one in await work.units.find()}
    people = await work.people.find()
    bound = {
        one.external: one.person
        for one in await work.identities.find(platform=read.platform, revoked_at=None)
    }
    codes = _codes(read.departments, units.values())
    handles = _handles(read.members, people, bound)
    known = {one.handle for one in people}
    by_id = {one.id: one.handle for one in people}
    held = {
        (by_id.get(one.person, ""), one.unit, one.role)
        for one in await work.posts.find()
        if access.in_force(one, today)
    }
    posts = [
        {"person": handle, "unit": unit, "role": role.value, "valid_from": today}
        for handle, unit, role in _posts(read, handles, codes)
        if (handle, unit, role) not in held
    ]
    tables: dict[str, Sheet] = {
        "units": _units(read.departments, codes, units),
        "people": [
            {"handle": handles[one.userid], "name": one.name, "note": one.position}
            for one in read.members
            if handles[one.userid] not in known
        ],
        "posts": posts,
    }
    working = {handle for handle, _, _ in held} | {str(one["person"]) for one in posts}
    idle = tuple(one.name for one in read.members if handles[one.userid] not in working)
    return Found(tables=tables, handles=handles, idle=idle)


def _codes(departments: Iterable[Department], units: Iterable[Unit]) -> dict[int, str]:
    """The unit's code of every department; the root is the district and has none."""
    names: dict[str, str] = {}
    for unit in units:
        names.setdefault(unit.name, unit.id)
        names.setdefault(unit.short_name, unit.id)
    return {
        one.id: "" if not one.parent else names.get(one.name, f"wc{one.id}") for one in departments
    }


def _units(
    departments: Iterable[Department], codes: Mapping[int, str], units: Mapping[str, Unit]
) -> Sheet:
    """Only what is new, or was made by this import and has another name now."""
    rows = []
    for one in departments:
        code = codes[one.id]
        old = units.get(code)
        if not code or (old is not None and code != f"wc{one.id}"):
            continue
        if old is not None and old.name == one.name:
            continue
        kind = "town" if one.name.endswith(_TOWN) else "department"
        parent = codes.get(one.parent, "")
        rows.append(
            {
                "code": code, "name": one.name, "short_name": one.name, "kind": kind,
                "parent": parent,
            }
        )  # fmt: skip
    return rows


def _handles(
    members: Sequence[Member], people: Sequence[Person], bound: Mapping[str, str]
) -> dict[str, str]:
    """Who a member is here: bound already, of the same handle, alone of that name, or new."""
    by_id = {one.id: one.handle for one in people}
    known = {one.handle for one in people}
    taken = set(bound.values())
    namesakes: dict[str, list[Person]] = {}
    for person in people:
        if not person.ended and person.id not in taken and person.name:
            namesakes.setdefault(person.name, []).append(person)
    names = [one.name for one in members]
    found = {}
    for one in members:
        alike = namesakes.get(one.name, [])
        if one.userid in bound:
            found[one.userid] = by_id[bound[one.userid]]
        elif one.userid in known or len(alike) != 1 or names.count(one.name) > 1:
            found[one.userid] = one.userid
        else:
            found[one.userid] = alike[0].handle
    return found


def _posts(
    read: Corporation, handles: Mapping[str, str], codes: Mapping[int, str]
) -> list[tuple[str, str, Role]]:
    found: dict[tuple[str, str, Role], None] = {}
    for one in read.members:
        handle = handles[one.userid]
        units = [codes[n] for n in one.departments if codes.get(n)]
        for role in sorted({read.roles[tag] for tag in one.tags if tag in read.roles}):
            for unit in units or ([""] if role in DISTRICT else []):
                found[handle, unit, role] = None
        for department in one.leads:
            if codes.get(department):
                found[handle, codes[department], Role.UNIT_HEAD] = None
    return list(found)


async def unbound(work: Work, platform: str, handles: Mapping[str, str]) -> dict[str, str]:
    """Members without a binding on the platform, with their handles."""
    bound = await work.identities.find(platform=platform, revoked_at=None)
    there = {one.external for one in bound}
    return {userid: handle for userid, handle in handles.items() if userid not in there}


async def bind(
    work: Work, platform: str, handles: Mapping[str, str], *, ids: Ids, at: datetime
) -> int:
    """Bind the members by their ids, without an invitation; returns how many."""
    by_handle = {one.handle: one.id for one in await work.people.find()}
    made = 0
    for userid, handle in (await unbound(work, platform, handles)).items():
        if handle in by_handle:
            await work.identities.add(
                ChannelIdentity(
                    id=ids.new(), platform=platform, external=userid, chat=userid,
                    person=by_handle[handle], bound_at=at,
                )
            )  # fmt: skip
            made += 1
    return made
