"""What planning an import finds: faults, changes, and the entities to be written."""

from collections.abc import Mapping
from dataclasses import dataclass

from matrix.core.entity import Entity

__all__ = ["Change", "Fault", "Plan", "Write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a cell, a row or a table (``row_number`` 0).

    ``code`` names the sentence, ``detail`` is what the sentence quotes.
    """

    table: str
    row_number: int
    column: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one row changes: ``kind`` is new, changed or ended; fields are (name, before, after)."""

    table: str
    key: str
    kind: str
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One entity to be written, with the change that is shown for it."""

    before: Entity | None
    after: Entity
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import would do. Without faults it can be applied; with faults it writes nothing.

    ``warnings`` are the routing alarms after the import: (why, topic or unit code, detail).
    """

    faults: tuple[Fault, ...] = ()
    warnings: tuple[tuple[str, str, str], ...] = ()
    writes: tuple[Write, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would change, in the order of writing."""
        return tuple(write.change for write in self.writes)

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """How many entities by (table, kind of change)."""
        found: dict[tuple[str, str], int] = {}
        for change in self.changes:
            place = (change.table, change.kind)
            found[place] = found.get(place, 0) + 1
        return found
