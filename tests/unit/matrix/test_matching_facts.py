"""Numbers, dates, denials and signs of rebuttal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.matching.facts import (
    Dated,
    Number,
    debunking_cues,
    find_facts,
    negations,
    reversals,
)
from matrix.matching.numerals import fold_numbers


@pytest.mark.parametrize(
    ("chinese", "arabic"),
    [
        ("三十名", "30名"),
        ("两千元", "2000元"),
        ("1.5万人", "15000人"),
        ("一亿二千万", "120000000"),
        ("一千零五十", "1050"),
        ("十二点", "12点"),
        ("二零二五年", "2025年"),
        ("1,000元", "1000元"),
        ("3千万", "30000000"),
        ("万一下雨", "万1下雨"),
    ],
)
def test_numerals_read_as_one(chinese, arabic):
    assert fold_numbers(chinese) == arabic


@given(st.text("零一二三四五六七八九十百千万亿两〇0123456789.,", max_size=60))
def test_any_run_of_numerals_is_read(text):
    fold_numbers(text)


def test_numbers_carry_their_unit():
    facts = find_facts("三十例病人，涨价百分之二十，罚款2000块，占75%")
    assert Number(value="30", unit="人") in facts.numbers
    assert Number(value="20", unit="%") in facts.numbers
    assert Number(value="75", unit="%") in facts.numbers
    assert Number(value="2000", unit="元") in facts.numbers


def test_dates_are_no_quantities():
    facts = find_facts("二零二五年三月五日起停课，8月12号恢复")
    assert facts.dates == {Dated(year=2025, month=3, day=5), Dated(month=8, day=12)}
    assert not facts.numbers


def test_dates_contradict_in_named_parts_only():
    assert Dated(month=3, day=5).contradicts(Dated(month=3, day=6))
    assert not Dated(month=3, day=5).contradicts(Dated(year=2025, month=3))


def test_denials_are_counted_and_questions_are_none():
    assert negations("不致癌") == 1
    assert negations("能不能致癌") == 0
    assert negations("不但非常安全，区别不大") == 1


def test_opposites():
    assert ("提高", "降低") in reversals("提高工资", "降低工资")
    assert not reversals("提高工资", "提高工资")


def test_debunking():
    assert debunking_cues("警方辟谣：此为不实信息") == ("辟谣", "不实")
    assert not debunking_cues("明天停水")
