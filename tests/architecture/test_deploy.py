"""What deploy/ starts is what the command line takes, and all roles are started once."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.cli import app
from config.settings import ProcessRole, Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES = {name: one for name, one in COMPOSE["services"].items() if name != "postgres"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def roles_of(command: list[str]) -> set[ProcessRole]:
    """The roles of a command, parsed by the command line itself."""
    name, *arguments = command
    group: Any = typer.main.get_command(app)
    with group.commands[name].make_context(name, arguments) as context:
        return set(load({"PIYAO_ROLES": context.params["roles"]}).roles)


def settings_of(environment: dict[str, str]) -> Settings:
    """Every variable is a setting, and its value can be used."""
    return load({k: v.replace("%i", "1") for k, v in environment.items()})


def unit(path: Path) -> dict[str, list[str]]:
    """Values by key: a key may stand several times in a unit."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_compose_starts_every_role_once() -> None:
    started = {name: roles_of(one["command"]) for name, one in SERVICES.items()}
    assert started == {str(role): {role} for role in ProcessRole}
    assert COMPOSE["services"]["worker"]["deploy"]["replicas"] > 1


def test_compose_publishes_on_loopback_and_never_the_probes() -> None:
    for name, one in SERVICES.items():
        settings = settings_of(
            {k: str(v) for k, v in one["environment"].items() if k != "DATABASE_URL"}
        )
        for port in one.get("ports", []):
            host, _, inner = port.split(":")
            assert (host, int(inner)) == ("127.0.0.1", settings.port), name
        assert str(settings.probe_port) in " ".join(one["healthcheck"]["test"])
        assert one["depends_on"]["postgres"]["condition"] == "service_healthy"
        assert int(one["stop_grace_period"].rstrip("s")) > 30


def test_images_name_no_registry() -> None:
    images = [one["image"] for one in COMPOSE["services"].values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert not [one for one in images if "/" in one]


def test_the_image_holds_the_five_rooms_and_the_pinned_versions() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    for room in ("bot", "handlers", "matrix", "storage", "config"):
        assert f"COPY {room} {room}" in text
    assert "-c constraints.txt" in text
    assert "USER piyao" in text


def test_the_example_names_settings_only() -> None:
    lines = (DEPLOY / "piyao.env.example").read_text("utf-8").splitlines()
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    fields = {f"PIYAO_{name.upper()}" for name in Settings.model_fields}
    assert set(named) <= fields
    assert all(line.endswith("=") for line in lines if not line.startswith("#")), "no secrets here"


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.stem)
def test_units_start_what_the_command_line_takes(path: Path) -> None:
    said = unit(path)
    program, *command = said["ExecStart"][0].split()
    assert program.endswith("/piyao")
    assert {f"piyao-{role}" for role in roles_of(command)} == {path.stem.rstrip("@")}
    given = dict(pair.split("=", 1) for line in said["Environment"] for pair in line.split())
    assert settings_of(given).data == Path("/var/lib/piyao")
    assert int(said["TimeoutStopSec"][0]) > 30


def test_units_of_one_machine_share_no_port() -> None:
    ports: list[str] = []
    for path in UNITS:
        ports += re.findall(r"PIYAO_(?:HEALTH_)?PORT=(\S+)", path.read_text("utf-8"))
    assert len(set(ports)) == len(ports)
    roles = {path.stem.rstrip("@") for path in UNITS}
    target = configparser.ConfigParser()
    target.read(DEPLOY / "systemd" / "piyao.target")
    wanted = {
        re.sub(r"@\d+", "", one.removesuffix(".service")) for one in target["Unit"]["Wants"].split()
    }
    assert roles == wanted == {f"piyao-{role}" for role in ProcessRole}
