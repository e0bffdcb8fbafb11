"""``piyao match --explain``: how a lead was judged, in words."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from config.matching import load_model
from tests.journeys.play import stage
from tests.journeys.test_leads import ELSEWHERE


async def explained(number: str) -> tuple[int, str]:
    found = await asyncio.to_thread(CliRunner().invoke, app, ["match", "--explain", number])
    return found.exit_code, found.output


async def test_a_lead_is_explained_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIYAO_DATA", str(tmp_path))
    async with stage(tmp_path) as p:
        await p.say("王芳", ELSEWHERE)
        await p.press("陈静", "lead_more")
        await p.press("陈静", "lead_dismiss")
        number = str((await p.all("leads"))[0].number)
        code, said = await explained(number)
        assert code == 0
        assert load_model().version in said
        assert "得分" in said
        assert "地点不同" in said
        code, said = await explained("0101-99")
        assert code == 1
        assert "没有找到线索 0101-99" in said
