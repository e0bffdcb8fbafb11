"""Broken settings on the command line: all of them, in Chinese, before anything starts."""

import re
from pathlib import Path

from typer.testing import CliRunner

from bot.cli import app


def test_every_fault_is_said_in_chinese_and_nothing_is_begun(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    broken = {
        "PIYAO_DATA": str(folder), "PIYAO_PORT": "many", "PIYAO_SECRET_KEY": "short",
        "PIYAO_TYPO": "1", "PIYAO_FEEDBACK_MINUTES": "90", "PIYAO_WEBCHAT": "maybe",
        "DATABASE_URL": "oracle://x",
    }  # fmt: skip
    done = CliRunner().invoke(app, ["run"], env=broken)
    assert done.exit_code == 2
    said = [line for line in done.output.splitlines() if line.startswith("  ·")]
    assert {line.split("：")[0].strip(" ·") for line in said} == {*broken} - {"PIYAO_DATA"}
    for line in said:
        assert re.search("[\u4e00-\u9fff]{4}", line), line
    assert "没有启动" in done.output
    assert "short" not in done.output, "a secret is not repeated"
    assert not folder.exists()
