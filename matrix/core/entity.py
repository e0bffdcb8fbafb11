"""What every stored thing has in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A stored thing. ``version`` counts saves; a save names the version it has read."""

    id: str
    version: int = 0


class Stateful(Protocol):
    """An entity with a lifecycle."""

    @property
    def id(self) -> str:
        """Opaque identifier."""

    @property
    def version(self) -> int:
        """Number of saves so far."""

    @property
    def state(self) -> StrEnum:
        """Where it stands in its lifecycle."""
