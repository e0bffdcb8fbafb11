"""人员: who is who in the district, ten a page, and what can be done for one of them."""

from handlers.access import beijing_date, is_over
from handlers.context import Context
from handlers.housekeeping import people
from handlers.proposing.units import units_named
from handlers.replies import Choice, choose
from handlers.replies.shared import Listing
from handlers.router import Args, action
from matrix.core.directory import Person
from matrix.core.roles import Role

PAGE = 10


@action("admin.people", Role.ADMIN)
async def show(ctx: Context, subject: str, args: Args) -> None:
    """人员 [机构或姓名]: everybody, those of a unit, or those of a name."""
    del subject
    wanted = (args.get("wanted") or args.get("text", "")).strip()[:20]
    found = _matching(ctx, wanted)
    if len(found) == 1:
        await _card(ctx, found[0])
        return
    page = min(int(args.get("page", "0")), max(0, (len(found) - 1) // PAGE))
    shown = found[page * PAGE : (page + 1) * PAGE]
    await ctx.reply(
        Listing(
            what="people" if wanted else "everybody",
            subject=wanted,
            total=len(found),
            lines=await people.lines(ctx, shown),
            empty="" if shown else "yes",
        ),
        *[
            choose("admin.person", one.id, text=f"{one.name} {one.handle}", keep=True)
            for one in shown
        ],
        *_turns(wanted, page, len(found)),
    )


def _turns(wanted: str, page: int, total: int) -> list[Choice]:
    turns = []
    if page:
        turns.append(("previous_page", page - 1))
    if total > (page + 1) * PAGE:
        turns.append(("next_page", page + 1))
    return [
        choose("admin.people", label=label, keep=True, wanted=wanted, page=str(to))
        for label, to in turns
    ]


def _matching(ctx: Context, wanted: str) -> list[Person]:
    """By handle; people who registered themselves have no name and stand in no list."""
    units = set(units_named(ctx, wanted))
    today = beijing_date(ctx.at)
    there = {p.person for p in ctx.directory.posts if p.unit in units and not is_over(p, today)}
    found = [
        one
        for one in ctx.directory.people.values()
        if one.name
        and not one.ended
        and (wanted in one.name or wanted == one.handle or one.id in there)
    ]
    return sorted(found, key=lambda one: (one.handle, one.id))


@action("admin.person", Role.ADMIN)
async def open_person(ctx: Context, subject: str, args: Args) -> None:
    """One of a list."""
    del args
    await _card(ctx, await people.fresh(ctx, subject))


async def _card(ctx: Context, person: Person) -> None:
    (line,) = await people.lines(ctx, [person])
    buttons = [choose("admin.add_post", person.id), choose("admin.invite", person.id)]
    if line.state == "bound":
        buttons.append(choose("admin.unbind", person.id))
    if line.posts:
        buttons.append(choose("admin.end_post", person=person.id))
    await ctx.reply(line, *buttons)
