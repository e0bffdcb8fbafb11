"""Rows: columns and keys of a table, row → entity, entity → row."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.importing import cells
from matrix.core.bulletin import BULLETIN, Bulletin, BulletinState, Kind
from matrix.core.entity import Entity
from matrix.core.errors import IllegalTransition
from matrix.core.roles import MACHINE

__all__ = ["ENDED", "Column", "Table", "Values", "bulletin_build", "current", "from_cells"]
__all__ += ["new_id", "plain_build", "to_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``field`` is the entity's field when it is named otherwise.

    A ``required`` column must be there with a value in every row. ``refers`` names the table
    whose codes it holds. Where an optional column is absent, what is stored stays; an empty
    cell empties it.
    """

    name: str
    parse: cells.Parse = cells.text
    render: cells.Render = cells.plain
    required: bool = False
    refers: str = ""
    field: str = ""

    @property
    def target(self) -> str:
        """The entity's field."""
        return self.field or self.name

    def value(self, cell: str) -> Any:
        """What the cell says. Raises CellFault."""
        if self.required and not cell.strip() and self.parse is not cells.lead:
            raise cells.CellFault("empty")
        return self.parse(cell)

    @property
    def is_list(self) -> bool:
        """Whether a cell holds several values."""
        return self.render in {cells.joined, cells.pairs, cells.spans}


ENDED = Column(name="ended", parse=cells.mark, render=cells.flag)
"""A row missing from a file ends nothing; only this column does."""

Values = dict[str, Any]
Build = Callable[["Table", Entity | None, Values], Entity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. ``name`` is also the repository's, ``label`` the entity's in the event log.

    ``key`` are the entity's fields that tell one row from another; ``id`` is the entity's id
    itself for things with a code, else a digest of the key.
    """

    name: str
    label: str
    entity: type[Any]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    build: Build

    @property
    def header(self) -> list[str]:
        """Column names in the order of the export."""
        return [column.name for column in self.columns]

    @property
    def key_columns(self) -> list[str]:
        """Columns that hold the key."""
        return [column.name for column in self.columns if column.target in self.key]

    @property
    def lists(self) -> frozenset[str]:
        """Columns whose cells hold several values between ``;``."""
        return frozenset(column.name for column in self.columns if column.is_list)

    def key_of(self, entity: Entity) -> tuple[str, ...]:
        """What tells this entity from the others of its table."""
        return tuple(str(getattr(entity, name)) for name in self.key)

    def ended(self, entity: Entity) -> bool:
        """Whether it is no longer in force."""
        return bool(current(entity, ENDED))


def new_id(table: Table, values: Mapping[str, Any]) -> str:
    """The id of a new entity: the code or handle itself, else a digest of the key."""
    key = [str(values.get(name, "")) for name in table.key]
    if len(key) == 1 and table.name != "bulletins":
        return key[0]
    # 96 bits: no two keys of one district will ever share them.
    return f"{table.label}-{hashlib.sha256(chr(0).join(key).encode()).hexdigest()[:24]}"


def plain_build(table: Table, before: Entity | None, values: Values) -> Entity:
    """The stored entity with the row's values, or a new one."""
    if before is not None:
        return dataclasses.replace(before, **values)
    made: Entity = table.entity(**{**values, "id": new_id(table, values)})
    return made


def bulletin_build(table: Table, before: Entity | None, values: Values) -> Entity:
    """Imported bulletins only; ``ended`` withdraws one by its lifecycle.

    Raises:
        CellFault: ``own_bulletin`` (reviewed here, not to be overwritten), ``cannot_end``,
            ``cannot_revive``.
    """
    ended = values.pop("ended", None)
    if before is None:
        made = {"state": BulletinState.CURRENT, "kind": Kind.IMPORTED, "id": new_id(table, values)}
        bulletin = Bulletin(**{**values, **made})
    else:
        bulletin = dataclasses.replace(_bulletin(before), **values)
    if bulletin.kind is not Kind.IMPORTED:
        raise cells.CellFault("own_bulletin", bulletin.number)
    withdrawn = bulletin.state is BulletinState.WITHDRAWN
    if ended is None or ended == withdrawn:
        return bulletin
    if withdrawn:
        raise cells.CellFault("cannot_revive", bulletin.number)
    try:
        return BULLETIN.advance(bulletin, "withdraw", MACHINE)[0]
    except IllegalTransition:
        raise cells.CellFault("cannot_end", bulletin.state) from None


def _bulletin(entity: Entity) -> Bulletin:
    if not isinstance(entity, Bulletin):
        raise TypeError(type(entity).__name__)
    return entity


def from_cells(
    table: Table, row: Mapping[str, str]
) -> tuple[Values, list[tuple[str, cells.CellFault]]]:
    """The values of a row by the entity's fields, and (column, fault) for every bad cell.

    Columns that the row does not have are left out, required ones too.
    """
    values: Values = {}
    faults: list[tuple[str, cells.CellFault]] = []
    for column in table.columns:
        if column.name not in row:
            continue
        try:
            values[column.target] = column.value(row[column.name])
        except cells.CellFault as fault:
            faults.append((column.name, fault))
    return values, faults


def to_cells(table: Table, entity: Entity, handles: Mapping[str, str]) -> dict[str, str]:
    """The row of an entity. ``handles`` turns a person's id into the handle."""
    row: dict[str, str] = {}
    for column in table.columns:
        value = current(entity, column)
        if column.refers == "people":
            value = handles.get(value, value)
        row[column.name] = column.render(value)
    return row


def current(entity: Entity, column: Column) -> Any:
    """What the entity holds for a column."""
    if column is ENDED and isinstance(entity, Bulletin):
        return entity.state is BulletinState.WITHDRAWN
    return getattr(entity, column.target)
