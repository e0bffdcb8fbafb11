"""Sentences: what is left out, escaped, said as a time, split."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Markup
from bot.presenter import Presenter, say_time, span, split

NOW = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
TEXTS = {
    "reply": {
        "card": "**{title}**\n依据：{basis}\n{lines}\n{due_at}前\n{state:label}",
        "line": "· {name}",
    },
    "label": {"open": "还有 {title}"},
    "button": {"go": "去", "attach": "并入 {text}"},
    "ui": {"system": "系统"},
}
P = Presenter(texts=TEXTS)


def content(**fields: object) -> dict[str, object]:
    return {"reply": "card", "fields": fields}


def test_a_line_with_an_empty_placeholder_is_left_out() -> None:
    said = P.render(content(title="停水", basis=""), NOW, Markup.PLAIN)
    assert said == "停水"


def test_nested_replies_times_and_tables() -> None:
    lines = [{"r": "line", "f": {"name": "甲"}}, {"r": "line", "f": {"name": "乙"}}]
    due = {"t": (NOW + timedelta(hours=2, minutes=10)).isoformat()}
    said = P.render(
        content(title="停水", basis="晨检表", lines=lines, due_at=due, state="open"),
        NOW,
        Markup.PLAIN,
    )
    assert said.split("\n") == [
        "停水",
        "依据：晨检表",
        "· 甲",
        "· 乙",
        "今天 17:15（还有 2 小时 10 分）前",
        "还有 停水",
    ]


@pytest.mark.parametrize("hostile", ["<b>粗</b>", "**粗**", "a & b", '"><script>', "\u202e反"])
def test_values_are_never_markup(hostile: str) -> None:
    said = P.render(content(title=hostile), NOW, Markup.HTML)
    assert said.startswith("<b>")
    assert said.endswith("</b>")
    inside = said.removeprefix("<b>").removesuffix("</b>")
    assert "<" not in inside
    assert "\u202e" not in inside


def test_buttons() -> None:
    assert P.button({"label": "go", "text": ""}) == "去"
    assert P.button({"label": "", "text": "云溪街道"}) == "云溪街道"
    assert P.button({"label": "attach", "text": "云江-0001"}) == "并入 云江-0001"


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(minutes=75), "今天 16:20（还有 1 小时 15 分）"),
        (timedelta(days=1), "明天 15:05（还有 1 天）"),
        (timedelta(minutes=-5), "今天 15:00（已超 5 分钟）"),
        (timedelta(days=30), "12 月 9 日 15:05（还有 30 天）"),
    ],
)
def test_deadlines_as_a_person_says_them(away: timedelta, said: str) -> None:
    assert say_time(NOW + away, NOW, "due") == said


def test_span() -> None:
    assert span(timedelta(days=2, hours=3, minutes=4)) == "2 天 3 小时"


@given(text=st.text(alphabet="甲乙。，\n a", max_size=400), limit=st.integers(5, 60))
def test_parts_fit_and_nothing_but_line_ends_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit, len)
    assert all(len(part) <= limit for part in parts)
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")


def test_bytes_are_measured_in_bytes() -> None:
    parts = split("汉" * 100, 30, lambda one: len(one.encode()))
    assert [len(part) for part in parts] == [10] * 10


def test_the_post_and_what_became_of_a_card_stand_under_it() -> None:
    post = {"reply": "line", "fields": {"name": "区教体局"}, "choices": []}
    note = {"reply": "line", "fields": {"name": "已签收"}, "choices": []}
    said = P.render({**content(title="停水"), "post": post, "note": note}, NOW, Markup.PLAIN)
    assert said.split("\n") == ["停水", "· 区教体局", "— · 已签收"]
