"""The stored district data, made into the directory that every request reads."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal, TypeVar

from handlers.access import beijing_date, in_force
from handlers.context import Context
from handlers.services import Directory
from matrix.core.directory import Area, Person, Place, Post, Unit
from matrix.core.entity import Entity
from matrix.core.roles import OWNERS
from matrix.matching.gazetteer import Gazetteer, PlaceName
from matrix.ports import Work
from matrix.triage.routing import Tables

__all__ = ["load_directory", "reachable_units", "reload"]

E = TypeVar("E", bound=Entity)


async def load_directory(work: Work, today: str) -> Directory:
    """Everything in force, in one value; call it again after an import and when a day begins.

    Ended units, areas, topics, people and accounts keep their names for old cases, but route
    nothing: ended topics classify no text, ended areas and places are found in none, and the
    posts of ended people are left out. ``posts`` keeps those that begin later or are over, as
    their readers compare with the day themselves. ``today`` is the Beijing date in ISO form.
    """
    units = _by_id(await work.units.find())
    areas = _by_id(await work.areas.find())
    topics = await work.topics.find()
    people = _by_id(await work.people.find())
    posts = _held(await work.posts.find(ended=False), people)
    places = await work.places.find(ended=False)
    return Directory(
        units=units,
        areas=areas,
        topics=_by_id(topics),
        people=people,
        posts=posts,
        accounts=_by_id(await work.accounts.find()),
        calendars=_by_id(await work.calendars.find(ended=False)),
        days=tuple(await work.days.find(ended=False)),
        # A shift of yesterday may last until this morning; older ones are over.
        shifts=tuple(await work.shifts.find(ended=False, day__gte=_day_before(today))),
        gazetteer=_gazetteer(areas, places, today),
        tables=Tables(
            topics=[topic for topic in topics if not topic.ended],
            units=units,
            areas=areas,
            reachable=reachable_units(units, people, posts, today),
        ),
    )


async def reload(ctx: Context) -> None:
    """After one row was changed in a conversation: the requests that follow see it."""
    current = await load_directory(ctx.work, beijing_date(ctx.at))
    ctx.services.directories.current = current


def reachable_units(
    units: Mapping[str, Unit], people: Mapping[str, Person], posts: Iterable[Post], today: str
) -> frozenset[str]:
    """Units not ended, with a handler or head in post on that day."""
    staffed = {
        post.unit for post in _held(posts, people) if post.role in OWNERS and in_force(post, today)
    }
    return frozenset(code for code in staffed if code in units and not units[code].ended)


def _held(posts: Iterable[Post], people: Mapping[str, Person]) -> tuple[Post, ...]:
    """Posts not ended, of people who exist and have not left."""
    return tuple(
        post
        for post in posts
        if not post.ended and post.person in people and not people[post.person].ended
    )


def _day_before(today: str) -> str:
    return (date.fromisoformat(today) - timedelta(days=1)).isoformat()


def _by_id(entities: Iterable[E]) -> dict[str, E]:
    return {entity.id: entity for entity in entities}


def _gazetteer(areas: Mapping[str, Area], places: Sequence[Place], today: str) -> Gazetteer:
    """Areas by full name and alias, all strong; places with the strength they were given.

    A division that was abolished stays a name: people go on saying it.
    """
    names: list[PlaceName] = []
    for area in areas.values():
        if area.ended:
            continue
        over = bool(area.valid_to) and area.valid_to < today
        kind = "former" if over else "official"
        names.append(PlaceName(name=area.name, area=area.id, strength="strong", kind=kind))
        names += [
            PlaceName(name=alias, area=area.id, strength="strong", kind="alias")
            for alias in area.aliases
        ]
    for place in places:
        strength: Literal["strong", "weak"] = "weak" if place.strength == "weak" else "strong"
        names += [
            PlaceName(
                name=name,
                area=place.area,
                strength=strength,
                blocklist=place.blocklist,
                kind=place.kind,
            )
            for name in (place.name, *place.aliases)
        ]
    parents = {area.id: area.parent for area in areas.values() if area.parent}
    return Gazetteer(names, parents)
