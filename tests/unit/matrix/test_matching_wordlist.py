"""Words of a list in a text: always the longest, as a choice of all of them would find it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.matching.wordlist import longest_of

WORDS = st.text(alphabet="云溪街道不能.[]^-|", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["能", "能够", "不能"], "不能够，能够", ["不能", "能够"]),
        (["云溪", "云溪街道办"], "云溪街道", ["云溪"]),
        (["a.b", "c"], "axb a.b", ["a.b"]),
        ([], "云溪", []),
    ],
)
def test_the_longest_word_that_begins_there(words, text, found):
    assert longest_of(words).findall(text) == found


@given(words=st.sets(WORDS, min_size=1), text=st.text(alphabet="云溪街道不能.[]^-|", max_size=30))
def test_it_finds_what_a_choice_of_all_words_finds(words, text):
    choice = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    assert longest_of(words).findall(text) == choice.findall(text)
