"""Places, and words that only look like places."""

import pytest

from matrix.matching.gazetteer import Gazetteer, PlaceName

NAMES = (
    PlaceName(name="荔枝街道", area="500102001", strength="strong", kind="official"),
    PlaceName(
        name="荔枝", area="500102001", strength="weak", blocklist=("荔枝干", "吃荔枝"), kind="stem"
    ),
    PlaceName(name="江北街道", area="500102002", strength="strong", kind="official"),
    PlaceName(name="江北", area="500102002", strength="weak", blocklist=("江北机场",), kind="stem"),
    PlaceName(name="江北机场", area="500112", strength="strong", kind="landmark"),
    PlaceName(name="城关镇", area="500102003", strength="strong", kind="official"),
    PlaceName(name="城关镇", area="610102003", strength="strong", kind="official"),
    PlaceName(name="涪陵区", area="500102", strength="strong", kind="official"),
)
PARENTS = {
    "500102001": "500102",
    "500102002": "500102",
    "500102003": "500102",
    "500102": "50",
    "610102003": "610102",
}
PLACES = Gazetteer(NAMES, PARENTS)


@pytest.mark.parametrize(
    "text", ["荔枝吃了中毒", "买了两斤荔枝吃了中毒", "在超市买荔枝", "不敢吃荔枝那边的人说的"]
)
def test_fruit_is_no_street(text):
    assert not PLACES.find(text)


@pytest.mark.parametrize(
    "text", ["网传荔枝有人中毒", "他在荔枝上班", "荔枝那边停水了", "位于荔枝的工厂", "荔枝一带地震"]
)
def test_a_stem_with_a_cue_is_a_place_and_weak(text):
    (hit,) = PLACES.find(text)
    assert (hit.area, hit.strong) == ("500102001", False)
    assert text[hit.start : hit.end] == hit.name == "荔枝"


def test_a_full_name_is_strong_without_a_cue():
    (hit,) = PLACES.find("荔枝街道明天停水")
    assert (hit.name, hit.strong) == ("荔枝街道", True)


def test_the_longer_entity_hides_the_stem_within():
    (hit,) = PLACES.find("在江北机场停机坪")
    assert (hit.name, hit.area) == ("江北机场", "500112")


def test_a_blocking_word_hides_the_stem_though_it_is_no_entity():
    small = Gazetteer(NAMES[3:4], {})
    assert not small.find("在江北机场停机坪")
    assert small.find("在江北停水")


def test_a_shared_name_gives_every_area():
    assert [hit.area for hit in PLACES.find("城关镇下雪")] == ["500102003", "610102003"]


def test_relations_run_up_and_down_but_not_across():
    assert PLACES.related("500102001", "500102")
    assert PLACES.related("50", "500102001")
    assert PLACES.related("500102001", "500102001")
    assert not PLACES.related("500102001", "500102002")


def test_an_empty_gazetteer_and_a_circle_of_parents_are_harmless():
    assert Gazetteer((), {}).find("任何地方") == ()
    assert not Gazetteer((), {"1": "2", "2": "1"}).related("1", "3")
