"""The tables that can be brought in and out, column by column (docs: the sample's own files)."""

from collections.abc import Mapping
from enum import StrEnum

from handlers.importing import cells
from handlers.importing.rows import ENDED, Column, Table, bulletin_build, plain_build
from matrix.core.bulletin import Bulletin
from matrix.core.calendar import Shift, SpecialDay, WorkCalendar
from matrix.core.directory import (
    Account,
    Area,
    AreaKind,
    Person,
    Place,
    Post,
    Tier,
    Topic,
    Unit,
    UnitKind,
)
from matrix.core.roles import NOT_PERSONS, Role

__all__ = ["TABLES"]


class Strength(StrEnum):
    """Whether a place name decides or only hints."""

    STRONG = "strong"
    WEAK = "weak"


class Floor(StrEnum):
    """What raises the grade of a topic (domain §5)."""

    LIFE_SAFETY = "life_safety"
    MINORS = "minors"
    PANIC = "panic"
    FORGED = "forged"


class Capability(StrEnum):
    """How an account publishes."""

    DIRECT = "direct"
    MANUAL = "manual"


_CODE = Column(name="code", parse=cells.code, field="id", required=True)
_NAME = Column(name="name", required=True)
_VALID_FROM = Column(name="valid_from", parse=cells.date_text)
_VALID_TO = Column(name="valid_to", parse=cells.date_text)


def _list(name: str, parse: cells.Parse = cells.text, refers: str = "") -> Column:
    return Column(name=name, parse=cells.listed(parse), render=cells.joined, refers=refers)


def _units(name: str, *, required: bool = False) -> Column:
    return Column(name=name, parse=cells.code, refers="units", required=required)


def _area(name: str, *, required: bool = False) -> Column:
    return Column(name=name, parse=cells.area_code, refers="areas", required=required)


def _person(name: str, *, required: bool = False) -> Column:
    return Column(name=name, parse=cells.handle, refers="people", required=required)


def _calendar(name: str) -> Column:
    return Column(name=name, parse=cells.code, refers="calendars")


AREAS = Table(
    name="areas",
    label="area",
    entity=Area,
    key=("id",),
    build=plain_build,
    columns=(
        Column(name="code", parse=cells.area_code, field="id", required=True),
        _NAME,
        Column(name="kind", parse=cells.choice(AreaKind), required=True),
        _area("parent"),
        _list("aliases"),
        _VALID_FROM,
        _VALID_TO,
        ENDED,
    ),
)

CALENDARS = Table(
    name="calendars",
    label="calendar",
    entity=WorkCalendar,
    key=("id",),
    build=plain_build,
    columns=(
        _CODE,
        _NAME,
        Column(name="blocks", parse=cells.blocks, render=cells.spans, required=True),
        Column(
            name="weekdays",
            parse=cells.listed(cells.weekday),
            render=cells.joined,
            required=True,
        ),
        Column(name="statutory", parse=cells.mark, render=cells.yes_no),
        ENDED,
    ),
)

DAYS = Table(
    name="days",
    label="day",
    entity=SpecialDay,
    key=("day", "calendar"),
    build=plain_build,
    columns=(
        Column(name="day", parse=cells.date_text, required=True),
        Column(name="works", parse=cells.mark, render=cells.yes_no, required=True),
        _calendar("calendar"),
        Column(name="note"),
        ENDED,
    ),
)

UNITS = Table(
    name="units",
    label="unit",
    entity=Unit,
    key=("id",),
    build=plain_build,
    columns=(
        _CODE,
        _NAME,
        Column(name="short_name", required=True),
        Column(name="kind", parse=cells.choice(UnitKind), required=True),
        _units("parent"),
        _area("area"),
        Column(name="vertical", parse=cells.mark, render=cells.yes_no),
        _units("vertical_coordinator"),
        _calendar("calendar"),
        ENDED,
    ),
)

