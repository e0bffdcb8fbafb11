"""An index on disk with the newest changes in memory, so that no reader waits for the disk."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from matrix.matching.verdicts import Candidate
from storage.index.documents import Entry, Rarities, entry_of, short_key, telling
from storage.index.postings import Postings
from storage.index.tantivy_index import TantivyIndex

__all__ = ["LayeredIndex"]

# Changes kept in memory: this share of what is on disk, so that what words tell there stays true,
# and no more than a few hundred. More at once is a rebuild, and goes to the disk.
_SHARE, _MOST = 0.02, 500
# Seconds that changes wait to be written together.
_PATIENCE = 2.0


class LayeredIndex:
    """A `CandidateIndex` over a folder. Changes show at `commit` and are written later, aside.

    What was not written when the process died is lost: `settle` says whether anything would be.
    Close it, or use it as a context manager.
    """

    rarity: Callable[[str], float]
    """How much a term tells; looked up some two thousand times for one decision."""

    _coming: dict[str, Entry | None]
    _visible: dict[str, Entry | None]
    _taken: dict[str, Entry | None]
    _hidden: set[str]
    _fresh: Postings
    _writing: Future[None] | None

    def __init__(
        self, written: TantivyIndex, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Takes over an open index and closes it in the end."""
        self._written = written
        self._seconds = seconds
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is visible, and let go of the folder. Idempotent."""
        if not self._written.lost:
            self._wait()
            if self._visible:
                self._written.write(self._visible)
        self._aside.shutdown()
        self._forget()
        self._written.close()

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        return self._written.count - len(self._hidden) + len(self._fresh)

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add or replace claims."""
        self._found_there()
        for claim in claims:
            self._change(claim.id, entry_of(claim))

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims."""
        self._found_there()
        for name in ids:
            self._change(name, None)

    def clear(self) -> None:
        """Remove every claim."""
        self._found_there()
        self._wait()
        self._forget()
        self._written.clear()
        self._straight = True

    def commit(self) -> None:
        """Show the changes to searches."""
        self._found_there()
        if self._straight:
            self._written.commit()
            self._forget()
            return
        for name, entry in self._coming.items():
            self._show(name, entry)
        self._coming.clear()
        self._look()

    def settle(self) -> bool:
        """Go on with writing, in a thread aside; whether all that is visible is written."""
        if self._writing is not None and self._writing.done():
            self._found_there()
            self._wait()
        due = self._seconds() - self._since >= _PATIENCE
        if self._visible and due and self._writing is None:
            self._taken = dict(self._visible)
            self._writing = self._aside.submit(self._written.write, self._taken)
        return not self._visible

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims first."""
        asked = telling(text, self._told)
        found = self._written.search_terms(asked, limit + len(self._hidden))
        if self._visible:
            fresh = self._fresh.search(asked, self.count, self._averages, limit)
            old = [one for one in found if one[0] not in self._hidden]
            found = sorted(fresh + old, key=lambda one: -one[1])[:limit]
        return found

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims with these ids."""
        if not self._visible:
            return self._written.read(ids)
        found: list[Candidate] = []
        for name in ids:
            fresh = self._fresh.read(name)
            if fresh is not None:
                found.append(fresh)
            elif name not in self._hidden:
                found += self._written.read([name])
        return found

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return self._both(self._written.search_url(url), self._fresh.by_link(url))

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return self._both(self._written.search_key(key), self._fresh.by_key(short_key(key)))

    def _both(self, old: Iterable[str], fresh: Iterable[str]) -> list[str]:
        return [*(name for name in old if name not in self._hidden), *fresh]

    def _counts(self, term: str) -> tuple[int, int]:
        old, fresh = self._written.counts(term), self._fresh.counts(term)
        return old[0] + fresh[0], old[1] + fresh[1]

    def _change(self, name: str, entry: Entry | None) -> None:
        room = min(_MOST, int(self._written.count * _SHARE))
        if not self._straight and len(self._visible) + len(self._coming) >= room:
            self._go_straight()
        if self._straight:
            self._written.stage({name: entry})
        else:
            self._coming[name] = entry

    def _go_straight(self) -> None:
        """Too much for memory: all goes to the disk, and shows at the next commit."""
        self._wait()
        self._written.stage({**self._visible, **self._coming})
        self._coming.clear()
        self._straight = True

    def _show(self, name: str, entry: Entry | None) -> None:
        if not self._visible:
            self._since = self._seconds()
        self._visible[name] = entry
        if self._written.read([name]):
            self._hidden.add(name)
        if entry is None:
            self._fresh.drop(name)
        else:
            self._fresh.put(entry)

    def _found_there(self) -> None:
        """Raises `IndexLostError` where the folder is gone."""
        if self._written.lost:
            if self._writing is not None:
                self._writing.exception()
            self._forget()
            try:
                self._written.reopen()
            finally:
                self._look()

    def _wait(self) -> None:
        """Take over what was written aside, once it is."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        writing.result()
        self._written.look()
        # What changed again while it was written stays.
        left = {n: e for n, e in self._visible.items() if n not in self._taken or
                self._taken[n] is not e}  # fmt: skip
        straight, coming = self._straight, self._coming
        self._forget()
        self._straight, self._coming = straight, coming
        for name, entry in left.items():
            self._show(name, entry)
        self._look()

    def _forget(self) -> None:
        """Nothing in memory."""
        self._coming = {}
        self._visible = {}
        self._taken = {}
        self._hidden = set()
        self._fresh = Postings()
        self._writing = None
        self._straight = False
        self._since = 0.0
        self._look()

    def _look(self) -> None:
        self._told = Rarities(self._counts, self.count)
        self.rarity = self._told.__getitem__
        self._averages = self._written.averages if self._visible else [0.0, 0.0]
