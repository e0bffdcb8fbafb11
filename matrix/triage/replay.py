"""Clocks from the event log: every change of a clock is logged with what it changed (domain §6)."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from matrix.core.case import Grade
from matrix.core.deadline import Deadline, Stage
from matrix.core.events import Event

ENTITY = "deadline"
_KEPT = tuple(one.name for one in fields(Deadline) if one.name not in {"id", "version"})
_INSTANTS = frozenset({*(name for name in _KEPT if name.endswith("_at"))})


def changes(before: Deadline | None, after: Deadline) -> dict[str, object]:
    """What an event tells of a clock: the fields that differ, as JSON values."""
    return {
        name: _encoded(getattr(after, name))
        for name in _KEPT
        if before is None or getattr(before, name) != getattr(after, name)
    }


def rebuild(events: Iterable[Event]) -> dict[str, Deadline]:
    """Every clock as the log has it, by id. ``events`` in the order in which they were written.

    Clocks from before the log kept their times are not in it. ``version`` counts changes.
    """
    found: dict[str, Deadline] = {}
    for event in events:
        told = event.data.get("clock")
        if event.entity != ENTITY or not isinstance(told, Mapping):
            continue
        values = {name: _decoded(name, value) for name, value in told.items()}
        known = found.get(event.entity_id)
        if known is not None:
            found[event.entity_id] = replace(known, **values, version=known.version + 1)
        elif "starts_at" in values:
            found[event.entity_id] = Deadline(id=event.entity_id, **values)
    return found


def _encoded(value: Any) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, (Stage, Grade)) else value


def _decoded(name: str, value: Any) -> Any:
    if name in _INSTANTS:
        return None if value is None else datetime.fromisoformat(value)
    match name:
        case "stage":
            return Stage(value)
        case "grade":
            return Grade(value)
        case "pauses":
            return tuple((a, b) for a, b in value)
        case "rungs":
            return tuple(value)
        case _:
            return value
