"""What every candidate index must do."""

import shutil

import pytest

from matrix.matching.candidates import IndexLostError
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate
from storage.index.layered import LayeredIndex
from storage.index.memory import MemoryIndex
from storage.index.tantivy_index import TantivyIndex

WATER = Candidate(
    id="water",
    title="龙河镇自来水厂三十名工人中毒",
    rebuttal="水厂供水正常",
    urls=("https://m.example.cn/n?id=1&from=x",),
)
EGG = Candidate(id="egg", title="菜市场的鸡蛋是塑料做的", rebuttal="人造蛋成本更高")
BUS = Candidate(id="bus", title="老年人坐公交车不再免费")


@pytest.fixture(params=["memory", "tantivy-memory", "tantivy-disk", "layered"])
def index(request, tmp_path):
    if request.param == "memory":
        yield MemoryIndex()
        return
    if request.param == "layered":
        with LayeredIndex(TantivyIndex(tmp_path / "index")) as opened:
            yield opened
        return
    with TantivyIndex(tmp_path / "index" if request.param == "tantivy-disk" else None) as opened:
        yield opened


@pytest.fixture
def filled(index):
    index.put([WATER, EGG, BUS])
    index.commit()
    return index


def ids(index, text, limit=10):
    return [name for name, _ in index.search(normalise(text).text, limit)]


def test_an_empty_index_finds_nothing(index):
    assert index.count == 0
    assert index.search("龙河镇", 5) == []
    assert list(index.search_url("example.cn")) == []
    assert list(index.search_key("0")) == []
    assert index.rarity("水") == 1
    assert index.read(["water"]) == []


def test_changes_show_at_commit(index):
    index.put([WATER])
    assert index.count == 0
    assert ids(index, "自来水厂") == []
    index.commit()
    assert index.count == 1
    assert ids(index, "自来水厂") == ["water"]


def test_the_likeliest_comes_first_with_falling_scores(filled):
    found = filled.search(normalise("听说自来水厂工人中毒了，老年人都不敢喝").text, 10)
    assert [name for name, _ in found][:2] == ["water", "bus"]
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)


def test_a_rare_word_outweighs_common_ones(index):
    others = [Candidate(id=f"notice{n}", title=f"第{n}号停电通知") for n in range(45)]
    buses = [Candidate(id=f"bus{n}", title="老年人坐公交车免费") for n in range(15)]
    index.put([*others, *buses, Candidate(id="egg", title="市场的鸡蛋")])
    index.commit()
    found = index.search(normalise("老年人坐公交买鸡蛋").text, 40)
    assert found[0][0] == "egg"


def test_the_limit_holds(filled):
    assert len(ids(filled, "工人 鸡蛋 公交车", 2)) == 2


def test_a_rebuttal_helps_to_find(filled):
    assert ids(filled, "人造蛋成本")[0] == "egg"


def test_script_and_numerals_do_not_matter(filled):
    assert ids(filled, "龍河鎮30名工人")[0] == "water"


def test_putting_again_replaces(filled):
    filled.put([Candidate(id="water", title="图书馆周末闭馆")])
    filled.commit()
    assert filled.count == 3
    assert ids(filled, "自来水厂") == []
    assert ids(filled, "图书馆") == ["water"]


def test_the_last_of_two_in_one_batch_stays(index):
    index.put([WATER, Candidate(id="water", title="图书馆周末闭馆")])
    index.commit()
    assert index.count == 1
    assert ids(index, "图书馆") == ["water"]


def test_dropping_and_clearing(filled):
    filled.drop(["water", "nobody"])
    filled.commit()
    assert filled.count == 2
    assert ids(filled, "自来水厂") == []
    filled.clear()
    filled.put([WATER])
    filled.commit()
    assert filled.count == 1
    assert ids(filled, "自来水厂 鸡蛋") == ["water"]


