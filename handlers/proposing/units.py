"""A unit as people name it."""

from handlers.context import Context
from matrix.core.errors import Refusal


def find_unit(ctx: Context, name: str) -> str:
    """The code of a unit by its name, short name or code. Raises Refusal."""
    wanted = name.strip()
    hits = [
        unit.id
        for unit in ctx.directory.units.values()
        if wanted and wanted in {unit.id, unit.name, unit.short_name}
    ] or [
        unit.id
        for unit in ctx.directory.units.values()
        if wanted and (wanted in unit.name or wanted in unit.short_name)
    ]
    if len(hits) != 1:
        raise Refusal("no_such_unit", {"what": wanted[:20]})
    return hits[0]
