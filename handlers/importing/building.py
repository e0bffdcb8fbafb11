"""From sound rows to entities: references, keys, and what each row changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from handlers.importing import checks, rows
from handlers.importing.cells import CellFault
from handlers.importing.findings import Change, Write
from handlers.importing.schema import TABLES
from handlers.importing.sheet import Faults, Row
from matrix.core.directory import Area, Person, Post, Unit
from matrix.core.entity import Entity

__all__ = ["Stored", "Workbench", "build"]

Stored = Mapping[str, Mapping[str, Entity]]
"""What the database holds: table → id → entity."""


@dataclass(slots=True, kw_only=True)
class Workbench:
    """What is at hand while planning. ``people`` are ids by handle, new ones included."""

    stored: Stored
    key_of: Callable[[str], str]
    faults: Faults
    writes: list[Write] = field(default_factory=list)
    after: dict[str, dict[str, Entity]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)

    def merged(self, name: str) -> dict[str, Entity]:
        """A table as it would be after the import."""
        return {**self.stored[name], **self.after.get(name, {})}


def build(bench: Workbench, read: Sequence[Row]) -> None:
    """Check rows against each other and the database; fills ``bench.writes``."""
    known = _known(bench, read)
    stored = {
        name: {table.key_of(entity): entity for entity in bench.stored[name].values()}
        for name, table in TABLES.items()
    }
    seen: dict[tuple[str, ...], int] = {}
    for row in read:
        bench.faults.row(row, checks.unknown_references(row.table, row.values, known))
        _name_people(row, bench.people)
        first = seen.setdefault((row.table.name, *row.key), row.number)
        if first != row.number and row.has_key:
            column = row.table.key_columns[0]
            bench.faults.row(row, [(column, "duplicate", str(first))])
        if row.sound:
            _build_one(bench, row, stored[row.table.name].get(row.key))
    for row in read:
        if row.sound and row.table.name in {"areas", "units"}:
            bench.faults.row(row, _cycles(bench, row))
        if row.sound and row.table.name == "shifts":
            bench.faults.row(row, _idle(bench, row))


def _idle(bench: Workbench, row: Row) -> list[checks.Finding]:
    """On duty without a post in the unit one could not do anything."""
    values = row.values
    posts = (cast("Post", one) for one in bench.merged("posts").values())
    if any(checks.serves(post, values["person"], values["unit"], values["day"]) for post in posts):
        return []
    return [("person", "no_such_duty", values["unit"])]


def _known(bench: Workbench, read: Sequence[Row]) -> dict[str, set[str]]:
    """Codes and handles that may be referred to; rows with other faults count as well."""
    known = {name: set(entities) for name, entities in bench.stored.items()}
    for row in read:
        if len(row.key) == 1:
            known[row.table.name].add(row.key[0])
            if row.table.name == "people":
                bench.people[row.key[0]] = row.key[0]
    for person in bench.stored["people"].values():
        bench.people[cast("Person", person).handle] = person.id
    known["people"] = set(bench.people)
    bench.handles = {person: handle for handle, person in bench.people.items()}
    return known


def _name_people(row: Row, people: Mapping[str, str]) -> None:
    """Handles become the ids of the people."""
    for column in row.table.columns:
        if column.refers == "people" and column.target in row.values:
            handle = row.values[column.target]
            row.values[column.target] = people.get(handle, handle)


def _build_one(bench: Workbench, row: Row, before: Entity | None) -> None:
    table = row.table
    values = dict(row.values) if before is None else _new_values(table, row.values, before)
    if "claim_text" in values:
        values["claim_key"] = bench.key_of(values["claim_text"])
    try:
        after = table.build(table, before, values)
    except CellFault as fault:
        bench.faults.row(row, [(table.key_columns[0], fault.code, fault.detail)])
        return
    bench.faults.row(row, checks.sense(after))
    bench.after.setdefault(table.name, {})[after.id] = after
    if after != before:
        change = _change(bench, table, before, after)
        bench.writes.append(Write(before=before, after=after, change=change))


def _new_values(table: rows.Table, values: rows.Values, before: Entity) -> rows.Values:
    """Cells that say what is stored leave it exactly as it is, to the microsecond."""
    return {
        column.target: values[column.target]
        for column in table.columns
        if column.target in values
        and column.render(values[column.target]) != column.render(rows.current(before, column))
    }


def _change(bench: Workbench, table: rows.Table, before: Entity | None, after: Entity) -> Change:
    old = rows.to_cells(table, before, bench.handles) if before is not None else {}
    new = rows.to_cells(table, after, bench.handles)
    ends = before is not None and table.ended(after) and not table.ended(before)
    return Change(
        table=table.name,
        key="/".join(new[name] for name in table.key_columns if new[name]),
        kind="new" if before is None else "ended" if ends else "changed",
        fields=tuple(
            (name, old.get(name, ""), cell)
            for name, cell in new.items()
            if cell != old.get(name, "")
        ),
    )


def _cycles(bench: Workbench, row: Row) -> list[checks.Finding]:
    table = bench.merged(row.table.name)
    parents = {code: cast("Area | Unit", one).parent for code, one in table.items()}
    way = checks.cycle(row.key[0], parents)
    return [("parent", "cycle", " → ".join(way))] if way else []
