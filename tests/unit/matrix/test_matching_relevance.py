"""Relevance from the texts alone: what raises it, and that the order of candidates does not."""

from hypothesis import given
from hypothesis import strategies as st

from matrix.matching.features.relevance import relevance
from matrix.matching.features.weighted import weigh
from matrix.matching.prepared import prepare, prepare_claim
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate


class Library:
    """Every term tells as much, but for one that all claims have."""

    def rarity(self, term):
        return 0.1 if term == "水" else 1.0


def ranked(text, *claims):
    query = weigh(prepare(normalise(text)), Library())
    return relevance(
        query,
        [
            prepare_claim(Candidate(id=f"{at}", title=title, rebuttal=rebuttal))
            for at, (title, rebuttal) in enumerate(claims)
        ],
    )


def test_what_says_more_of_the_query_is_nearer():
    more, less = ranked("自来水厂三十名工人中毒", ("自来水厂工人中毒", ""), ("自来水厂停水", ""))
    assert (more["rank"], more["nearer"], less["nearer"]) == (1.0, 0, 1)
    assert 0 < less["rank"] < 1


def test_a_telling_term_counts_for_more_than_a_common_one():
    telling, common = ranked("水管爆了", ("爆", ""), ("水", ""))
    assert telling["nearer"] == 0
    assert common["rank"] < telling["rank"] / 5


def test_the_title_counts_for_more_than_the_rebuttal_and_the_rebuttal_for_something():
    titled, told, neither = ranked(
        "鸡蛋涨价", ("鸡蛋涨价", "不实"), ("不实", "鸡蛋涨价"), ("不实", "不实")
    )
    assert titled["rank"] > told["rank"] > neither["rank"] == 0


def test_of_two_that_hold_it_the_shorter_is_nearer():
    long = "本周末图书馆闭馆维修，另外鸡蛋涨价，请大家互相转告并且做好准备"
    assert ranked("鸡蛋涨价", (long, ""), ("鸡蛋涨价", ""))[0]["nearer"] == 1


def test_other_words_for_the_same_are_the_same():
    assert ranked("土豆发芽有毒", ("马铃薯发芽", ""), ("发芽", ""))[0]["nearer"] == 0


def test_where_nothing_is_shared_all_stand_alike():
    assert ranked("鸡蛋", ("停电", ""), ("封路", "")) == [{"rank": 1.0, "nearer": 0}] * 2
    assert ranked("鸡蛋") == []


@given(st.permutations([("鸡蛋涨价", ""), ("鸡蛋有毒", "没有此事"), ("停水", "鸡蛋涨价不实")]))
def test_the_order_of_candidates_changes_nothing(claims):
    found = dict(zip(claims, ranked("听说鸡蛋涨价", *claims), strict=True))
    again = dict(zip(sorted(claims), ranked("听说鸡蛋涨价", *sorted(claims)), strict=True))
    assert found == again
