"""A rumor in another dress is the same rumor: the decision does not change with it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from config.matching import load_model
from matrix.matching.batch import decide, rebuild
from matrix.matching.gazetteer import Gazetteer
from matrix.matching.judge import Judge
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, Decision, ReasonKind
from storage.index.memory import MemoryIndex

SAMPLE = Path(__file__).parents[3] / "config/district/sample"
TRADITIONAL = OpenCC("s2t")
LEADS = (
    "听说明天全城停水三天，是水厂管网检修，大家赶紧存水",
    "家里老人说隔夜菜吃了会致癌，真的吗",
    "学校食堂三十名学生吃坏肚子住院了",
    "医保卡下个月起全部作废，要重新办理",
    "今晚八点有七级地震，气象局朋友说的",
    "微信群里说吃大蒜可以预防流感",
)


def bulletins():
    lines = (SAMPLE / "bulletins.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line]
    return [Candidate(id=r["number"], title=r["claim"], rebuttal=r["body"]) for r in rows]


class Desk:
    """The sample district's bulletins, ready to be asked."""

    def __init__(self):
        self.index = MemoryIndex()
        rebuild(self.index, bulletins())
        self.judge = Judge(Gazetteer((), {}), load_model())

    def __call__(self, text):
        return decide(normalise(text), self.index, self.judge)


@pytest.fixture(scope="module")
def desk():
    return Desk()


DRESSES = {
    "zero width": "\u200b".join,
    "full width": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text
    ),
    "traditional": TRADITIONAL.convert,
    "spaces": " ".join,
    "forwarded": lambda text: f"转发：【紧急通知】{text}！！请扩散",
    "emoji": lambda text: "😱".join([text[:7], text[7:15], text[15:]]) + "🙏🙏",
}


@pytest.mark.parametrize("dress", DRESSES)
@given(st.sampled_from(LEADS))
def test_a_dress_changes_nothing(desk, dress, text):
    plain, dressed = desk(text), desk(DRESSES[dress](text))
    assert dressed.decision is plain.decision
    assert [one.id for one in dressed.candidates] == [one.id for one in plain.candidates]


def test_every_bulletin_answers_its_own_claim(desk):
    for one in bulletins():
        judged = desk(f"群里在传：{one.title}")
        assert judged.decision is Decision.MATCH
        assert judged.candidates[0].id == one.id


def test_the_claim_is_found_inside_a_very_long_text(desk):
    """Ten thousand characters with several claims: both are shown, none is answered alone."""
    first, second = bulletins()[3], bulletins()[40]
    filler = "".join(
        f"第{n}天的日记写了花园里的虫子和邻居家的猫，没有别的事情发生。" for n in range(170)
    )
    text = filler[:5000] + f"{first.title}。" + filler[5000:] + f"还有人讲，{second.title}。"
    assert len(text) > 5000
    judged = desk(text)
    assert judged.decision is Decision.SUGGEST
    assert {first.id, second.id} <= {one.id for one in judged.candidates}
    reasons = {r.kind for one in judged.candidates for r in one.reasons}
    assert ReasonKind.PASSAGE in reasons


@pytest.mark.parametrize(
    "text",
    [
        "breaking news: the dam upstream will collapse tonight, please share",
        "呢個係咪真㗎？佢哋話食大蒜可以預防流感喎，唔好信呀",
        "zhe shi yao yan ma 吃大蒜 ke yi 预防流感",
        "吃大🧄蒜可以预😷防流感",
    ],
)
def test_other_ways_of_writing_break_nothing(desk, text):
    judged = desk(text)
    assert judged.decision in {Decision.MATCH, Decision.SUGGEST, Decision.NONE}
    assert all(0 <= one.score <= 100 for one in judged.candidates)
