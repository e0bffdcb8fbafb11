"""The rows of one table, each with its number, its values and whether it is sound so far."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from handlers.importing.checks import Finding
from handlers.importing.findings import Fault
from handlers.importing.rows import Table, Values, from_cells

__all__ = ["Faults", "Row", "Sheet", "read"]

Sheet = Sequence[Mapping[str, str]]
"""Text cells by column name. A row without a column's key says nothing about that column."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One row; ``sound`` is lost with its first fault."""

    table: Table
    number: int
    values: Values
    sound: bool

    @property
    def key(self) -> tuple[str, ...]:
        """As ``Table.key_of`` of the entity that the row makes."""
        return tuple(str(self.values.get(name, "")) for name in self.table.key)

    @property
    def has_key(self) -> bool:
        """Whether all that tells it from other rows could be read."""
        return self.sound or all(name in self.values for name in self.table.key)


@dataclass(slots=True)
class Faults:
    """Collects faults; nothing stops at the first."""

    found: list[Fault] = field(default_factory=list)

    def add(self, table: str, number: int, column: str, code: str, detail: str = "") -> None:
        """Note one."""
        self.found.append(
            Fault(table=table, row_number=number, column=column, code=code, detail=detail)
        )

    def row(self, row: Row, findings: Iterable[Finding]) -> None:
        """Note what was found in a row; it is not sound then."""
        for column, code, detail in findings:
            self.add(row.table.name, row.number, column, code, detail)
            row.sound = False


def read(table: Table, sheet: Sheet, first: int, faults: Faults) -> Iterator[Row]:
    """Rows with their values; blank rows are skipped but counted from ``first`` on."""
    present = dict.fromkeys(name for row in sheet for name in row)
    header = max(1, first - 1)
    wanted = [column.name for column in table.columns if column.required]
    missing = [name for name in wanted if name not in present]
    for name in missing:
        faults.add(table.name, header, name, "missing_column")
    for name in present:
        if name not in table.header:
            faults.add(table.name, header, name, "unknown_column")
    needed = {name: "" for name in wanted if name in present}
    for number, cells in enumerate(sheet, start=first):
        if any(cell.strip() for cell in cells.values()):
            values, bad = from_cells(table, {**needed, **cells})
            row = Row(table=table, number=number, values=values, sound=not missing)
            faults.row(row, [(column, one.code, one.detail) for column, one in bad])
            yield row
