"""Chat and files decide alike."""

import json

import pytest

from bot.tables.match_batch import FaultyRowsError, run_match
from config.matching import load_model
from matrix.matching.batch import decide, match_all, rebuild
from matrix.matching.gazetteer import Gazetteer
from matrix.matching.judge import Judge
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, Decision
from storage.index.memory import MemoryIndex
from storage.index.tantivy_index import TantivyIndex

LIBRARY = (
    Candidate(id="water", title="龙河镇自来水厂三十名工人中毒", rebuttal="水厂供水正常。"),
    Candidate(id="egg", title="菜市场卖的鸡蛋是用塑料做的人造蛋", urls=("https://example.cn/egg",)),
    Candidate(id="bus", title="下月起老年人坐公交车不再免费"),
)
LEADS = (
    ("1", "转发：龍河鎮自來水廠30名工人中毒！！"),
    ("2", "学校门口新开的奶茶店排队两百米"),
    ("3", "https://m.example.cn/egg?from=timeline"),
    ("4", ""),
)


def own():
    return Judge(Gazetteer((), {}), load_model())


@pytest.mark.parametrize("make", [MemoryIndex, TantivyIndex])
def test_one_lead_and_a_file_of_leads_are_judged_alike(make):
    batch = dict(match_all(LIBRARY, LEADS, make(), own()))
    index, judge = make(), own()
    rebuild(index, LIBRARY)
    for name, text in reversed(LEADS):
        single = decide(normalise(text), index, judge)
        assert single == batch[name]
    assert [one.decision for one in batch.values()] == [
        Decision.MATCH,
        Decision.NONE,
        Decision.SUGGEST,
        Decision.NONE,
    ]


def rows(path, *values):
    path.write_text(
        "".join(
            (v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) + "\n" for v in values
        ),
        encoding="utf-8",
    )
    return path


def run(tmp_path, library, leads):
    output = tmp_path / "out.jsonl"
    count = run_match(
        rows(tmp_path / "claims.jsonl", *library),
        rows(tmp_path / "leads.jsonl", *leads),
        output,
        lambda reason: f"<{reason.kind}>",
    )
    return count, [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_a_file_in_a_file_out(tmp_path):
    library = [{"id": c.id, "title": c.title, "rebuttal": None, "note": 1} for c in LIBRARY]
    leads = [{"id": name, "text": text, "more": []} for name, text in LEADS]
    count, out = run(tmp_path, library, ["", *leads])
    assert count == 4
    assert [row["id"] for row in out] == ["1", "2", "3", "4"]
    first = out[0]["candidates"][0]
    assert out[0]["decision"] == "match"
    assert first == {"id": "water", "score": 100.0, "reasons": ["<identical_text>"]}
    assert all(round(c["score"], 1) == c["score"] for row in out for c in row["candidates"])
    assert all(len(row["candidates"]) <= 5 for row in out)


def test_faults_are_all_listed_with_their_lines(tmp_path):
    library = [
        {"id": "a", "title": "甲"},
        "{",
        {"id": "a", "title": "乙"},
        {"id": "b"},
        {"id": " ", "title": "x"},
    ]
    leads = [[1], {"id": "1", "text": 3}, {"id": "2", "text": "好"}]
    with pytest.raises(FaultyRowsError) as caught:
        run(tmp_path, library, leads)
    assert [(path.name, line, kind) for path, line, kind in caught.value.faults] == [
        ("claims.jsonl", 2, "json"),
        ("claims.jsonl", 3, "double"),
        ("claims.jsonl", 4, "missing:title"),
        ("claims.jsonl", 5, "empty:id"),
        ("leads.jsonl", 1, "object"),
        ("leads.jsonl", 2, "text:text"),
    ]
    assert not (tmp_path / "out.jsonl").exists()
