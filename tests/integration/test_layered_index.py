"""The newest changes are searched from memory, as they would be from the disk, and written aside."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matrix.matching.candidates import IndexLostError
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate
from storage.index.documents import Rarities, entry_of, telling
from storage.index.layered import LayeredIndex
from storage.index.memory import MemoryIndex
from storage.index.postings import Postings
from storage.index.tantivy_index import TantivyIndex

WATER = Candidate(
    id="water", title="云溪街道明天起停水三天", rebuttal="供水正常", urls=("https://a.example/1",)
)
STREETS = [
    Candidate(id=str(n), title=f"第{n}号路明晚封路施工", rebuttal=f"{n}号路照常通行")
    for n in range(400)
]


class Stopwatch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def index(tmp_path: Path, watch: Stopwatch) -> Iterator[LayeredIndex]:
    """Four hundred claims on disk."""
    with LayeredIndex(TantivyIndex(tmp_path / "i"), watch) as opened:
        opened.put(STREETS)
        opened.commit()
        yield opened


def on_disk(tmp_path: Path) -> int:
    with TantivyIndex(tmp_path / "i") as reader:
        return reader.count


def ids(index: LayeredIndex | MemoryIndex | TantivyIndex, text: str, limit: int = 5) -> list[str]:
    return [name for name, _ in index.search(normalise(text).text, limit)]


def written(index: LayeredIndex, watch: Stopwatch) -> None:
    """Let the time pass and the thread aside finish."""
    settled = False
    while not settled:
        watch.now += 60
        settled = index.settle()


def test_a_change_shows_before_it_is_written_and_after(index, watch, tmp_path):
    index.put([WATER])
    index.commit()
    assert (index.count, on_disk(tmp_path)) == (401, 400)
    assert not index.settle()
    for _ in range(2):
        assert ids(index, "听说云溪街道要停水")[0] == "water"
        assert list(index.search_key(normalise(WATER.title).key)) == ["water"]
        assert list(index.search_url("a.example/1")) == ["water"]
        assert [one.rebuttal for one in index.read(["water", "7"])] == ["供水正常", "7号路照常通行"]
        assert index.rarity("停水") < index.rarity("没有") == 1
        written(index, watch)
        assert (index.count, on_disk(tmp_path)) == (401, 401)


def test_what_is_replaced_or_dropped_in_memory_is_gone_from_the_disk_too(index, watch, tmp_path):
    index.put([Candidate(id="7", title="中心公园周末闭园")])
    index.drop(["8", "nobody"])
    index.commit()
    for _ in range(2):
        assert index.count == 399
        assert ids(index, "第7号路明晚封路施工")[0] != "7"
        assert ids(index, "第8号路明晚封路施工")[0] != "8"
        assert ids(index, "公园闭园")[0] == "7"
        assert [one.title for one in index.read(["8", "7"])] == ["中心公园周末闭园"]
        assert list(index.search_key(normalise("第8号路明晚封路施工").key)) == []
        written(index, watch)
        assert on_disk(tmp_path) == 399


def test_what_changes_while_it_is_written_stays(index, watch, tmp_path):
    index.put([WATER, Candidate(id="7", title="中心公园周末闭园")])
    index.commit()
    watch.now += 60
    assert not index.settle()
    index.drop(["water"])
    index.put([Candidate(id="9", title="河滨公园周末闭园")])
    index.commit()
    written(index, watch)
    assert sorted(ids(index, "公园闭园")[:2]) == ["7", "9"]
    assert index.read(["water"]) == []
    assert (index.count, on_disk(tmp_path)) == (400, 400)


def test_much_at_once_goes_to_the_disk(index, tmp_path):
    index.put([WATER])
    index.commit()
    index.put([Candidate(id=f"more{n}", title=f"{n}号楼电梯坏了") for n in range(20)])
    assert ids(index, "电梯") == []
    index.commit()
    assert index.settle()
    assert (index.count, on_disk(tmp_path)) == (421, 421)
    assert ids(index, "电梯")


def test_closing_writes_what_is_visible(tmp_path):
    with LayeredIndex(TantivyIndex(tmp_path / "i")) as index:
        index.put(STREETS)
        index.commit()
        index.put([WATER])
        index.commit()
        index.put([Candidate(id="more", title="没有提交的一条")])
    assert on_disk(tmp_path) == 401


def test_a_folder_deleted_while_changes_wait_says_so_and_can_be_rebuilt(index, watch, tmp_path):
    index.put([WATER])
    index.commit()
    shutil.rmtree(tmp_path / "i")
    assert ids(index, "云溪街道停水")[0] == "water"
    with pytest.raises(IndexLostError):
        written(index, watch)
    assert index.count == 0
    index.put([WATER])
    index.commit()
    assert ids(index, "云溪街道停水") == ["water"]


WORDS = st.text(alphabet="停水电路封闭学校医院不会明天起三12 ,", min_size=1, max_size=60)
LIBRARIES = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(library=LIBRARIES, asked=WORDS)
def test_memory_scores_as_the_disk_does(library, asked):
    claims = [
        Candidate(id=str(n), title=title, rebuttal=rebuttal * 3)
        for n, (title, rebuttal) in enumerate(library)
    ]
    text = normalise(asked).text
    memory = MemoryIndex()
    with TantivyIndex() as disk:
        for index in (memory, disk):
            index.put(claims)
            index.commit()
        found = dict(disk.search(text, 20))
        assert dict(memory.search(text, 20)) == pytest.approx(found, rel=1e-4)
        asked = telling(text, Rarities(disk.counts, disk.count))
        fresh = Postings()
        for claim in claims:
            fresh.put(entry_of(claim))
        ours = fresh.search(asked, disk.count, disk.averages, 20)
        assert dict(ours) == pytest.approx(found, rel=1e-4)
        assert [memory.rarity(one) for one in text] == [disk.rarity(one) for one in text]
