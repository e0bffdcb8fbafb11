"""``piyao clocks``: what an office reads before it uses its rules."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.administration import _open
from bot.cli import app
from bot.tables.sample import load_sample
from config.settings import load
from matrix.matching.text import normalise
from tests.journeys import story
from tests.journeys.play import stage

SAMPLE = Path(__file__).parents[2] / "config" / "district" / "sample"


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIYAO_DATA", str(tmp_path))
    store = await _open(load())
    await load_sample(store, SAMPLE, lambda text: normalise(text).key)
    await store.engine.dispose()
    return tmp_path


def told(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["clocks", *arguments])
    return found.exit_code, found.output


def simulated(grade: str, start: str, unit: str) -> tuple[int, str]:
    return told("simulate", "--grade", grade, "--from", start, "--unit", unit)


def test_the_timeline_of_a_case(folder: Path) -> None:
    code, said = simulated("橙", "2026-02-13 17:30", "区教体局")
    assert code == 0
    assert "🟠 橙 · 主办：云江区教育和体育局 · 首报 2026 年 2 月 13 日（周五）17:30" in said
    assert "签收（区教体局 · 全天候）" in said
    assert "→ 2026 年 2 月 13 日（周五）22:30" in said
    assert "提醒 2-13 17:47 · 催办 2-13 17:52 · 督办 2-13 17:55" in said


def test_make_up_days_the_cap_and_quiet_hours(folder: Path) -> None:
    code, said = simulated("Ⅳ级", "2026/02/13 17:30", "jtj")
    assert code == 0
    assert "立案派单（值班台 · 工作时间“机关作息（未指定）”）" in said
    assert "→ 2026 年 2 月 14 日（周六）09:30" in said, "a make-up day"
    assert "2026 年 2 月 15 日（周日）10:30（受首发时限约束，已提前）" in said
    assert "提醒 2-14 23:00（免打扰，2-15 07:15 才发）" in said
    assert "审签第 3 道" in said
    assert "没有指定作息" in said
    assert "法定节假日休息、调休上班" in said


def test_a_year_without_holidays_is_said(folder: Path) -> None:
    assert "没有 2027 年的节假日数据" in simulated("蓝", "2026-12-30 17:30", "jtj")[1]
    assert "节假日数据" not in simulated("蓝", "2026-06-30 17:30", "jtj")[1]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("紫", "2026-02-13 17:30", "jtj"), "不认识等级“紫”"),
        (("橙", "昨天", "jtj"), "不认识时间“昨天”"),
        (("橙", "2026-02-13 17:30", "教体"), "是不是：区教体局"),
        (("橙", "2026-02-13 17:30", "外星局"), "没有找到机构“外星局”"),
    ],
)
def test_what_cannot_be_used_is_said_in_chinese(
    folder: Path, arguments: tuple[str, str, str], wanted: str
) -> None:
    code, said = simulated(*arguments)
    assert code == 2
    assert wanted in said
    assert "Traceback" not in said


def test_without_units_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIYAO_DATA", str(tmp_path))
    code, said = simulated("橙", "2026-02-13 17:30", "jtj")
    assert (code, "请先导入 units 表" in said) == (2, True)


async def test_the_log_gives_every_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, after=story.school_filed) as p:
        (clock,) = [one for one in await p.all("deadlines") if one.stage == "first-publication"]
    monkeypatch.setenv("PIYAO_DATA", str(tmp_path))
    code, said = await asyncio.to_thread(told, "replay")
    assert code == 0, said
    assert "与经过记录逐项一致" in said
    store = await _open(load())
    async with store.work() as work:
        late = replace(clock, due_at=clock.due_at + timedelta(hours=1))
        await work.deadlines.save(late)
        await work.commit()
    await store.engine.dispose()
    code, said = await asyncio.to_thread(told, "replay")
    assert code == 1
    assert "首发" in said
    assert "due_at" in said
