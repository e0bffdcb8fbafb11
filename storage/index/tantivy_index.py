"""The candidate index on tantivy: embedded, on disk or in memory, one writer per folder."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Self

from tantivy import (
    DocAddress,
    Document,
    Index,
    IndexWriter,
    Occur,
    Query,
    Schema,
    SchemaBuilder,
    Searcher,
)

from matrix.matching.candidates import IndexLostError
from matrix.matching.verdicts import Candidate
from storage.index.documents import (
    BOOSTS,
    Asked,
    Entry,
    Rarities,
    entry_of,
    short_key,
    telling,
)  # fmt: skip

__all__ = ["TantivyIndex"]

# Bytes of changes held before they are written; the smallest tantivy accepts is 15 MB.
_HEAP = 20_000_000
_META = "meta.json"
_FIELDS = ("title", "rebuttal")

_Place = tuple[int, int]
"""A document: its segment, and where in it."""


class TantivyIndex:
    """A `CandidateIndex` over character uni- and bigrams.

    ``path`` is a folder of its own (made when absent, emptied when it holds an index of
    another shape), or None for memory. Close it, or use it as a context manager.
    """

    rarity: Callable[[str], float]
    """How much a term tells; looked up some two thousand times for one decision."""

    # A look at every claim: once for what is committed, and where nobody waits for it.
    _averages: Sequence[float] | None = None
    _ahead: Sequence[float] | None = None

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._schema = _schema()
        self._writer: IndexWriter | None = None
        self._index = self._open()
        self.look()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; changes that were not committed are lost. Idempotent."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            self._guarded(writer.rollback, missing_ok=True)
            writer.wait_merging_threads()

    @property
    def count(self) -> int:
        """How many claims a search sees."""
        return self._searcher.num_docs

    @property
    def lost(self) -> bool:
        """Whether the folder was taken away."""
        return self._path is not None and not (self._path / _META).exists()

    @property
    def averages(self) -> Sequence[float]:
        """How many terms a title and a rebuttal have."""
        if self._averages is None:
            self._averages = _averaged(self._searcher)
        return self._averages

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add or replace claims."""
        for claim in claims:
            self.stage({claim.id: entry_of(claim)})

    def stage(self, changes: Mapping[str, Entry | None]) -> None:
        """Put claims in their indexed form, or drop them where there is none."""
        writer = self._changing()
        for name, entry in changes.items():
            writer.delete_documents_by_term("id", name)
            if entry is not None:
                writer.add_document(_document(entry))

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims."""
        self.stage(dict.fromkeys(ids))

    def clear(self) -> None:
        """Remove every claim."""
        self._changing().delete_all_documents()

    def commit(self) -> None:
        """Show the changes to searches."""
        self._guarded(self._changing().commit)
        self.look()

    def write(self, changes: Mapping[str, Entry | None]) -> None:
        """Put (or, where there is None, drop) claims for good; searches see them after `look`.

        The one method that another thread may be in while this one searches.

        Raises:
            OSError, ValueError: the folder is gone or cannot be written.
        """
        writer = self._writing()
        for name, entry in changes.items():
            # To delete what is not there costs a commit a look through all of the index.
            if self._searcher.doc_freq("id", name):
                writer.delete_documents_by_term("id", name)
            if entry is not None:
                writer.add_document(_document(entry))
        writer.commit()
        self._index.reload()
        self._ahead = _averaged(self._index.searcher())

    def settle(self) -> bool:
        """What is visible is written."""
        return True

    def counts(self, term: str) -> tuple[int, int]:
        """How many claims have the term in title and rebuttal; removed ones may count."""
        count = self._searcher.doc_freq
        return count("title", term), count("rebuttal", term)

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims first."""
        return self.search_terms(telling(text, self._told), limit)

    def search_terms(self, asked: Sequence[Asked], limit: int) -> list[tuple[str, float]]:
        """The same for terms that were chosen before; their counts say in which field to look."""
        wanted = Query.boolean_query(
            [
                (Occur.Should, Query.boost_query(self._term(field, one.term), one.weight * boost))
                for one in asked
                for field, boost, seen in zip(_FIELDS, BOOSTS, one[2:], strict=True)
                if seen
            ]
        )
        found = [(self._claim(at), score) for at, score in self._hits(wanted, limit).items()]
        self._found = {claim.id: claim for claim, _ in found}
        return [(claim.id, score) for claim, score in found]

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims with these ids: those of the last search at no further cost."""
        found = [self._found.get(one) or self._lookup(one) for one in ids]
        return [one for one in found if one is not None]

    def _lookup(self, name: str) -> Candidate | None:
        found = self._hits(self._term("id", name), 1)
        return next(map(self._claim, found), None)

    def _claim(self, place: _Place) -> Candidate:
        kept = self._searcher.doc(DocAddress(*place))["kept"][0]
        title, rebuttal, urls, name = json.loads(bytes(kept))
        return Candidate(id=name, title=title, rebuttal=rebuttal, urls=tuple(urls), normal=True)

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return self._all(self._term("url", url))

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return self._all(self._term("key", short_key(key)))

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value, "freq")

    def _all(self, query: Query) -> list[str]:
        found = [self._claim(place) for place in self._hits(query, max(1, self.count))]
        self._found.update((claim.id, claim) for claim in found)
        return [claim.id for claim in found]

    def _hits(self, query: Query, limit: int) -> dict[_Place, float]:
        hits = self._searcher.search(query, limit, count=False).hits
        return {(at.segment_ord, at.doc): float(score) for score, at in hits if score > 0}

    def look(self) -> None:
        """See what is committed now."""
        self._index.reload()
        self._searcher = self._index.searcher()
        self._told = Rarities(self.counts, self.count)
        self.rarity = self._told.__getitem__
        self._found = dict[str, Candidate]()
        self._averages, self._ahead = self._ahead, None

    def _open(self) -> Index:
        if self._path is None:
            return Index(self._schema)
        self._path.mkdir(parents=True, exist_ok=True)
        try:
            return Index(self._schema, path=str(self._path))
        except ValueError:
            # Another shape or a damaged file: what is here can be rebuilt, so it may go.
            shutil.rmtree(self._path)
            self._path.mkdir(parents=True)
            return Index(self._schema, path=str(self._path))

    def _changing(self) -> IndexWriter:
        if self.lost:
            self.reopen()
        return self._writing()

    def _writing(self) -> IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        return self._writer

    def _guarded(self, step: Callable[[], object], *, missing_ok: bool = False) -> None:
        try:
            step()
        except (OSError, ValueError):
            if not self.lost:
                raise
            if not missing_ok:
                self.reopen()

    def reopen(self) -> NoReturn:
        """Begin again with an empty folder.

        Raises:
            IndexLostError: always, so that it will be filled.
        """
        self._writer = None
        self._index = self._open()
        self.look()
        raise IndexLostError(str(self._path))


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("kept", stored=True, indexed=False)
    for field in ("url", "key"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="freq")
    for field in _FIELDS:
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
        builder.add_unsigned_field(f"{field}_length", fast=True)
    return builder.build()


def _averaged(searcher: Searcher) -> Sequence[float]:
    asked = {field: {"avg": {"field": f"{field}_length"}} for field in _FIELDS}
    found = searcher.aggregate(Query.all_query(), asked)
    return [float(found[field]["value"] or 0.0) for field in _FIELDS]


def _document(entry: Entry) -> Document:
    one = entry.claim
    kept = Document()
    kept.add_text("id", one.id)
    kept.add_bytes("kept", json.dumps((one.title, one.rebuttal, one.urls, one.id)).encode())
    for field, terms in zip(_FIELDS, (entry.title, entry.rebuttal), strict=True):
        kept.add_text(field, " ".join(terms))
        kept.add_unsigned(f"{field}_length", len(terms))
    kept.add_text("key", entry.key)
    for url in one.urls:
        kept.add_text("url", url)
    return kept
