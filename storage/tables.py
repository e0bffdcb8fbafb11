"""Tables, derived from the entities; indexes and unique keys are what is said here.

Nothing outside this room imports it.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from matrix.core.appeal import Appeal
from matrix.core.bulletin import Bulletin, Review, Revision
from matrix.core.calendar import Shift, SpecialDay, WorkCalendar
from matrix.core.campaign import Campaign, Receipt, RepostTask
from matrix.core.case import Assignment, Case
from matrix.core.claim import Claim, Link, Sighting
from matrix.core.conversation import Attachment, Button, Dialog, Inbound
from matrix.core.deadline import Deadline, Nudge
from matrix.core.delivery import WAITS, Delivery, Feedback
from matrix.core.directory import (
    Account,
    Area,
    ChannelIdentity,
    Invitation,
    Person,
    Place,
    Post,
    Topic,
    Unit,
)
from matrix.core.entity import Entity
from matrix.core.extension import Extension
from matrix.core.lead import Lead
from matrix.core.verification import Consultation, Evidence, Verification
from storage.mapping import columns
from storage.types import Instant

METADATA = MetaData()


def _table(
    name: str,
    entity: type[Entity],
    *,
    unique: tuple[tuple[str, ...], ...] = (),
    index: tuple[tuple[str, ...], ...] = (),
) -> Table:
    made: list[Any] = [
        Index(f"ux_{name}_{'_'.join(names)}", *names, unique=True) for names in unique
    ]
    made += [Index(f"ix_{name}_{'_'.join(names)}", *names) for names in index]
    return Table(name, METADATA, *columns(entity), *made)


TABLES: dict[str, tuple[type[Entity], Table]] = {
    plural: (entity, _table(name, entity, unique=unique, index=index))
    for plural, name, entity, unique, index in (
        (
            "leads",
            "lead",
            Lead,
            (),
            (
                ("number", "received_at"),
                ("state", "received_at"),
                ("claim", "state", "received_at"),
                ("reporter", "id"),
                ("case",),
                ("key",),
                ("received_at",),
            ),
        ),
        ("claims", "claim", Claim, (("key",),), ()),
        ("sightings", "sighting", Sighting, (("lead",),), (("claim",),)),
        ("links", "link", Link, (), (("lead",), ("target",))),
        (
            "cases",
            "case_",
            Case,
            (("number",),),
            (("state",), ("claim",), ("merged_into",), ("parent",), ("filed_at",)),
        ),
        ("assignments", "assignment", Assignment, (), (("case",), ("unit", "state"))),
        ("verifications", "verification", Verification, (), (("case",), ("unit", "state"))),
        ("evidence", "evidence", Evidence, (), (("case",),)),
        ("consultations", "consultation", Consultation, (), (("case",),)),
        ("revisions", "revision", Revision, (("case", "serial"),), (("state",),)),
        ("reviews", "review", Review, (), (("revision",), ("case",))),
        (
            "bulletins",
            "bulletin",
            Bulletin,
            (("number",),),
            (("state",), ("case",), ("change",), ("claim_key",)),
        ),
        (
            "appeals",
            "appeal",
            Appeal,
            (),
            (("state", "received_at"), ("bulletin", "person"), ("case",), ("number",)),
        ),
        ("campaigns", "campaign", Campaign, (), (("case",), ("state",), ("bulletin",))),
        (
            "tasks",
            "task",
            RepostTask,
            (("campaign", "account"), ("case", "serial")),
            (("operator", "state"),),
        ),
        ("receipts", "receipt", Receipt, (), (("task",),)),
        (
            "deliveries",
            "delivery",
            Delivery,
            (("dedup",),),
            (("subject", "id"), ("person", "answers"), ("purpose",)),
        ),
        (
            "feedback",
            "feedback",
            Feedback,
            (("person", "outcome"),),
            (("state", "due_at"), ("case",)),
        ),
        ("deadlines", "deadline", Deadline, (), (("closed_at", "next_at"), ("subject",))),
        ("extensions", "extension", Extension, (), (("deadline", "state"),)),
        ("nudges", "nudge", Nudge, (("person", "deadline"),), ()),
        (
            "inbox",
            "inbox",
            Inbound,
            (("platform", "message_id"),),
            (("state", "retry_at", "id"), ("external", "received_at")),
        ),
        ("attachments", "attachment", Attachment, (("digest",),), ()),
        ("buttons", "button", Button, (), (("delivery",), ("platform", "chat", "number"))),
        ("dialogs", "dialog", Dialog, (("platform", "chat", "person"),), ()),
        ("units", "unit", Unit, (), ()),
        ("calendars", "calendar", WorkCalendar, (), ()),
        ("days", "special_day", SpecialDay, (("day", "calendar"),), ()),
        ("shifts", "shift", Shift, (("unit", "day", "begins", "person"),), ()),
        ("areas", "area", Area, (), (("parent",),)),
        ("places", "place", Place, (), ()),
        ("topics", "topic", Topic, (), ()),
        ("people", "person", Person, (("handle",),), ()),
        ("posts", "post", Post, (), (("person",), ("role", "unit"))),
        (
            "identities",
            "identity",
            ChannelIdentity,
            (),
            (("platform", "external"), ("person",)),
        ),
        ("invitations", "invitation", Invitation, (("digest",),), (("person",),)),
        ("accounts", "account", Account, (), ()),
    )
}

# Written as the databases' planners prove it: a row has one of these states, or it does not.
_OPEN = text("state = 'pending' OR state = 'sending' OR state = 'in-doubt'")
_WAITS = text(f"error = '{WAITS}'")
_DELIVERY = TABLES["deliveries"][1].c
# What has come to its end is in neither: of millions of rows they hold those that wait, and a
# broadcast's rows leave them when they are sent.
Index(
    "ix_delivery_open", _DELIVERY.state, _DELIVERY.lane, _DELIVERY.not_before, _DELIVERY.created_at,
    sqlite_where=_OPEN, postgresql_where=_OPEN,
)  # fmt: skip
Index(
    "ix_delivery_waits", _DELIVERY.person, _DELIVERY.not_before,
    sqlite_where=_WAITS, postgresql_where=_WAITS,
)  # fmt: skip

DIRECTORY = frozenset(
    TABLES[name][1].name
    for name in ("units", "areas", "places", "topics", "people", "posts", "accounts")
)
"""Tables that every process holds in memory and reads again when one of them has changed."""

EVENT = Table(
    "event",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("case", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_event_entity_entity_id", "entity", "entity_id"),
    Index("ix_event_case", "case"),
)

SERIAL = Table(
    "serial",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

SETTING = Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)

EXECUTOR = Table(
    "executor",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

JOB = Table(
    "job",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("lease", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("not_before", Instant),
    Column("ended_at", Instant),
    Index("ix_job_state_seq", "state", "seq"),
    Index("ix_job_lease", "lease"),
)

TOKEN = Table(
    "token",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("good_until", Instant, nullable=True),
    Column("leased_by", Text, nullable=False),
    Column("leased_until", Instant, nullable=True),
)

LEASE = Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    # Microseconds since 1970 by the server's clock, as are those of TURN.
    Column("until", BigInteger, nullable=False),
)

TURN = Table(
    "turn",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("chat", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("rest", Boolean, nullable=False),
    Index("ix_turn_account_ended_at", "account", "ended_at"),
    Index("ix_turn_account_chat_ended_at", "account", "chat", "ended_at"),
)
