"""Tables out: what an export writes, an import reads back without a change."""

from typing import Any

from handlers.importing.plan import repository
from handlers.importing.rows import to_cells
from handlers.importing.schema import TABLES
from matrix.core.bulletin import Bulletin, Kind
from matrix.core.directory import Person, Post
from matrix.core.entity import Entity
from matrix.core.errors import NotFound
from matrix.ports import Work

__all__ = ["export_rows"]


async def export_rows(work: Work, table: str) -> tuple[list[str], list[dict[str, str]]]:
    """The header and all rows of a table, ordered by its key, ended ones included.

    Two things stay inside: people who registered themselves in a chat (they have no name, only
    a pseudonym) with their posts, and bulletins reviewed here, which no file may overwrite.

    Raises:
        NotFound: no such table.
    """
    spec = TABLES.get(table)
    if spec is None:
        raise NotFound(table)
    people: list[Person] = await work.people.find()
    handles = {person.id: person.handle for person in people}
    named = {person.id for person in people if person.name}
    # What was written for a drill is nobody's rebuttal.
    criteria: dict[str, Any] = {"drill": False} if table == "bulletins" else {}
    entities: list[Entity] = await repository(work, table).find(**criteria)
    kept = sorted((one for one in entities if _goes_out(one, named)), key=spec.key_of)
    return spec.header, [to_cells(spec, entity, handles) for entity in kept]


def _goes_out(entity: Entity, named: set[str]) -> bool:
    match entity:
        case Person():
            return entity.id in named
        case Post():
            return entity.person in named
        case Bulletin():
            return entity.kind is Kind.IMPORTED
    return True
