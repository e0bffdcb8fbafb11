"""The candidate index on tantivy: embedded, on disk or in memory, one writer per folder."""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

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
from matrix.matching.terms import terms
from matrix.matching.verdicts import Candidate
from storage.index.documents import entry_of, rarity_of

__all__ = ["TantivyIndex"]

# Bytes of changes held before they are written; the smallest tantivy accepts is 15 MB.
_HEAP = 20_000_000
# The commonest terms cost most and say least: the rarest are asked for, up to so many claims that
# have them (a library of 15,000 is never cut short; a million costs four times less), but no fewer
# than some.
_TERMS, _POSTINGS, _FEWEST = 200, 200_000, 12
# The title is what the claim says; the rebuttal often quotes how it was told.
_FIELDS = (("title", 2.0), ("rebuttal", 1.5))
# Rarities remembered between commits; a district's whole vocabulary of pairs fits.
_REMEMBERED = 400_000
_META = "meta.json"


class TantivyIndex:
    """A `CandidateIndex` over character uni- and bigrams.

    ``path`` is a folder of its own (made when absent, emptied when it holds an index of
    another shape), or None for memory. Close it, or use it as a context manager.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._schema = _schema()
        self._writer: IndexWriter | None = None
        self._index = self._open()
        self._look()

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

    def put(self, claims: Iterable[Candidate]) -> None:
        """Add or replace claims."""
        writer = self._changing()
        for claim in claims:
            writer.delete_documents_by_term("id", claim.id)
            writer.add_document(_stored(claim))

    def drop(self, ids: Iterable[str]) -> None:
        """Remove claims."""
        writer = self._changing()
        for name in ids:
            writer.delete_documents_by_term("id", name)

    def clear(self) -> None:
        """Remove every claim."""
        self._changing().delete_all_documents()

    def commit(self) -> None:
        """Show the changes to searches."""
        self._guarded(self._changing().commit)
        self._index.reload()
        self._look()

    def rarity(self, term: str) -> float:
        """How much a term tells."""
        return self._rarities[term]

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The likeliest claims, best first."""
        self._found.clear()
        wanted = [
            (Occur.Should, Query.boost_query(self._term(field, term), boost))
            for term in self._telling(text)
            for field, boost in _FIELDS
        ]
        return self._ids(Query.boolean_query(wanted), limit) if wanted else []

    def _telling(self, text: str) -> list[str]:
        """The terms worth asking for, rarest first."""
        count = self._searcher.doc_freq
        seen = {t: [count(field, t) for field, _ in _FIELDS] for t in set(terms(text))}
        asked = sorted((max(n), term) for term, n in seen.items() if any(n))[:_TERMS]
        budget, told = _POSTINGS, list[str]()
        for _, term in asked:
            budget -= sum(seen[term])
            if budget < 0 and len(told) >= _FEWEST:
                break
            told.append(term)
        return told

    def read(self, ids: Iterable[str]) -> list[Candidate]:
        """The claims with these ids: those of the last search at no further cost."""
        found = [self._found.get(one) or self._lookup(one) for one in ids]
        return [one for one in found if one is not None]

    def _lookup(self, name: str) -> Candidate | None:
        hits = self._searcher.search(self._term("id", name), 1, count=False).hits
        return self._claim(hits[0][1]) if hits else None

    def _claim(self, at: DocAddress) -> Candidate:
        title, rebuttal, urls, name = json.loads(bytes(self._searcher.doc(at)["kept"][0]))
        return Candidate(id=name, title=title, rebuttal=rebuttal, urls=tuple(urls), normal=True)

    def search_url(self, url: str) -> Sequence[str]:
        """Claims that carry a link."""
        return [name for name, _ in self._ids(self._term("url", url), max(1, self.count))]

    def search_key(self, key: str) -> Sequence[str]:
        """Claims with a key."""
        return [name for name, _ in self._ids(self._term("key", key), max(1, self.count))]

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value, "freq")

    def _ids(self, query: Query, limit: int) -> list[tuple[str, float]]:
        hits = self._searcher.search(query, limit, count=False).hits
        found = [(self._claim(at), float(score)) for score, at in hits if score > 0]
        self._found.update((claim.id, claim) for claim, _ in found)
        return [(claim.id, score) for claim, score in found]

    def _look(self) -> None:
        """See what is committed now."""
        self._searcher = self._index.searcher()
        self._rarities = _Rarities(self._searcher)
        self._found = dict[str, Candidate]()

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
        if self._path is not None and not (self._path / _META).exists():
            self._reopen()
        if self._writer is None:
            self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        return self._writer

    def _guarded(self, step: Callable[[], object], *, missing_ok: bool = False) -> None:
        try:
            step()
        except (OSError, ValueError):
            if self._path is None or (self._path / _META).exists():
                raise
            if not missing_ok:
                self._reopen()

    def _reopen(self) -> None:
        self._writer = None
        self._index = self._open()
        self._look()
        raise IndexLostError(str(self._path))


class _Rarities(dict[str, float]):
    """What terms tell, as one searcher sees them; most are asked for many times."""

    def __init__(self, searcher: Searcher) -> None:
        super().__init__()
        self._searcher = searcher

    def __missing__(self, term: str) -> float:
        searcher = self._searcher
        seen = max(searcher.doc_freq("title", term), searcher.doc_freq("rebuttal", term))
        rarity = rarity_of(seen, searcher.num_docs)
        if len(self) < _REMEMBERED:
            self[term] = rarity
        return rarity


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("kept", stored=True, indexed=False)
    for field in ("url", "key"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="freq")
    for field in ("title", "rebuttal"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _stored(claim: Candidate) -> Document:
    entry = entry_of(claim)
    one = entry.claim
    kept = Document()
    kept.add_text("id", one.id)
    kept.add_bytes("kept", json.dumps((one.title, one.rebuttal, one.urls, one.id)).encode())
    kept.add_text("title", " ".join(entry.title))
    kept.add_text("rebuttal", " ".join(entry.rebuttal))
    kept.add_text("key", entry.key)
    for url in one.urls:
        kept.add_text("url", url)
    return kept
