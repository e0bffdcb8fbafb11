"""The house: what may lie at the top, what may be committed, which rivals are refused."""

import re
import subprocess
import tomllib
from pathlib import Path

from bot import rivals

ROOT = Path(__file__).parents[2]
ROOMS = {"bot", "handlers", "matrix", "storage", "config", "tests"}
BESIDE = {"docs", "benchmarks", "deploy"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.split("\0") if line]


def test_nothing_unplaced_lies_at_the_top() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}
    assert {top for top in tops if not top.startswith(".")} <= ROOMS | BESIDE


def test_every_dependency_is_pinned_without_addresses() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    assert "://" not in pins
    assert " @ " not in pins
    names = {line.split("==")[0].lower().replace("_", "-") for line in pins.split("\n") if line}
    for requirement in wanted:
        name = re.split(r"[\[<>=;! ]", requirement)[0].lower().replace("_", "-")
        assert name in names, name


def test_no_clock_no_randomness_no_environment_in_matrix() -> None:
    for path in (ROOT / "matrix").rglob("*.py"):
        source = path.read_text("utf-8")
        for forbidden in (
            "datetime.now",
            "utcnow(",
            "time.time(",
            "random.",
            "os.environ",
            " open(",
        ):
            assert forbidden not in source, f"{forbidden} in {path.name}"


def test_platform_names_stand_in_no_condition_of_the_handlers() -> None:
    for path in (ROOT / "handlers").rglob("*.py"):
        source = path.read_text("utf-8")
        assert not re.search(r"""(==|!=|in)\s*["'](telegram|webchat|terminal)["']""", source), path


def test_no_foreign_package_owns_one_of_our_names() -> None:
    assert rivals.rivals() == []
