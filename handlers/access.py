"""Which thing a post reaches: roles × jurisdiction (domain §2). One place for every handler."""

from collections.abc import Iterable
from datetime import datetime

from handlers.services import Directory
from matrix.core.bulletin import Revision
from matrix.core.campaign import RepostTask
from matrix.core.case import Assignment, AssignmentState, Case
from matrix.core.claim import Link
from matrix.core.directory import Post
from matrix.core.entity import Entity
from matrix.core.extension import Extension
from matrix.core.lead import Lead, LeadState
from matrix.core.roles import DISTRICT, REPORTERS, Role
from matrix.core.verification import Verification
from matrix.ports import Work
from matrix.triage.calendar import LOCAL

LIVE = (
    AssignmentState.OFFERED,
    AssignmentState.DESIGNATED,
    AssignmentState.ACKNOWLEDGED,
    AssignmentState.EXPIRED,
    AssignmentState.DONE,
)
"""Assignments that give a unit access to a case."""


def beijing_date(at: datetime) -> str:
    """The day on which posts are looked at, ISO."""
    return at.astimezone(LOCAL).date().isoformat()


def in_force(post: Post, today: str) -> bool:
    """Whether a post is held on a day (ISO dates compare as text)."""
    begun = not post.valid_from or post.valid_from <= today
    return begun and not is_over(post, today)


def is_over(post: Post, today: str) -> bool:
    """Whether a post is no longer held on a day; one that has not begun is not over."""
    return post.ended or (bool(post.valid_to) and post.valid_to < today)


async def reaches(work: Work, post: Post, entity: Entity, action: str) -> bool:
    """Whether the post's jurisdiction covers the entity for this action."""
    if post.role in DISTRICT:
        return True
    if post.role in REPORTERS:
        return await _reports(work, post, entity)
    if post.role is Role.OPERATOR:
        return isinstance(entity, RepostTask) and entity.account in post.accounts
    if post.role in {Role.HANDLER, Role.UNIT_HEAD}:
        return await _unit_reaches(work, post.unit, entity, action)
    return False


async def _reports(work: Work, post: Post, entity: Entity) -> bool:
    if isinstance(entity, Link):
        return (await work.leads.get(entity.lead)).reporter == post.person
    return isinstance(entity, Lead) and entity.reporter == post.person


def area_of(directory: Directory, posts: Iterable[Post]) -> frozenset[str]:
    """Codes of a supervisor's areas: those of the posts' units and everything below."""
    own = {
        directory.units[post.unit].area
        for post in posts
        if post.role is Role.SUPERVISOR and post.unit in directory.units
    } - {""}
    grown = bool(own)
    while grown:
        below = {one.id for one in directory.areas.values() if one.parent in own}
        grown = not below <= own
        own |= below
    return frozenset(own)


def sees_lead(directory: Directory, posts: Iterable[Post], lead: Lead) -> bool:
    """Whether a lead may be read: by the desk, by its reporter, and by a supervisor of its area.

    The area is where it was reported or what it is about; reading says nothing of who reported.
    Acting on a lead stays with the desk and its reporter (``reaches``).
    """
    held = tuple(posts)
    if any(post.role is Role.DESK for post in held):
        return True
    if any(post.role in REPORTERS and post.person == lead.reporter for post in held):
        return True
    if lead.state is LeadState.WITHDRAWN:
        return False
    return not {lead.heard_area, lead.about_area}.isdisjoint(area_of(directory, held))


async def _unit_reaches(work: Work, unit: str, entity: Entity, action: str) -> bool:
    match entity:
        case Assignment() | Revision() | Extension():
            return entity.unit == unit
        case Verification():
            return (entity.asked_unit if action == "withdraw" else entity.unit) == unit
        case Case():
            return bool(await work.assignments.count(case=entity.id, unit=unit, state__in=LIVE))
        case _:
            return False
