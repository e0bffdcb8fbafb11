"""Other words for the same, and bodies that are not the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.matching.alignment import align
from matrix.matching.bodies import conflicting_bodies, find_bodies
from matrix.matching.features.standing import distinguish
from matrix.matching.prepared import prepare, prepare_claim
from matrix.matching.synonyms import fold_words
from matrix.matching.terms import sense_pairs, terms
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("吃地瓜真的会导致癌症吗", "吃红薯会致癌"),
        ("西红柿到底可不可以治愈失眠呢", "番茄能治疗失眠"),
        ("严禁小朋友乘坐公交车", "不准儿童乘坐巴士"),
        ("大夫说饮酒可以防止感冒", "医生说喝酒能预防感冒"),
    ],
)
def test_other_words_for_the_same_read_alike(one, other):
    assert fold_words(one) == fold_words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("喝茶可以预防感冒", "喝茶不能预防感冒"),
        ("孕妇不能打疫苗", "孩子不能打疫苗"),
        ("物价提高", "物价降低"),
        ("土豆会致癌", "红薯会致癌"),
    ],
)
def test_other_claims_stay_apart(one, other):
    assert fold_words(one) != fold_words(other)


def test_words_that_ask_for_something_stay():
    assert fold_words("为什么下雨") == "为什么下雨"
    assert fold_words("怎么办理") == "怎么办理"


@given(st.text(alphabet="吃的吗会能不可以新冠病毒致癌症导什么 ,1a", max_size=40))
def test_any_text_can_be_folded(text):
    assert len(fold_words(text)) <= 2 * len(text)


def test_terms_hold_what_was_written_and_what_is_meant():
    found = terms("马铃薯发芽")
    assert "铃薯" in found
    assert "土豆" in found
    assert len(sense_pairs("土豆发芽")) == 3
    assert terms("白菜") == ["白", "菜", "白菜"], "nothing twice"


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("云溪市第一医院昨晚停电", ("云溪市第一医院",)),
        ("有人在荔枝小区附近看到蛇", ()),
        ("当地医院人满为患,各大超市被抢空", ()),
        ("小学生都放假了", ()),
        ("网传白塔自来水厂停产,河东农商银行倒闭", ("白塔自来水厂", "河东农商银行")),
    ],
)
def test_bodies_are_named_ones(text, bodies):
    assert find_bodies(text) == bodies


def test_bodies_conflict_within_a_kind_only():
    first, second = find_bodies("云溪第二小学停课"), find_bodies("河东第一小学停课")
    assert conflicting_bodies(first, second) == ("云溪第二小学", "河东第一小学")
    assert conflicting_bodies(first, find_bodies("第二小学停课")) is None
    assert conflicting_bodies(first, find_bodies("河东人民医院停诊")) is None
    assert conflicting_bodies(first, ()) is None


class Even:
    def rarity(self, term):
        return 1.0 if term else 0.0


def test_what_all_have_tells_no_candidate_from_another():
    titles = ["喝茶能预防流感", "吃蒜能预防流感", "吸烟能预防流感"]
    claims = [prepare_claim(Candidate(id=title, title=title)) for title in titles]
    asked = prepare(normalise("吃蒜能预防流感"))
    weights = dict.fromkeys(asked.senses, 1.0)
    rows = distinguish(weights, claims, [align(asked, claim.title) for claim in claims])
    tea, garlic, smoke = (row["apart"] for row in rows)
    assert garlic > max(tea, smoke) + 0.5
    assert rows[0]["swap_known"] == 1, "a rival says 吃蒜 where this claim says 喝茶"
    assert rows[1]["swap_known"] == 0


def test_a_lone_candidate_has_all_that_is_told():
    claim = prepare_claim(Candidate(id="a", title="吃蒜能预防流感"))
    asked = prepare(normalise("吃蒜可以预防流感吗"))
    (row,) = distinguish(dict.fromkeys(asked.senses, 1.0), [claim], [align(asked, claim.title)])
    assert math.isclose(row["apart"], 1.0)
