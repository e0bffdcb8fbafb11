"""The journeys run in one process, the test that every row is played last."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAST = "test_zz_every_row.py"
_RAN: set[str] = set()
_WANTED: set[str] = set()
_LEFT_OUT: list[str] = []


def _is_journey(item: pytest.Item) -> bool:
    return item.path.parent == HERE


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The test of every row comes last; what was not asked for is remembered."""
    items.sort(key=lambda item: item.path.name == LAST)
    _WANTED.update(i.nodeid for i in items if _is_journey(i) and i.path.name != LAST)
    files = {item.path.name for item in items if _is_journey(item)}
    _LEFT_OUT.extend(sorted({file.name for file in HERE.glob("test_*.py")} - files))
    _LEFT_OUT.extend(arg for arg in config.args if "::" in arg)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A part of the journeys was left out with -k, -m or --lf."""
    _LEFT_OUT.extend(item.nodeid for item in items if _is_journey(item))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A journey has run here."""
    if report.when == "call":
        _RAN.add(report.nodeid)


@pytest.fixture
def left_out() -> list[str]:
    """Journeys that have not run in this process."""
    return _LEFT_OUT + sorted(_WANTED - _RAN)
