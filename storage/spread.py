"""What has been counted of the sightings of claims, so that each is counted once.

Of a rumor with thousands of leads SQLite needs 3 µs for each sighting to tell persons and chats
apart, anew with every lead that comes in (docs/performance.md). Here only those are read that have
come since the last count. A file has one process (docs/decisions/0008), and who writes is alone:
what a transaction has read is counted for good when it has committed. Sightings are only added;
where one is changed nevertheless, all is forgotten.
"""

from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from matrix.core.claim import Sighted
from storage.driver import Connection
from storage.types import Instant

Row = tuple[int, str, str, str, int]
"""Place in the table, person, area, chat, microseconds: as ``_SINCE`` gives them."""

_SINCE = (
    "SELECT rowid, person, area, chat, seen_at FROM sighting"
    " WHERE claim = ? AND rowid > ? ORDER BY rowid"
)
_WORTH = 20
"""Sightings from which on a claim is remembered."""
_CLAIMS = 200
"""Claims remembered; the one longest unasked makes room."""


class _Counted:
    """One claim, up to a row."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.last = 0
        self.persons: set[str] = set()
        self.areas: set[str] = set()
        self.chats: set[str] = set()
        self.instants: list[int] = []
        self.take(rows)

    def take(self, rows: Iterable[Row]) -> None:
        """More of them, in the order of the table."""
        for self.last, person, area, chat, seen_at in rows:
            self.persons.add(person)
            if area:
                self.areas.add(area)
            self.chats.add(chat)
            insort(self.instants, seen_at)

    def sighted(self, rows: Sequence[Row], since: datetime) -> Sighted:
        """These and some more."""
        micros = Instant.micros(since) or 0
        persons, areas, chats = ({row[place] for row in rows} for place in (1, 2, 3))
        instants = [row[4] for row in rows]
        late = len(self.instants) - bisect_right(self.instants, micros)
        return Sighted(
            leads=len(self.instants) + len(rows),
            persons=len(self.persons) + len(persons - self.persons),
            areas=len(self.areas) + len(areas - self.areas - {""}),
            chats=len(self.chats) + len(chats - self.chats),
            fresh=late + sum(one > micros for one in instants),
            first=Instant.instant(min([*self.instants[:1], *instants], default=None)),
        )


class Spread:
    """Of one store: what committed transactions have counted."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self._counted: OrderedDict[str, _Counted] = OrderedDict()

    def of(self, claim: str) -> _Counted:
        """What is counted of a claim so far."""
        found = self._counted.get(claim)
        if found is None:
            return _Counted()
        self._counted.move_to_end(claim)
        return found

    def keep(self, claim: str, last: int, rows: Sequence[Row]) -> None:
        """What a transaction that has committed has read beyond the row ``last``."""
        found = self._counted.get(claim)
        if found is not None and found.last == last:
            found.take(rows)
        elif found is None and last == 0 and len(rows) >= _WORTH:
            self._counted[claim] = _Counted(rows)
            if len(self._counted) > _CLAIMS:
                self._counted.popitem(last=False)

    def forget(self) -> None:
        """A sighting has been changed."""
        self._counted.clear()


class Count:
    """Of one transaction that writes on SQLite."""

    def __init__(self, spread: Spread, driver: Connection) -> None:
        """Nothing is read yet."""
        self._spread = spread
        self._driver = driver
        self._read: dict[str, tuple[int, Sequence[Row]]] = {}

    def of(self, claim: str, since: datetime) -> Sighted:
        """The sightings of a claim."""
        counted = self._spread.of(claim)
        found, _ = self._driver.run_now(_SINCE, (claim, counted.last))
        rows = cast("Sequence[Row]", found)
        self._read[claim] = counted.last, rows
        return counted.sighted(rows, since)

    def taken_back(self) -> None:
        """What was read may have been of a part that is gone."""
        self._read.clear()

    def committed(self) -> None:
        """What was read stands."""
        for claim, (last, rows) in self._read.items():
            self._spread.keep(claim, last, rows)
