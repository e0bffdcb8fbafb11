"""三级指挥响应: the district calls on its towns, a town on its communities and groups.

What lies in a town's ground follows from the directory; nothing of it is stored.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from handlers.context import Context
from matrix.core.campaign import RepostTask, TaskState
from matrix.core.directory import Account, Post, Tier, Unit, UnitKind
from matrix.core.roles import Role

DONE = frozenset({TaskState.POSTED, TaskState.VERIFIED, TaskState.EXEMPT, TaskState.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Units and areas from which a town, or a coordinator's unit, is answered for."""

    units: frozenset[str]
    areas: frozenset[str]

    def holds(self, account: Account) -> bool:
        """Whether an account lies in it: by its body, or by the place that it is for."""
        return account.unit in self.units or account.area in self.areas


def towns(ctx: Context) -> list[Unit]:
    """The towns and subdistricts, by code."""
    found = [u for u in ctx.directory.units.values() if u.kind is UnitKind.TOWN and not u.ended]
    return sorted(found, key=lambda unit: unit.id)


def ground(ctx: Context, units: Iterable[str]) -> Ground:
    """Units with everything below them, and the areas of the towns among them."""
    own = _below(units, {u.id: u.parent for u in ctx.directory.units.values()})
    named = [ctx.directory.units[one] for one in own if one in ctx.directory.units]
    areas = {unit.area for unit in named if unit.kind is UnitKind.TOWN and unit.area}
    return Ground(
        units=own, areas=_below(areas, {a.id: a.parent for a in ctx.directory.areas.values()})
    )


def _below(roots: Iterable[str], parents: dict[str, str]) -> frozenset[str]:
    own, grown = set(roots), True
    while grown:
        below = {one for one, parent in parents.items() if parent in own}
        grown = not below <= own
        own |= below
    return frozenset(own)


def own(ctx: Context) -> Ground:
    """The ground that this person answers for; empty for who leads none."""
    return ground(ctx, {unit for post in ctx.posts for unit in _leads(ctx, post)})


def _leads(ctx: Context, post: Post) -> Collection[str]:
    """A coordinator's unit; the towns whose own official account an operator runs."""
    if post.role is Role.COORDINATOR:
        return [post.unit]
    if post.role is not Role.OPERATOR:
        return []
    accounts = [ctx.directory.accounts[a] for a in post.accounts if a in ctx.directory.accounts]
    official = {account.unit for account in accounts if account.tier is Tier.SECOND}
    return official & {town.id for town in towns(ctx)}


def leaders(ctx: Context, town: str) -> list[tuple[str, Role]]:
    """Who answers for a town, each with the post that is spoken to."""
    found: dict[str, Role] = {}
    for role in (Role.COORDINATOR, Role.OPERATOR):
        for post in ctx.posts_held(role):
            if town in _leads(ctx, post):
                found.setdefault(post.person, role)
    return list(found.items())


def towns_of(ctx: Context, person: str) -> set[str]:
    """The towns whose official account a person runs."""
    posts = [post for post in ctx.posts_held(Role.OPERATOR) if post.person == person]
    return {town for post in posts for town in _leads(ctx, post)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one town is: its own accounts, then those of its communities and groups."""

    town: Unit
    own: tuple[RepostTask, ...]
    below: tuple[RepostTask, ...]

    @property
    def tasks(self) -> tuple[RepostTask, ...]:
        """Both levels."""
        return (*self.own, *self.below)


def standings(ctx: Context, tasks: Iterable[RepostTask]) -> list[Standing]:
    """The towns that have a part in these tasks, by code."""
    tasks, found = list(tasks), []
    for town in towns(ctx):
        mine = ground(ctx, [town.id])
        here = [(t, a) for t in tasks if (a := ctx.directory.accounts.get(t.account)) is not None]
        inside = [(task, account) for task, account in here if mine.holds(account)]
        official = tuple(t for t, a in inside if a.tier is Tier.SECOND and a.unit == town.id)
        if inside:
            below = tuple(task for task, _ in inside if task not in official)
            found.append(Standing(town=town, own=official, below=below))
    return found


def done(tasks: Collection[RepostTask]) -> str:
    """``3/5``; empty where there are none."""
    return f"{sum(task.state in DONE for task in tasks)}/{len(tasks)}" if tasks else ""
