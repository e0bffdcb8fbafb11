"""What the inner rooms need from the outer ones. Implementations lie in storage and bot."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from matrix.core.appeal import Appeal
from matrix.core.bulletin import Bulletin, Review, Revision
from matrix.core.calendar import Shift, SpecialDay, WorkCalendar
from matrix.core.campaign import Campaign, Receipt, RepostTask
from matrix.core.case import Assignment, Case
from matrix.core.claim import Claim, Link, Sighted, Sighting
from matrix.core.conversation import Attachment, Button, Dialog, Inbound
from matrix.core.deadline import Deadline, Nudge
from matrix.core.delivery import Delivery, Feedback, Parcel
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
from matrix.core.events import Event
from matrix.core.extension import Extension
from matrix.core.lead import Lead
from matrix.core.verification import Consultation, Evidence, Verification

E = TypeVar("E", bound=Entity)


class Clock(Protocol):
    """Where the present comes from."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""


class Ids(Protocol):
    """Where identifiers and secrets come from."""

    def new(self) -> str:
        """An opaque identifier; later ones sort after earlier ones."""

    def token(self) -> str:
        """A short unguessable token of at most 16 URL-safe characters."""


class Repository(Protocol[E]):
    """The stored entities of one kind.

    Criteria are ``field=value``; ``field__in=(…)``, ``field__notin=(…)``, ``field__lte=…``,
    ``field__gte=…``, ``field__lt=…``, ``field__gt=…``, ``field__ne=…``, ``field__starts=…``,
    ``field__ends=…`` compare otherwise.
    """

    async def get(self, entity_id: str) -> E:
        """The entity. Raises NotFound."""

    async def maybe(self, entity_id: str) -> E | None:
        """The entity or None."""

    async def load(self, ids: Iterable[str]) -> None:
        """Read several in one statement, for ``get`` and ``maybe`` to find at once."""

    async def one(self, **criteria: Any) -> E | None:
        """The first match or None."""

    async def find(
        self, *, order: str = "id", limit: int = 0, offset: int = 0, **criteria: Any
    ) -> list[E]:
        """All matches, ordered by a field (``-field`` descends); ``limit`` 0 is no limit."""

    async def count(self, **criteria: Any) -> int:
        """How many match."""

    async def add(self, entity: E) -> E:
        """Insert it. Raises StaleVersion where a unique key is taken."""

    async def add_all(self, entities: Sequence[E]) -> None:
        """Insert several that cannot be there yet, in one statement."""

    async def save(self, entity: E) -> E:
        """Update it where id and version still match; returns it with the next version.

        Raises StaleVersion when somebody was faster.
        """

    async def save_all(self, entities: Sequence[E]) -> list[E]:
        """Update several as ``save`` does, in few statements; none where one is overtaken.

        Raises StaleVersion.
        """

    async def remove(self, entity_id: str) -> None:
        """Delete it (buttons, dialogs and nudges only; what happened stays)."""

    async def clear(self, **criteria: Any) -> int:
        """Delete all matches, which the policy of retention alone may ask for; how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Which deliveries are claimed: a stretch of ids of one subject, at most ``limit``.

    They go from ``source`` to ``target``, or past their ``give_up_at`` to ``dropped`` with
    ``reason`` as their error.
    """

    subject: str
    first: str
    last: str
    platforms: Sequence[str]
    at: datetime
    limit: int
    source: str
    target: str
    dropped: str
    reason: str
    attempt_id: str
    executor: str


class Verdict(NamedTuple):
    """What became of one delivery; ``attempt_id`` is the fence. A tuple, as ``Parcel`` is."""

    id: str
    attempt_id: str
    state: str
    remote_id: str
    error: str
    sent_at: datetime | None
    not_before: datetime | None
    attempt: int
    """How many attempts count."""


class Ledger(Protocol):
    """Many deliveries in one statement, for the broadcast lane. Which states, the caller says."""

    async def post(self, template: Delivery, targets: Sequence[tuple[str, str, str]]) -> list[str]:
        """Put in one delivery per target (address, account, purpose), else as the template.

        Ids begin with the template's; a purpose is said once (``dedup``). Returns the ids,
        ascending.
        """

    async def mark(self, mark: Mark) -> list[Parcel]:
        """Mark what is due; returns what was marked as it is now, by id."""

    async def marked(self, mark: Mark) -> list[Parcel]:
        """What the attempt has marked and is still in ``target``, by id."""

    async def settle(self, source: str, verdicts: Sequence[Verdict]) -> set[str]:
        """Write the outcomes where the attempt still stands in ``source``; returns these ids."""

    async def drop(self, subject: str, source: str, target: str, reason: str) -> int:
        """Move all of a subject from ``source`` to ``target`` with an error; how many."""

    async def waiting(self, subject: str, source: str) -> dict[str, list[str]]:
        """Ids of a subject's rows in the state ``source`` by their platforms, ascending."""

    async def next_due(self, mark: Mark) -> datetime | None:
        """When the first put-off row of a stretch is due; None when nothing is put off."""


