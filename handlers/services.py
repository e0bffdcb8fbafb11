"""What handlers are given: ports, the district's policy, and the directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from matrix.core.calendar import Shift, SpecialDay, WorkCalendar
from matrix.core.directory import Account, Area, Person, Post, Topic, Unit
from matrix.core.roles import Role
from matrix.matching.gazetteer import Gazetteer
from matrix.ports import Clock, Ids, LinkChecker, Outbox, Pages, Sealer, Store
from matrix.triage.calendar import Holidays
from matrix.triage.deadline import ClockTable
from matrix.triage.routing import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Days for which what is done with is kept, 0 for ever; see ``config/retention.toml``."""

    files: int = 90
    originals: int = 365
    inbox: int = 0
    buttons: int = 0
    dialogs: int = 0
    replies: int = 0
    posts: int = 0
    jobs: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The district's own numbers; all of them configuration."""

    short_name: str
    clocks: ClockTable
    holidays: Holidays = field(default_factory=Holidays)
    public_reports: bool = True
    burst_seconds: int = 15
    burst_cap_seconds: int = 60
    dialog_minutes: int = 10
    undo_minutes: int = 30
    feedback_minutes: int = 15
    review_days: int = 7
    claim_minutes: int = 5
    button_days: int = 30
    invitation_hours: int = 72
    lapse_days: int = 30
    messages_per_minute: int = 30
    messages_per_day: int = 500
    text_limit: int = 20_000
    page: int = 5
    prefill: Mapping[str, str] = field(default_factory=dict)
    """What new texts begin with, by part and kind; the catalogue's [prefill]."""
    platform_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep: Keep = field(default_factory=Keep)
    bundle_minutes: int = 10
    cards_at_once: int = 20
    """Waiting leads of ``bundle_minutes`` past which the desk gets a digest instead of cards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Units, areas, topics, people, posts and accounts in force; reloaded after an import."""

    units: Mapping[str, Unit]
    areas: Mapping[str, Area]
    topics: Mapping[str, Topic]
    people: Mapping[str, Person]
    posts: tuple[Post, ...]
    accounts: Mapping[str, Account]
    gazetteer: Gazetteer
    tables: Tables
    calendars: Mapping[str, WorkCalendar] = field(default_factory=dict)
    days: tuple[SpecialDay, ...] = ()
    shifts: tuple[Shift, ...] = ()
    _by_role: Mapping[Role, Sequence[int]] = field(init=False, repr=False, compare=False)
    _by_person: Mapping[str, Sequence[Post]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Who holds what is asked several times for every lead, of thousands of posts."""
        by_role: dict[Role, list[int]] = {}
        by_person: dict[str, list[Post]] = {}
        for place, post in enumerate(self.posts):
            by_role.setdefault(post.role, []).append(place)
            by_person.setdefault(post.person, []).append(post)
        object.__setattr__(self, "_by_role", by_role)
        object.__setattr__(self, "_by_person", by_person)

    def posts_with(self, *roles: Role) -> list[Post]:
        """Posts with one of the roles, in their order, whenever they are held."""
        places = sorted(place for role in set(roles) for place in self._by_role.get(role, ()))
        return [self.posts[place] for place in places]

    def posts_of(self, person: str) -> Sequence[Post]:
        """A person's posts, in their order, whenever they are held."""
        return self._by_person.get(person, ())

    def unit_name(self, code: str) -> str:
        """Short name of a unit, or the code."""
        unit = self.units.get(code)
        return unit.short_name if unit else code

    def area_name(self, code: str) -> str:
        """Name of an area, or the code."""
        area = self.areas.get(code)
        return area.name if area else code

    def person_name(self, person: str) -> str:
        """Name of a person, for colleagues; reporters are never shown by name."""
        found = self.people.get(person)
        return found.name if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """What a text resembles: ``kind`` is bulletin, case or claim (of a lead that waits).

    ``reasons`` are (kind, query, claim) codes.
    """

    kind: str
    target: str
    score: float
    reasons: tuple[tuple[str, str, str], ...]
    identical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What matching says of one text.

    ``decision``, match, suggest or none, rests on the bulletins in ``candidates`` alone; these are
    best first. ``asks_original``: as far as they go, the text is too short to be sure of.
    """

    decision: str
    candidates: tuple[Resemblance, ...]
    model_version: str
    asks_original: bool
    key: str
    length: int
    areas: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Cases, and waiting claims of other words, that are worth a look; best first.

    ``asks_original``: a short text is a riddle beside all that waits, too.
    """

    alike: tuple[Resemblance, ...] = ()
    asks_original: bool = True


class Directories:
    """Holds the directory in force; replaced as a whole after an import."""

    def __init__(self, current: Directory) -> None:
        """Start with one."""
        self.current = current


class Matching(Protocol):
    """Port: compares a text with what has been issued, and with what waits beside it.

    Each takes a few milliseconds; in a flood only what is needed is asked.
    """

    def find(self, text: str) -> Found:
        """Decide among the bulletins. Pure but for the index."""

    def beside(self, found: Found) -> Beside:
        """What waits and is alike."""

    def repeats_case(self, found: Found) -> bool:
        """False where ``beside`` has no case of the very words; told at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a handler may use, made once by the assembly."""

    store: Store
    clock: Clock
    ids: Ids
    policy: Policy
    directories: Directories
    matching: Matching
    sealer: Sealer
    links: LinkChecker
    outbox: Outbox
    pages: Pages
    words: Mapping[str, str] = field(default_factory=dict)
    direct_platforms: frozenset[str] = frozenset()
    owner_platforms: frozenset[str] = frozenset()

    @property
    def directory(self) -> Directory:
        """The directory in force."""
        return self.directories.current
