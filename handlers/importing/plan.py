"""An import, in two steps: find every fault and every change; then write all or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from handlers.importing.building import Workbench, build
from handlers.importing.directory import reachable_units
from handlers.importing.findings import Change, Fault, Plan, Write
from handlers.importing.schema import TABLES
from handlers.importing.sheet import Faults, Row, Sheet, read
from matrix.core.bulletin import Bulletin
from matrix.core.directory import Area, Person, Post, Topic, Unit
from matrix.core.events import Event
from matrix.ports import Ids, Repository, Work
from matrix.triage.routing import Tables, alarms

__all__ = ["AFTER_HEADER", "Change", "Fault", "Plan", "Write", "apply", "plan", "repository"]

AFTER_HEADER = 2
"""Number of the first row of data where the header is row 1."""


def repository(work: Work, name: str) -> Repository[Any]:
    """The repository of a table."""
    return cast("Repository[Any]", getattr(work, name))


async def plan(
    work: Work,
    tables: Mapping[str, Sheet],
    *,
    key_of: Callable[[str], str],
    today: str,
    first_rows: Mapping[str, int] | None = None,
) -> Plan:
    """Compare tables of text cells with what is stored. Writes nothing.

    ``key_of`` makes the matching key of a claim's text. ``first_rows`` says which number the
    first row of a table bears, where that is not 2.
    """
    faults = Faults()
    for name in tables:
        if name not in TABLES:
            faults.add(name, 0, "", "unknown_table", name)
    found: list[Row] = []
    for name, table in TABLES.items():
        if tables.get(name):
            first = (first_rows or {}).get(name, AFTER_HEADER)
            found += read(table, tables[name], first, faults)
    bench = Workbench(
        key_of=key_of,
        faults=faults,
        stored={
            name: {entity.id: entity for entity in await repository(work, name).find()}
            for name in TABLES
        },
    )
    build(bench, found)
    if faults.found:
        return Plan(faults=tuple(sorted(faults.found, key=_by_place)))
    return Plan(warnings=_alarms(bench, today), writes=tuple(bench.writes))


async def apply(
    work: Work, plan: Plan, *, ids: Ids, at: datetime, person: str = "", role: str = ""
) -> int:
    """Write a plan without faults and log each entity; returns how many. The caller commits.

    Raises:
        ValueError: the plan has faults.
        StaleVersion: somebody changed one of the entities since the plan was made.
    """
    if plan.faults:
        raise ValueError("a plan with faults is never written")
    for write in plan.writes:
        after = write.after
        if isinstance(after, Bulletin):
            after = replace(after, change=await work.serial("bulletin-change"))
        kept = repository(work, write.change.table)
        await (kept.add(after) if write.before is None else kept.save(after))
        await work.record(_event(write, ids.new(), at, person, role))
    return len(plan.writes)


def _event(write: Write, event_id: str, at: datetime, person: str, role: str) -> Event:
    """Ids and column names only: the log never holds text. A moved state is named."""
    source, target = (str(getattr(one, "state", "")) for one in (write.before, write.after))
    moved = source != target
    return Event(
        id=event_id,
        at=at,
        entity=TABLES[write.change.table].label,
        entity_id=write.after.id,
        action="withdraw" if moved and source else f"import-{write.change.kind}",
        source=source if moved else "",
        target=target if moved else "",
        role=role,
        person=person,
        data={"fields": [name for name, _, _ in write.change.fields]},
    )


def _alarms(bench: Workbench, today: str) -> tuple[tuple[str, str, str], ...]:
    units = cast("dict[str, Unit]", bench.merged("units"))
    people = cast("dict[str, Person]", bench.merged("people"))
    posts = cast("dict[str, Post]", bench.merged("posts"))
    topics = cast("dict[str, Topic]", bench.merged("topics"))
    tables = Tables(
        topics=[topic for topic in topics.values() if not topic.ended],
        units=units,
        areas=cast("dict[str, Area]", bench.merged("areas")),
        reachable=reachable_units(units, people, posts.values(), today),
    )
    return tuple(alarms(tables))


def _by_place(fault: Fault) -> tuple[int, int]:
    order = list(TABLES)
    return order.index(fault.table) if fault.table in order else -1, fault.row_number
