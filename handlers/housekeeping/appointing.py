"""添加岗位: for whom, in which unit, in which role, for which accounts."""

from handlers.context import Context
from handlers.housekeeping import people, posts
from handlers.importing.checks import NEEDS_UNIT
from handlers.proposing.units import units_named
from handlers.replies import choose
from handlers.replies.shared import AskText, Pick
from handlers.reposting.tasks import operators
from handlers.router import Args, action, answer, perform
from matrix.core.conversation import Dialog, Inbound
from matrix.core.directory import Account, Person, UnitKind
from matrix.core.errors import Refusal
from matrix.core.roles import NOT_PERSONS, Role

NONE = "无"
"""What people type for a post without a unit."""
_SHOWN = 8


@action("admin.add_post", Role.ADMIN)
async def add_post(ctx: Context, subject: str, args: Args) -> None:
    """添加岗位 <姓名>: in which unit."""
    if subject:
        await _ask_unit(ctx, await people.fresh(ctx, subject))
        return
    if not args.get("text"):
        await ctx.ask("admin.add_post", AskText(what="post_for_whom"))
        return
    await _ask_unit(ctx, await people.only(ctx, args["text"]))


@answer("admin.add_post")
async def add_post_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The name."""
    del dialog
    await perform(ctx, "admin.add_post", "", {"text": message.text})


async def _ask_unit(ctx: Context, person: Person) -> None:
    none = choose("admin.post_unit", person.id, label="no_unit")
    asked = AskText(what="post_unit", subject=person.name)
    await ctx.ask("admin.post_unit", asked, none, person=person.id)


@answer("admin.post_unit")
async def post_unit_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The unit by name, short name, code or a part; of several hits one is chosen."""
    ctx.post(Role.ADMIN)
    person = await people.fresh(ctx, str(dialog.data["person"]))
    wanted = message.text.strip()
    if wanted == NONE:
        await _ask_role(ctx, person, "")
        return
    hits = [code for code in units_named(ctx, wanted) if not ctx.directory.units[code].ended]
    if not hits:
        raise Refusal("no_such_unit", {"what": wanted[:20]})
    if len(hits) == 1:
        await _ask_role(ctx, person, hits[0])
        return
    more = str(len(hits)) if len(hits) > _SHOWN else ""
    await ctx.ask(
        "admin.post_unit",
        Pick(what="post_which_unit", subject=wanted[:20], detail=more),
        *[
            choose("admin.post_unit", person.id, text=ctx.directory.unit_name(code), unit=code)
            for code in hits[:_SHOWN]
        ],
        person=person.id,
    )


@action("admin.post_unit", Role.ADMIN)
async def post_unit(ctx: Context, subject: str, args: Args) -> None:
    """A unit was chosen, or none."""
    await ctx.close_dialog()
    await _ask_role(ctx, await people.fresh(ctx, subject), args.get("unit", ""))


async def _ask_role(ctx: Context, person: Person, unit: str) -> None:
    where = ctx.directory.unit_name(unit) or ctx.policy.short_name
    await ctx.reply(
        Pick(what="post_role", subject=person.name, detail=where),
        *[
            choose(
                "admin.post_role", person.id, label=f"post_{role}", text=where, unit=unit,
                role=role.value,
            )
            for role in roles_in(ctx, unit)
        ],
    )  # fmt: skip


def roles_in(ctx: Context, code: str) -> list[Role]:
    """Roles that make sense in a unit, or without one (``code`` empty).

    Without a unit the district's own and the public; in one, the desk only at the desk, a
    coordinator only in a town, an operator only where there are accounts.
    """
    unit = ctx.directory.units.get(code)
    if unit is None:
        senseless = {*NEEDS_UNIT, Role.OPERATOR, Role.COORDINATOR}
    else:
        senseless = {Role.PUBLIC}
        if unit.kind is not UnitKind.DESK:
            senseless.add(Role.DESK)
        if unit.kind is not UnitKind.TOWN:
            senseless.add(Role.COORDINATOR)
        if not _accounts(ctx, code):
            senseless.add(Role.OPERATOR)
    return [role for role in Role if role not in senseless | NOT_PERSONS]


def _accounts(ctx: Context, unit: str) -> list[Account]:
    accounts = ctx.directory.accounts.values()
    return [one for one in accounts if one.unit == unit and not one.ended]


@action("admin.post_role", Role.ADMIN)
async def post_role(ctx: Context, subject: str, args: Args) -> None:
    """A role was chosen; an operator needs accounts as well."""
    person, unit, role = await people.fresh(ctx, subject), args["unit"], Role(args["role"])
    if role is not Role.OPERATOR:
        await posts.make(ctx, person, unit, role)
        return
    free = _free(ctx, unit)
    if len(free) == 1:
        await posts.make(ctx, person, unit, role, [free[0].id])
        return
    await ctx.reply(
        Pick(what="post_accounts", subject=person.name, detail=ctx.directory.unit_name(unit)),
        choose(
            "admin.post_accounts", person.id, label="all_accounts", unit=unit,
            accounts=posts.BETWEEN.join(one.id for one in free),
        ),
        *[
            choose("admin.post_accounts", person.id, text=one.name, unit=unit, accounts=one.id)
            for one in free
        ],
    )  # fmt: skip


def _free(ctx: Context, unit: str) -> list[Account]:
    """The unit's accounts that nobody runs: a card goes to one person only. Raises Refusal."""
    accounts, running = _accounts(ctx, unit), operators(ctx)
    free = [one for one in accounts if one.id not in running]
    if not free:
        held = dict.fromkeys(running[one.id] for one in accounts)
        who = "、".join(ctx.directory.person_name(person) for person in held)
        raise Refusal("accounts_run", {"what": ctx.directory.unit_name(unit), "detail": who})
    return free


@action("admin.post_accounts", Role.ADMIN)
async def post_accounts(ctx: Context, subject: str, args: Args) -> None:
    """Accounts were chosen; those that somebody has been given meanwhile are left out."""
    unit, wanted = args["unit"], args["accounts"].split(posts.BETWEEN)
    chosen = [one.id for one in _free(ctx, unit) if one.id in wanted]
    if not chosen:
        names = "、".join(ctx.directory.accounts[one].name for one in wanted)
        raise Refusal("account_run", {"what": names})
    await posts.make(ctx, await people.fresh(ctx, subject), unit, Role.OPERATOR, chosen)
