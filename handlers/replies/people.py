"""What the administrator reads of people and posts."""

from dataclasses import dataclass
from datetime import datetime

from handlers.replies import Reply
from matrix.core.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PostHeld(Reply):
    """One post; a post without a unit is the district's."""

    unit: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine(Reply):
    """A person; ``state`` is a key under ``binding``."""

    name: str
    handle: str
    state: str
    posts: tuple[PostHeld, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAdded(Reply):
    """A new person, who can do nothing yet."""

    name: str
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKnown(Reply):
    """The name is taken: by whom, and how to add another of that name."""

    name: str
    lines: tuple[PersonLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAdded(Reply):
    """A new post, or further accounts of one that was held (``since`` None)."""

    name: str
    post: PostHeld
    accounts: tuple[str, ...] = ()
    since: datetime | None = None
    unbound: str = ""
