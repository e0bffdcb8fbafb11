"""One request: who, where, when, in which transaction; and the ways to act and to speak."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from handlers import access
from handlers.services import Services
from handlers.speaking import Voice
from matrix.core.conversation import Button, Inbound
from matrix.core.directory import Post
from matrix.core.entity import Entity
from matrix.core.errors import GuardRefused, NotAllowed
from matrix.core.events import Event
from matrix.core.lifecycle import Facts, Lifecycle, Step
from matrix.core.roles import CLOCK, MACHINE, Actor, Role
from matrix.ports import Repository, Work

E = TypeVar("E", bound=Entity)
NUMBERS = 99
"""Choice numbers run on across questions and wrap here."""


@dataclass(slots=True, kw_only=True)
class Context(Voice):
    """See the module. ``person`` is None for the clock and the machine itself.

    ``identity`` is the binding by which the person was known.
    """

    posts: tuple[Post, ...] = ()
    external: str = ""
    identity: str = ""
    in_group: bool = False
    clock: bool = False
    pressed: Button | None = None

    def has(self, *roles: Role) -> bool:
        """Whether one of the person's posts carries one of the roles."""
        return any(post.role in roles for post in self.posts)

    def post(self, *roles: Role) -> Post:
        """The first post with one of the roles. Raises NotAllowed."""
        found = next((post for post in self.posts if post.role in roles), None)
        if found is None:
            raise NotAllowed("/".join(roles))
        return found

    # -- acting ------------------------------------------------------------------------------

    async def actor(self, roles: Iterable[Role], entity: Entity, action: str) -> Actor:
        """In which post the person may do this to this thing. Raises NotAllowed."""
        allowed = frozenset(roles)
        if self.person is None:
            return CLOCK if self.clock and Role.CLOCK in allowed else MACHINE
        for post in self.posts:
            if post.role in allowed and await access.reaches(self.work, post, entity, action):
                return Actor(role=post.role, person=self.person.id, post=post.id, unit=post.unit)
        raise NotAllowed(action)

    async def move(
        self,
        lifecycle: Lifecycle[E],
        repository: Repository[E],
        entity: E,
        action: str,
        *,
        by: Actor | None = None,
        facts: Facts | None = None,
        **changes: object,
    ) -> E:
        """Advance an entity, save it and log it: the only way a state is written."""
        rule = lifecycle.rule(entity.state, action)  # type: ignore[attr-defined]
        actor = by or await self.actor(rule.roles, entity, action)
        moved, step = lifecycle.advance(entity, action, actor, facts, **changes)
        saved = await repository.save(moved)
        await self.log(step, saved)
        return saved

    async def move_all(
        self,
        lifecycle: Lifecycle[E],
        repository: Repository[E],
        entities: Sequence[E],
        action: str,
        by: Actor,
        **changes: object,
    ) -> list[E]:
        """The same for many at once: each by its row, each logged, in few statements."""
        steps = [lifecycle.advance(one, action, by, None, **changes) for one in entities]
        saved = await repository.save_all([moved for moved, _ in steps])
        pairs = zip(steps, saved, strict=True)
        await self.work.record(*(self.event(step, one) for (_, step), one in pairs))
        return saved

    async def may(self, lifecycle: Lifecycle[E], entity: E, action: str) -> bool:
        """Whether this person could fire this row now, guards aside: for showing buttons."""
        state = entity.state  # type: ignore[attr-defined]
        if not lifecycle.has(state, action):
            return False
        try:
            await self.actor(lifecycle.rule(state, action).roles, entity, action)
        except NotAllowed:
            return False
        return True

    async def log(self, step: Step, entity: Entity, **data: object) -> None:
        """Append a step to the event log."""
        await self.work.record(self.event(step, entity, **data))

    def event(self, step: Step, entity: Entity, **data: object) -> Event:
        """A step as it stands in the log; for who appends many at once."""
        return Event(
            id=self.services.ids.new(),
            at=self.at,
            entity=step.entity,
            entity_id=step.entity_id,
            action=step.action,
            source=step.source,
            target=step.target,
            role=step.actor.role,
            person=step.actor.person,
            case=entity.id if step.entity == "case" else getattr(entity, "case", ""),
            data=data,
        )

    async def note(
        self, entity: str, entity_id: str, action: str, case: str = "", **data: object
    ) -> str:
        """Log something that moves no state; returns the event's id."""
        event_id = self.services.ids.new()
        await self.work.record(
            Event(
                id=event_id,
                at=self.at,
                entity=entity,
                entity_id=entity_id,
                action=action,
                role=self.posts[0].role if self.posts else "",
                person=self.person.id if self.person else "",
                case=case,
                data=data,
            )
        )
        return event_id

    def undo_facts(self, version: int) -> Mapping[str, Any]:
        """Facts for the guards of an undo by its button, which is as old as what it undoes."""
        pressed = self.pressed
        limit = timedelta(minutes=self.policy.undo_minutes)
        in_time = pressed is None or self.at - pressed.created_at <= limit
        return {"version": version, "in_time": in_time}

    def require(self, guard: str, *, holds: bool) -> None:
        """A condition outside the tables. Raises GuardRefused."""
        if not holds:
            raise GuardRefused(guard)


async def context_of(services: Services, work: Work, message: Inbound) -> Context:
    """The context of a message: the bound person with the posts in force today."""
    ctx = Context(
        services=services,
        work=work,
        at=services.clock.now(),
        platform=message.platform,
        chat=message.chat,
        external=message.external,
        answering=message.message_id,
        in_group=message.in_group,
    )
    bound = await work.identities.one(
        platform=message.platform, external=message.external, revoked_at=None
    )
    if bound is not None:
        person = await work.people.maybe(bound.person)
        if person is None or person.ended:
            return ctx
        ctx.person, ctx.identity = person, bound.id
        today = access.beijing_date(ctx.at)
        posts = await work.posts.find(person=person.id, order="id")
        ctx.posts = tuple(post for post in posts if access.in_force(post, today))
    return ctx


async def context_at_page(services: Services, work: Work, identity: str) -> Context:
    """A person at a page: they speak, and hear, where they opened it from.

    Raises:
        NotAllowed: they are gone, or that chat account unbound: no link outlives that.
    """
    bound = await work.identities.maybe(identity)
    if bound is None:
        raise NotAllowed("page")
    spoken = Inbound(
        id="", platform=bound.platform, message_id="", external=bound.external,
        chat=bound.chat, received_at=services.clock.now(),
    )  # fmt: skip
    ctx = await context_of(services, work, spoken)
    if ctx.identity != identity:
        raise NotAllowed("page")
    return ctx
