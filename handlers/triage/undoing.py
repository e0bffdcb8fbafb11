"""Undo of what moves no state (owner, grade, merge): what was done, and what followed, by the log.

Versions do not tell: whoever opens a case claims it, and that is nothing done.
"""

from collections.abc import Callable
from datetime import timedelta

from handlers.context import Context
from matrix.core.errors import GuardRefused
from matrix.core.events import Event
from matrix.core.lifecycle import Facts
from matrix.core.roles import Role

Followed = Callable[[Event], bool]


async def look(ctx: Context, done: str, followed: Followed, **criteria: str) -> tuple[Event, Facts]:
    """The event that is undone, by its id, and the facts for the guards. Raises GuardRefused."""
    events = await ctx.work.events(**criteria)
    at = next((place for place, one in enumerate(events) if one.id == done), None)
    if at is None:
        raise GuardRefused("nothing_followed")
    in_time = ctx.at - events[at].at <= timedelta(minutes=ctx.policy.undo_minutes)
    facts = {"followed": any(map(followed, events[at + 1 :])), "in_time": in_time}
    return events[at], facts


async def last(ctx: Context, action: str, entity_id: str, **data: str) -> str:
    """The id of the newest such event, empty when there is none."""
    found = [
        one.id
        for one in await ctx.work.events(entity_id=entity_id, action=action)
        if all(one.data.get(key) == value for key, value in data.items())
    ]
    return found[-1] if found else ""


def moved(event: Event, *entities: str) -> bool:
    """A step of one of these entities that a person or the program has taken, not the clock."""
    stepped = event.target and event.target != event.source
    return bool(stepped) and event.entity in entities and event.role != Role.CLOCK


def again(event: Event, *actions: str) -> bool:
    """The same thing has been done, or undone, once more."""
    return event.action.startswith(actions)
