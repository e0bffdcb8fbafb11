"""A unit as people name it."""

from handlers.context import Context
from matrix.core.errors import Refusal


def units_named(ctx: Context, name: str) -> list[str]:
    """Codes of the units that a name, short name or code means; else those it is a part of."""
    wanted = name.strip()
    units = ctx.directory.units.values() if wanted else ()
    return [one.id for one in units if wanted in {one.id, one.name, one.short_name}] or [
        one.id for one in units if wanted in one.name or wanted in one.short_name
    ]


def find_unit(ctx: Context, name: str) -> str:
    """The code of the one unit that a name means. Raises Refusal."""
    hits = units_named(ctx, name)
    if len(hits) != 1:
        raise Refusal("no_such_unit", {"what": name.strip()[:20]})
    return hits[0]
