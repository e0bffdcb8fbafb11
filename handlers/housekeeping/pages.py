"""Every match of a sweep, page after page: what stays on the first page hides nothing behind it."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from matrix.core.entity import Entity
from matrix.ports import Repository

E = TypeVar("E", bound=Entity)
SIZE = 200
"""Rows at once: some hundred kilobytes."""


async def every(
    repository: Repository[E], *, size: int = SIZE, **criteria: Any
) -> AsyncIterator[E]:
    """Each match once, by id, though the sweep changes them while it goes on."""
    last = ""
    while page := await repository.find(order="id", limit=size, id__gt=last, **criteria):
        for one in page:
            yield one
        last = page[-1].id
