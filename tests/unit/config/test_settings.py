"""Settings: every fault at once; clocks that do not add up are refused."""

from pathlib import Path

import pytest

from config.clock_table import parse_length, read_clocks
from config.settings import SettingsError, load
from matrix.core.case import Grade
from matrix.core.deadline import Stage


def test_defaults_are_a_demonstration_on_this_machine() -> None:
    settings = load({})
    assert settings.demonstration
    assert settings.host == "127.0.0.1"
    assert settings.url == "sqlite:///data/piyao.db"


def test_a_real_platform_ends_the_demonstration_unless_asked_for() -> None:
    assert not load({"PIYAO_TELEGRAM_TOKEN": "1:a"}).demonstration
    assert load({"PIYAO_TELEGRAM_TOKEN": "1:a", "PIYAO_WEBCHAT": "on"}).demonstration


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            {
                "PIYAO_PORT": "many",
                "PIYAO_SECRET_KEY": "short",
                "PIYAO_TYPO": "1",
                "DATABASE_URL": "oracle://x",
            }
        )
    named = {variable for variable, _, _ in caught.value.faults}
    assert named == {"PIYAO_PORT", "PIYAO_SECRET_KEY", "PIYAO_TYPO", "DATABASE_URL"}


def test_a_public_address_is_https() -> None:
    assert load({"PIYAO_PUBLIC_URL": "https://piyao.example"}).public_url
    with pytest.raises(SettingsError) as caught:
        load({"PIYAO_PUBLIC_URL": "http://piyao.example"})
    assert [key for _, key, _ in caught.value.faults] == ["needs_https"]


def test_secrets_are_never_shown() -> None:
    told = {"PIYAO_SECRET_KEY": "k" * 40, "PIYAO_TELEGRAM_TOKEN": "1:hunter2"}
    robots = {"PIYAO_WECOM_ROBOTS": "网格群=hunter2", "PIYAO_DINGTALK_ROBOTS": "网格群=a:hunter2"}
    settings = load({**told, **robots, "PIYAO_EMAIL_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "kkkk" not in str(settings)


def test_a_bad_secret_does_not_appear_in_its_fault() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"PIYAO_SECRET_KEY": "hunter2"})
    assert "hunter2" not in repr(caught.value.faults)


def test_lengths() -> None:
    assert parse_length("90m").wall.total_seconds() == 5400
    assert parse_length("2d W").working
    with pytest.raises(ValueError, match="not a length"):
        parse_length("2 hours")


def test_the_default_table_fits_first_publication() -> None:
    table = read_clocks()
    assert table.faults() == []
    red = table.length(Stage.FIRST_PUBLICATION, Grade.RED)
    assert red is not None
    assert red.minutes == 300


def test_a_table_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    default = Path(read_clocks.__globals__["DEFAULT"]).read_text("utf-8")
    path = tmp_path / "clocks.toml"
    path.write_text(default.replace('red = "300m"', 'red = "200m"'), "utf-8")
    with pytest.raises(ValueError, match="red"):
        read_clocks(path)