PLACES = Table(
    name="places",
    label="place",
    entity=Place,
    key=("name", "area", "kind"),
    build=plain_build,
    columns=(
        _NAME,
        Column(name="kind", parse=cells.code, required=True),
        _area("area", required=True),
        Column(name="strength", parse=cells.choice(Strength), required=True),
        _list("aliases"),
        _list("blocklist"),
        ENDED,
    ),
)

TOPICS = Table(
    name="topics",
    label="topic",
    entity=Topic,
    key=("id",),
    build=plain_build,
    columns=(
        _CODE,
        _NAME,
        Column(name="lead_unit", parse=cells.lead, refers="units", required=True),
        _list("co_units", cells.code, "units"),
        Column(name="keywords", parse=cells.keywords, render=cells.pairs),
        _list("floor", cells.choice(Floor)),
        Column(name="national", parse=cells.mark, render=cells.yes_no),
        ENDED,
    ),
)

PEOPLE = Table(
    name="people",
    label="person",
    entity=Person,
    key=("handle",),
    build=plain_build,
    columns=(
        Column(name="handle", parse=cells.handle, required=True),
        _NAME,
        Column(name="note"),
        ENDED,
    ),
)

ACCOUNTS = Table(
    name="accounts",
    label="account",
    entity=Account,
    key=("id",),
    build=plain_build,
    columns=(
        _CODE,
        _NAME,
        _units("unit", required=True),
        Column(name="platform", parse=cells.code, required=True),
        Column(name="tier", parse=cells.choice(Tier), required=True),
        Column(name="capability", parse=cells.choice(Capability), required=True),
        Column(name="address"),
        Column(name="filing_number"),
        _list("hosts"),
        Column(name="group_size", parse=cells.number, render=cells.of_number),
        Column(name="owner"),
        _area("area"),
        Column(name="consent_on", parse=cells.date_text),
        ENDED,
    ),
)

POSTS = Table(
    name="posts",
    label="post",
    entity=Post,
    key=("person", "unit", "role", "valid_from"),
    build=plain_build,
    columns=(
        _person("person", required=True),
        _units("unit"),
        Column(name="role", parse=cells.choice(Role, *NOT_PERSONS), required=True),
        _VALID_FROM,
        _VALID_TO,
        _person("deputy_of"),
        _list("accounts", cells.code, "accounts"),
        ENDED,
    ),
)

SHIFTS = Table(
    name="shifts",
    label="shift",
    entity=Shift,
    key=("unit", "day", "begins", "person"),
    build=plain_build,
    columns=(
        _units("unit", required=True),
        Column(name="day", parse=cells.date_text, required=True),
        Column(name="begins", parse=cells.moment),
        Column(name="ends", parse=cells.moment),
        _person("person", required=True),
        ENDED,
    ),
)

BULLETINS = Table(
    name="bulletins",
    label="bulletin",
    entity=Bulletin,
    key=("number",),
    build=bulletin_build,
    columns=(
        Column(name="number", required=True),
        Column(name="title", required=True),
        Column(name="claim", field="claim_text", required=True),
        Column(name="short", required=True),
        Column(name="body", required=True),
        Column(name="verdict", parse=cells.verdict, render=cells.verdict_word, required=True),
        _units("issuer", required=True),
        Column(
            name="issued_on",
            parse=cells.day_begins,
            render=cells.day_of,
            field="issued_at",
            required=True,
        ),
        Column(name="url", parse=cells.url, required=True),
        _list("topics", cells.code, "topics"),
        _list("areas", cells.area_code, "areas"),
        Column(name="expires_on", parse=cells.day_ends, render=cells.day_of, field="expires_at"),
        Column(name="review_on", parse=cells.day_ends, render=cells.day_of, field="review_at"),
        ENDED,
    ),
)

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        AREAS,
        CALENDARS,
        DAYS,
        UNITS,
        PLACES,
        TOPICS,
        PEOPLE,
        ACCOUNTS,
        POSTS,
        SHIFTS,
        BULLETINS,
    )
}
"""By name, in the order in which they are read: what is referred to comes first."""
