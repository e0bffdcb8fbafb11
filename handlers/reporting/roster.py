"""值班表 as the desk and the administrator see it."""

from datetime import timedelta

from handlers.context import Context
from handlers.duty import span
from handlers.replies.shared import Listing
from handlers.replies.triage import ShiftLine
from handlers.router import Args, action
from matrix.core.roles import Role

_SHOWN_DAYS = 7
_MOST = 20


@action("duty.roster", Role.DESK, Role.ADMIN)
async def roster(ctx: Context, subject: str, args: Args) -> None:
    """值班表: who is on duty now and in the next days; with a unit's name, of that unit."""
    del subject
    wanted = args.get("text", "")
    until = ctx.at + timedelta(days=_SHOWN_DAYS)
    found = []
    for shift in ctx.directory.shifts:
        unit = ctx.directory.units.get(shift.unit)
        begin, end = span(shift)
        named = unit is not None and wanted in f"{unit.name} {unit.short_name} {unit.id}"
        if named and end > ctx.at and begin < until:
            found.append((begin, end, shift))
    found.sort(key=lambda one: (one[0], one[2].unit, one[2].id))
    lines = tuple(
        ShiftLine(
            unit=ctx.directory.unit_name(shift.unit),
            who=ctx.directory.person_name(shift.person), starts_at=begin, ends_at=end,
            now="yes" if begin <= ctx.at else "",
        )
        for begin, end, shift in found[:_MOST]
    )  # fmt: skip
    await ctx.reply(
        Listing(what="roster", total=len(found), lines=lines, empty="" if lines else "yes")
    )
