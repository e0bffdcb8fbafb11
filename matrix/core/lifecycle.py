"""Transition tables: the only thing that writes a status.

A table is a list of rows (source, action, target, roles, guards). It feeds the buttons, the
diagrams, the property tests and the test that every row is played by a journey.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from matrix.core.entity import Entity
from matrix.core.errors import GuardRefused, IllegalTransition, NotAllowed
from matrix.core.roles import Actor, Role

Facts = Mapping[str, Any]
Guard = Callable[[Any, Actor, Facts], bool]
E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row. ``guards`` are named predicates, each with its own refusal."""

    source: StrEnum
    action: str
    target: StrEnum
    roles: frozenset[Role]
    guards: tuple[Guard, ...] = ()


def row(
    sources: StrEnum | Iterable[StrEnum],
    action: str,
    target: StrEnum,
    roles: Iterable[Role],
    *guards: Guard,
) -> Iterator[Rule]:
    """Rows with the same action, target, roles and guards, one per source."""
    several = (sources,) if isinstance(sources, StrEnum) else tuple(sources)
    for source in several:
        yield Rule(
            source=source, action=action, target=target, roles=frozenset(roles), guards=guards
        )


def stay(
    sources: Iterable[StrEnum], action: str, roles: Iterable[Role], *guards: Guard
) -> Iterator[Rule]:
    """Rows that change fields and leave the state as it is."""
    for source in sources:
        yield from row(source, action, source, roles, *guards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an advance did, for the event log."""

    entity: str
    entity_id: str
    action: str
    source: str
    target: str
    actor: Actor


class Lifecycle(Generic[E]):
    """The transition table of one entity."""

    def __init__(self, name: str, rows: Iterable[Iterable[Rule]]) -> None:
        """``name`` is the entity's name in the event log."""
        self.name = name
        self.rules: tuple[Rule, ...] = tuple(rule for some in rows for rule in some)
        self._by_key = {(rule.source, rule.action): rule for rule in self.rules}
        if len(self._by_key) != len(self.rules):
            raise ValueError(f"{name}: two rows with the same source and action")

    def rule(self, state: StrEnum, action: str) -> Rule:
        """The row for this state and action.

        Raises:
            IllegalTransition: there is none.
        """
        found = self._by_key.get((state, action))
        if found is None:
            raise IllegalTransition(self.name, str(state), action)
        return found

    def has(self, state: StrEnum, action: str) -> bool:
        """Whether the table lists the action in this state."""
        return (state, action) in self._by_key

    def sources(self, action: str) -> tuple[StrEnum, ...]:
        """States in which the action is listed."""
        return tuple(rule.source for rule in self.rules if rule.action == action)

    def advance(
        self, entity: E, action: str, actor: Actor, facts: Facts | None = None, **changes: object
    ) -> tuple[E, Step]:
        """The entity after the action, and what to log. ``changes`` are further fields.

        Raises:
            IllegalTransition: no such row.
            NotAllowed: the actor's role is not in the row.
            GuardRefused: a guard does not hold.
        """
        state: StrEnum = entity.state  # type: ignore[attr-defined]
        rule = self.rule(state, action)
        if actor.role not in rule.roles:
            raise NotAllowed(f"{self.name}.{action}")
        for guard in rule.guards:
            if not guard(entity, actor, facts or {}):
                raise GuardRefused(guard.__name__)
        fields: dict[str, Any] = {"state": rule.target, **changes}
        moved = replace(entity, **fields)
        step = Step(
            entity=self.name,
            entity_id=entity.id,
            action=action,
            source=str(state),
            target=str(rule.target),
            actor=actor,
        )
        return moved, step


def nothing_followed(entity: Any, actor: Actor, facts: Facts) -> bool:
    """Undo: nothing has been done since what is undone, by the log or by the same version."""
    del actor
    if "followed" in facts:
        return not facts["followed"]
    return bool(entity.version == facts.get("version"))


def in_time(entity: Any, actor: Actor, facts: Facts) -> bool:
    """Undo: 30 minutes are not over (a signature may be taken back until the next one)."""
    del entity, actor
    return bool(facts.get("in_time", True))