def test_links_and_keys_are_looked_up(filled):
    assert list(filled.search_url("example.cn/n?id=1")) == ["water"]
    assert list(filled.search_url("example.cn/n")) == []
    key = normalise("转发：老年人坐公交车，不再免费！").key
    assert list(filled.search_key(key)) == ["bus"]


def test_rare_terms_weigh_more(filled):
    filled.put([Candidate(id="hen", title="工人捡到鸡蛋")])
    filled.commit()
    assert filled.rarity("公交") > filled.rarity("工人") >= 0


@pytest.mark.parametrize("text", ["", " ", "!", "AND OR NOT", "title:水", '"\\', "🙂", "水" * 5000])
def test_any_text_may_be_searched(filled, text):
    filled.search(text, 5)


@pytest.mark.parametrize("unit", ["é", "ཀ", "𠀀", "1", "一", "ab1 ", "水"])
def test_any_title_may_be_kept(index, unit):
    index.put(
        [Candidate(id="long", title=unit * 5000, urls=("https://example.cn/" + "a" * 70_000,))]
    )
    index.commit()
    assert index.count == 1
    assert list(index.search_key(normalise(unit * 5000).key)) == ["long"]


def test_a_folder_is_found_again(tmp_path):
    with TantivyIndex(tmp_path / "i") as first:
        first.put([WATER])
        first.commit()
        first.put([EGG])
    with TantivyIndex(tmp_path / "i") as second:
        assert second.count == 1
        assert ids(second, "自来水厂") == ["water"]


def test_a_damaged_folder_starts_anew(tmp_path):
    with TantivyIndex(tmp_path / "i") as first:
        first.put([WATER])
        first.commit()
    (tmp_path / "i" / "meta.json").write_text("{")
    with TantivyIndex(tmp_path / "i") as second:
        assert second.count == 0
        second.put([WATER])
        second.commit()
        assert second.count == 1


def test_a_folder_deleted_between_runs_starts_empty(tmp_path):
    with TantivyIndex(tmp_path / "i") as first:
        first.put([WATER])
        first.commit()
    shutil.rmtree(tmp_path / "i")
    with TantivyIndex(tmp_path / "i") as second:
        assert second.count == 0


def test_a_folder_deleted_under_a_running_index_says_so_and_can_be_rebuilt(tmp_path):
    with TantivyIndex(tmp_path / "i") as index:
        index.put([WATER])
        index.commit()
        (tmp_path / "i").rename(tmp_path / "away")
        assert ids(index, "自来水厂") == ["water"]
        with pytest.raises(IndexLostError):
            index.put([EGG])
        assert index.count == 0
        index.put([WATER, EGG])
        index.commit()
        assert index.count == 2
        assert ids(index, "自来水厂") == ["water"]


def test_a_folder_deleted_before_a_commit_says_so(tmp_path):
    with TantivyIndex(tmp_path / "i") as index:
        index.put([WATER])
        (tmp_path / "i").rename(tmp_path / "away")
        with pytest.raises(IndexLostError):
            index.commit()
        index.put([WATER])
        index.commit()
        assert index.count == 1


def test_claims_are_read_back_in_normal_form(filled):
    """By id, whether the last search found them or not; `normalise` would change nothing."""
    filled.search(normalise("自来水厂").text, 5)
    water, egg = filled.read(["water", "nobody", "egg"])
    assert (water.id, water.urls) == ("water", ("example.cn/n?id=1",))
    assert water.normal
    assert (egg.title, egg.rebuttal) == ("菜市场的鸡蛋是塑料做的", "人造蛋成本更高")
    assert normalise(water.title).text == water.title


def test_a_term_tells_as_much_in_a_library_of_any_size(index):
    """1 for what no claim has, less the more claims have it, 0 for what all of many have."""
    index.put([WATER, EGG, BUS])
    index.commit()
    assert index.rarity("火星") == 1
    assert 0 < index.rarity("老年") < 1
    everywhere = [Candidate(id=str(n), title=f"水厂第{n}天停水") for n in range(50)]
    index.clear()
    index.put(everywhere)
    index.commit()
    assert index.rarity("停水") == 0
