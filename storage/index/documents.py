"""A claim as every index keeps it: terms, key and links."""

from dataclasses import dataclass

from matrix.matching.candidates import IndexDocument
from matrix.matching.terms import terms
from matrix.matching.text import canonical_url, normalise

__all__ = ["Entry", "entry_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The indexed form of a claim; terms repeat as often as the text repeats them."""

    id: str
    title: tuple[str, ...]
    rebuttal: tuple[str, ...]
    key: str
    urls: frozenset[str]


def entry_of(document: IndexDocument) -> Entry:
    """Normalise a claim the way queries are normalised."""
    title = normalise(document.title)
    links = {canonical_url(url) for url in document.urls}
    return Entry(
        id=document.id,
        title=tuple(terms(title.text)),
        rebuttal=tuple(terms(normalise(document.rebuttal).text)),
        key=title.key,
        urls=frozenset(links | set(title.urls)),
    )
