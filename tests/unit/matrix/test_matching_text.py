"""One rumor in ten dresses is one text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from matrix.matching.text import canonical_url, normalise

BODY = "龙河镇第二小学三十名学生在食堂吃午饭后中毒送医"
PLAIN = normalise(BODY)
TRADITIONAL = (OpenCC("s2t"), OpenCC("s2tw"))
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=40)
SENTENCES = st.sampled_from(
    (
        BODY,
        "自来水厂今晚停水清洗管道",
        "手机信号塔让整栋楼的人头疼",
        "超市卖的5元鸡蛋是人造的",
        "明天起乘公交车必须出示居住证",
    )
)
INVISIBLE = st.sampled_from(("\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad", "\u202e", "\x00"))
SHELLS = st.sampled_from(
    (
        "转发:",
        "速看!!",
        "紧急通知:",
        "大家注意,",
        "【转】",
        "最新消息:",
        "看到请转!",
        "请问",
    )
)
TAILS = st.sampled_from(("是真的吗?", "真的假的", "……互相转告", ",求证", "!!!", " [转]"))
EMOJI = st.sampled_from(("😱", "🙏🏽", "‼️", "👨‍👩‍👧", "🇨🇳", "❤️", "[捂脸]"))


@given(st.text(max_size=300))
@settings(max_examples=400, deadline=None)
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    again = normalise(once.text)
    assert again.text == once.text
    assert again.key == once.key
    assert again.length == once.length


@given(
    st.lists(
        st.one_of(HAN, SHELLS, TAILS, EMOJI, SENTENCES, st.sampled_from("「」【】():@.*·-!? \n1a")),
        max_size=12,
    )
)
@settings(deadline=None)
def test_normalising_twice_changes_nothing_in_likely_texts(pieces):
    once = normalise("".join(pieces))
    assert normalise(once.text).text == once.text


@given(SENTENCES, INVISIBLE, st.data())
@settings(deadline=None)
def test_invisible_characters_do_not_count(sentence, invisible, data):
    at = data.draw(st.integers(0, len(sentence)))
    assert normalise(sentence[:at] + invisible + sentence[at:]) == normalise(sentence)


@given(SENTENCES)
@settings(deadline=None)
def test_width_does_not_count(sentence):
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in sentence)
    assert normalise(wide) == normalise(sentence)


@given(SENTENCES)
@settings(deadline=None)
def test_script_does_not_count(sentence):
    for converter in TRADITIONAL:
        assert normalise(converter.convert(sentence)) == normalise(sentence)


@given(SENTENCES, st.sampled_from((" ", "\n", "\u3000", " \t ", "\u00a0")), st.data())
@settings(deadline=None)
def test_spacing_does_not_count(sentence, space, data):
    at = data.draw(st.integers(0, len(sentence)))
    assert normalise(sentence[:at] + space + sentence[at:]) == normalise(sentence)


@given(SENTENCES, st.lists(SHELLS, max_size=3), st.lists(TAILS, max_size=2))
@settings(deadline=None)
def test_shells_do_not_count(sentence, shells, tails):
    assert normalise("".join((*shells, sentence, *tails))).key == normalise(sentence).key


@pytest.mark.parametrize(
    "text",
    [
        f"【紧急通知】{BODY}",
        f"【扩散】【转】{BODY}【求辟谣】",
        f"(转){BODY}(真的假的)",
        f"家人们看看 {BODY}，大家互相转告！",
        f"群里在传：{BODY}。是真的吗？",
    ],
)
def test_brackets_go_with_the_shell_that_they_hold(text):
    assert normalise(text).text == PLAIN.text


@given(SENTENCES, EMOJI, st.data())
@settings(deadline=None)
def test_emoji_do_not_count(sentence, emoji, data):
    at = data.draw(st.integers(0, len(sentence)))
    assert normalise(sentence[:at] + emoji + sentence[at:]) == normalise(sentence)


@pytest.mark.parametrize(
    "text",
    [
        f"「王阿姨：{BODY}」\n- - - - - - -\n",
        f"@所有人 {BODY}",
        f"{BODY} https://example.cn/a?id=1",
        f"速看！！转发：👇👇{BODY}……是真的吗？？",
        "*".join(BODY),
    ],
)
def test_other_wrappings(text):
    assert normalise(text).key == PLAIN.key


def test_what_was_said_stays():
    assert normalise("转发链接会中毒").text == "转发链接会中毒"
    assert normalise("视频会议软件泄露密码").text == "视频会议软件泄露密码"
    assert normalise("不是真的黄金").text == "不是真的黄金"


def test_different_claims_keep_different_keys():
    assert normalise("喝白酒能杀毒").key != normalise("喝白酒不能杀毒").key
    assert normalise("སྐད་ཆ").key != normalise("གཏམ་འཆལ").key


def test_length_counts_characters_once_and_words_twice():
    assert normalise("停水").length == 2
    assert normalise("5G 基站").length == 6
    assert normalise("https://example.cn/x").length == 0


def test_lone_surrogates_do_no_harm():
    assert normalise("停\ud800水").text == "停水"


@pytest.mark.parametrize(
    "unit",
    [
        "转发:",
        "a.",
        "「",
        "@a",
        "http://",
        "[笑",
        "ﷺ",
        " a",
        "是真的吗",
        ".",
        "中*",
        "!?",
        "www.",
        "a-",
        "一",
        "e\u0301",
    ],
)
def test_hostile_length_takes_well_under_a_second(unit):
    text = (unit * 100_000)[:100_000]
    start = time.process_time()
    normalise(text)
    assert time.process_time() - start < 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://m.example.cn/a/1?utm_source=x&id=7#top", "http://example.cn/a/1/?id=7"),
        ("HTTP://WWW.Example.CN:80/a?from=timeline&scene=1", "https://example.cn/a"),
        ("https://mobile.example.cn/a?b=2&a=1&timestamp=99", "example.cn/a?a=1&b=2"),
        ("https://example.cn:443/%E6%B0%B4", "https://example.cn/水"),
    ],
)
def test_one_page_has_one_address(one, other):
    assert canonical_url(one) == canonical_url(other)


def test_different_pages_stay_apart():
    assert canonical_url("https://example.cn/a?id=1") != canonical_url("https://example.cn/a?id=2")
    assert canonical_url("https://example.cn/a") != canonical_url("https://example.cn/A")
    assert canonical_url("https://m.cn/a") == "m.cn/a"


@given(st.text(max_size=80))
@settings(deadline=None)
def test_canonical_addresses_stay_as_they_are(text):
    canonical_url(text)


def test_addresses_are_found_and_cut():
    found = normalise(
        "看 https://m.example.cn/a?id=1&from=x。还有 example.com/b 和 https://example.cn/a?id=1"
    )
    assert found.urls == ("example.cn/a?id=1", "example.com/b")
    assert "example" not in found.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://youtu.be/abc-123?t=10", "https://m.youtube.com/watch?app=desktop&v=abc-123"),
        ("https://b23.tv/BV1xx411", "https://www.bilibili.com/video/BV1xx411?p=2&spm_id_from=333"),
        ("https://m.toutiao.com/i7012345/", "https://www.toutiao.com/article/7012345/?wid=1"),
        ("https://twitter.com/a/status/1?s=20", "https://x.com/a/status/1?s=20"),
        (
            "https://www.iesdouyin.com/share/video/70123/?region=CN",
            "https://douyin.com/video/70123",
        ),
    ],
)
def test_one_page_under_several_addresses_is_one(one, other):
    assert canonical_url(one) == canonical_url(other)
    assert canonical_url(canonical_url(one)) == canonical_url(one)
