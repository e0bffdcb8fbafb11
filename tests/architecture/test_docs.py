"""The documents say what the code does: states, settings, buttons, links, lengths."""

import re
from pathlib import Path

import pytest

from config.settings import Settings
from config.texts import load_texts
from docs.states import render

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
GUIDES = sorted((DOCS / "guides").glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)")
PICTURES = "docs/images/"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert read(DOCS / "states.md") == render(), "python docs/states.py > docs/states.md"


def test_every_setting_stands_in_the_readme() -> None:
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", read(ROOT / "README.md"), re.MULTILINE))
    named = {f"PIYAO_{name.upper()}" for name in Settings.model_fields}
    assert rows == named - {"PIYAO_DATABASE_URL"} | {"DATABASE_URL"}


@pytest.mark.parametrize("guide", [ROOT / "README.md", *GUIDES], ids=lambda one: one.stem)
def test_every_button_of_a_guide_is_one(guide: Path) -> None:
    labels = {
        re.sub("（?{text}）?", "", str(one)).strip() for one in load_texts()["button"].values()
    }
    assert not set(re.findall(r"〔([^〕]+)〕", read(guide))) - labels


@pytest.mark.parametrize("page", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [one for one in LINK.findall(read(page)) if not one.startswith(("http", PICTURES))]
    assert [one for one in targets if not (page.parent / one).exists()] == []


def test_documents_stay_short() -> None:
    def longer(paths: list[Path], most: int) -> list[str]:
        return [one.name for one in paths if len(read(one).splitlines()) > most]

    assert not longer([DOCS / "architecture.md"], 200)
    assert not longer(list((DOCS / "decisions").glob("*.md")), 40)
    assert not longer(GUIDES, 120)