class Work(Protocol):
    """One transaction. Leaving the context without ``commit`` rolls back."""

    leads: Repository[Lead]
    claims: Repository[Claim]
    sightings: Repository[Sighting]
    links: Repository[Link]
    cases: Repository[Case]
    assignments: Repository[Assignment]
    verifications: Repository[Verification]
    evidence: Repository[Evidence]
    consultations: Repository[Consultation]
    revisions: Repository[Revision]
    reviews: Repository[Review]
    bulletins: Repository[Bulletin]
    appeals: Repository[Appeal]
    campaigns: Repository[Campaign]
    tasks: Repository[RepostTask]
    receipts: Repository[Receipt]
    deliveries: Repository[Delivery]
    feedback: Repository[Feedback]
    deadlines: Repository[Deadline]
    extensions: Repository[Extension]
    nudges: Repository[Nudge]
    inbox: Repository[Inbound]
    attachments: Repository[Attachment]
    buttons: Repository[Button]
    dialogs: Repository[Dialog]
    units: Repository[Unit]
    calendars: Repository[WorkCalendar]
    days: Repository[SpecialDay]
    shifts: Repository[Shift]
    areas: Repository[Area]
    places: Repository[Place]
    topics: Repository[Topic]
    people: Repository[Person]
    posts: Repository[Post]
    identities: Repository[ChannelIdentity]
    invitations: Repository[Invitation]
    accounts: Repository[Account]
    ledger: Ledger

    async def record(self, *events: Event) -> None:
        """Append to the log."""

    async def events(self, **criteria: Any) -> list[Event]:
        """Events in the order in which they were written."""

    async def forget_steps(self, entity: str, before: datetime) -> int:
        """Delete the events of one kind of entity that are older; how many."""

    async def serial(self, name: str, count: int = 1) -> int:
        """The next number of a named series, starting at 1, without holes in one transaction.

        With ``count`` a block is taken and its first number returned.
        """

    async def setting(self, name: str) -> object:
        """A stored setting of the district, or None."""

    async def set_setting(self, name: str, value: object) -> None:
        """Store a setting of the district."""

    async def sighted(self, claim: str, case: str, since: datetime) -> Sighted:
        """The sightings of a claim and those of a case's leads, each once; "" stands for none."""

    async def last_change(self) -> int:
        """The newest change number of the bulletins, 0 when there are none."""

    async def directory_change(self) -> int:
        """Counts the transactions that have changed the directory, in whichever process."""

    async def enqueue(self, job: str, *subjects: str) -> None:
        """Queue a broadcast job per subject; they exist exactly when this transaction commits."""

    def part(self) -> AbstractAsyncContextManager[None]:
        """A part of this transaction: when it raises, only what it wrote is taken back."""

    async def commit(self) -> None:
        """Make it so."""


class Store(Protocol):
    """Opens transactions."""

    def work(self) -> AbstractAsyncContextManager[Work]:
        """A writing transaction."""

    def read(self) -> AbstractAsyncContextManager[Work]:
        """A transaction that only reads; it never waits for a writer."""


class Outbox(Protocol):
    """Told after a commit that conversation deliveries wait."""

    def wake(self) -> None:
        """Send what is pending as soon as possible."""


class Sealer(Protocol):
    """Keeps originals under the district's key."""

    def seal(self, text: str) -> str:
        """Ciphertext, printable."""

    def unseal(self, sealed: str) -> str:
        """The text. Raises ValueError when the key is another."""


class Pages(Protocol):
    """Pages that are opened from a card, each at an address for one bound chat account alone."""

    @property
    def reachable(self) -> bool:
        """Whether there are such pages for people to open."""

    def draft(
        self, *, identity: str, revision: str, version: int, at: datetime
    ) -> tuple[str, datetime]:
        """The form of a draft: its address, and until when it may be opened."""

    def pictures(self, *, identity: str, subject: str, at: datetime) -> tuple[str, datetime]:
        """The files of ``lead:…`` or ``appeal:…``: their address, and until when."""


class LinkChecker(Protocol):
    """Looks at a receipt link."""

    async def check(self, url: str, hosts: Sequence[str], expected: str) -> str:
        """``ok``, or a code: ``host``, ``private``, ``unreachable``, ``mismatch``."""
