"""From a raw text to a judgement: the one way, for chat and for whole files."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from matrix.matching.candidates import CandidateIndex, IndexDocument
from matrix.matching.judge import Judge
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, Judgement

__all__ = ["Lookup", "decide", "document_of", "match_all", "rebuild"]

# The claims as they are now, for ids the index proposed; unknown ids are left out.
Lookup = Callable[[Sequence[str]], Sequence[Candidate]]

# Claims the index proposes for one lead; among these the right one is found 99 times in 100.
_PROPOSED = 40


def decide(text: str, index: CandidateIndex, lookup: Lookup, judge: Judge) -> Judgement:
    """Judge one raw text against everything the index knows."""
    query = normalise(text)
    found = dict(index.search(query.text, _PROPOSED))
    ids = dict.fromkeys(found)
    if query.text:
        ids.update(dict.fromkeys(index.search_key(query.key)))
    for url in query.urls:
        ids.update(dict.fromkeys(index.search_url(url)))
    return judge.judge(query, lookup(tuple(ids)), rarity=index, found=found)


def match_all(
    library: Sequence[Candidate],
    leads: Iterable[tuple[str, str]],
    index: CandidateIndex,
    judge: Judge,
) -> Iterator[tuple[str, Judgement]]:
    """Fill the index with the library, then judge (id, text) leads, in their order."""
    rebuild(index, library)
    by_id = {claim.id: claim for claim in library}

    def lookup(ids: Sequence[str]) -> list[Candidate]:
        return [by_id[name] for name in ids if name in by_id]

    for name, text in leads:
        yield name, decide(text, index, lookup, judge)


def rebuild(index: CandidateIndex, library: Iterable[Candidate]) -> None:
    """Make the index hold exactly this library."""
    index.clear()
    index.put(document_of(claim) for claim in library)
    index.commit()


def document_of(claim: Candidate) -> IndexDocument:
    """What the index keeps of a claim."""
    return IndexDocument(id=claim.id, title=claim.title, rebuttal=claim.rebuttal, urls=claim.urls)
