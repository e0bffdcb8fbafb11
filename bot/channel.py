"""The channel contract: one platform, in and out together. Platforms hold no rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from matrix.broadcast.owners import GroupsSeen
from matrix.core.conversation import Inbound

REPLIED = "reply:"
"""Begins the remote id of what was said in the response to a message."""


class Markup(StrEnum):
    """What a platform makes of a text."""

    PLAIN = "plain"
    HTML = "html"


class Doubt(StrEnum):
    """What is done after an unknown outcome, by ``handlers.housekeeping.ledger``.

    KEY sends again with the same key, VERIFY asks the platform whether it is there, HOLD waits
    for a person.
    """

    KEY = "key"
    VERIFY = "verify"
    HOLD = "hold"


def never(address: str) -> bool:
    """No address."""
    del address
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform takes. ``measure`` gives the length of a text in its own unit.

    ``per_second`` and ``per_minute`` are for the whole account, ``chat_per_second`` and
    ``chat_per_minute`` for one chat for which ``crowded`` holds (a group); 0 is no limit. Each
    number's source stands in ``limits.py``. ``keyless`` names the addresses at which a platform of
    KEY knows no key, ``key_lasts`` is for how long it remembers one (None: for good). ``owners``:
    what is sent is a task that the owner of several groups must confirm in a client; the outcome is
    asked for later (``GroupTasks``). ``one_slows_all``: told to slow down at one chat, the account
    rests at all of them. ``bundles``: messages cost, so what is due to one chat at once goes as one
    message, and what cannot go now may wait for the person's next message.
    ``post`` is the length of a post of the account itself where it differs from a message's.
    """

    text: int
    measure: Callable[[str], int]
    markup: Markup
    buttons: bool
    doubt: Doubt
    edits: bool = False
    per_second: float = 0
    per_minute: int = 0
    chat_per_second: float = 0
    chat_per_minute: int = 0
    crowded: Callable[[str], bool] = bool
    keyless: Callable[[str], bool] = never
    key_lasts: timedelta | None = None
    owners: bool = False
    bundles: bool = False
    post: int = 0
    one_slows_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button as a platform shows it: opaque token of at most 16 characters, label, number."""

    token: str
    label: str
    number: int


class Outgoing(NamedTuple):
    """One message ready to go: text already escaped for the platform and within its limit.

    A tuple, as ``Parcel`` is: every post of a broadcast is one.

    ``answers`` is the platform's id of the message that it answers, for platforms that take an
    answer in the response to a message; empty for what comes unasked.

    ``key`` is the idempotency key (the delivery's id). ``edits`` is the remote id of a message
    to change instead. ``conversation`` is False for posts to channels and groups of the matrix.
    ``groups`` are the groups of the owner at ``address`` that the text is for; ``act`` is what is
    done to the task at ``edits`` instead: remind or cancel.
    """

    key: str
    address: str
    text: str
    buttons: tuple[Press, ...] = ()
    edits: str = ""
    answers: str = ""
    conversation: bool = True
    groups: tuple[str, ...] = ()
    act: str = ""


Store = Callable[[Inbound], Awaitable[bool]]
"""Stores an inbound message before it is acknowledged; False when it was already there."""

Attach = Callable[[bytes, str], Awaitable[str]]
"""Stores a file (bytes, name) and returns its attachment id. Raises Refusal when refused."""


Again = Callable[[Inbound, Limits], Awaitable[str]]
"""What was, or may have been, said in the response to a message that comes once more."""


class Notes(Protocol):
    """Steps of a post that takes several calls, kept over a restart."""

    async def read(self, key: str) -> dict[str, Any]:
        """The note; empty when there is none."""

    async def write(self, key: str, **note: Any) -> None:
        """Replace the note; committed when this returns."""

    async def used(self, name: str) -> int:
        """How often ``use`` was told this name."""

    async def use(self, name: str) -> None:
        """One more."""


class Channel(Protocol):
    """One platform.

    ``send`` returns the platform's own id of the message and raises DeliveryError with the
    platform's code: ``permanent`` (refused for good), ``unknown`` (may have arrived) or
    ``retry_after``. ``run`` receives until it is cancelled and never raises for the platform's
    failures: it retries with back-off, so that one platform's outage stops nothing else.
    """

    platform: str
    limits: Limits

    async def send(self, message: Outgoing) -> str:
        """Send or edit one message."""

    async def posted(self, message: Outgoing) -> str | None:
        """Whether a message whose answer never came is there; asked where ``doubt`` is VERIFY.

        Its remote id; empty when it surely is not there; None when the platform cannot say.
        Raises DeliveryError when it could not be asked now.
        """

    async def run(self) -> None:
        """Receive until cancelled."""

    async def ping(self) -> str:
        """Empty when reachable, else what is wrong, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A platform's request to ``/hooks/<channel>``. Names of headers are in lower case."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the platform is answered at once; a passive reply stands in ``body``."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"


@runtime_checkable
class Hooked(Protocol):
    """A channel that its platform calls: GET or POST to ``/hooks/<channel>``, 1 MB at most."""

    async def called(self, call: Call) -> Answer:
        """Prove the sender, store what was said, then answer; only ``store``'s errors come out."""


@runtime_checkable
class Waited(Protocol):
    """A channel whose requests wait for what is said to their message."""

    def unanswered(self, message_id: str) -> None:
        """Nothing is: the request need not wait."""


@runtime_checkable
class GroupTasks(Protocol):
    """A channel whose ``limits.owners`` holds: what it sends waits for the owner of the groups."""

    async def seen(self, task: str, owner: str) -> GroupsSeen:
        """What has become of a task, by the remote id of its sending. Raises DeliveryError."""
