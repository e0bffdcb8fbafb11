"""Settings from the environment: every fault at once, in Chinese, before anything starts."""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator

from config.channels import ChannelSettings
from config.wechat import WechatAccount
from matrix.matching.caution import Caution

PREFIX = "PIYAO_"


class ProcessRole(StrEnum):
    """What a process does: one does all of it, or several share it (docs/decisions/0013)."""

    WEB = "web"
    CHAT = "chat"
    CLOCK = "clock"
    WORKER = "worker"


class SettingsError(Exception):
    """Settings that cannot be used. ``faults`` are (variable, fault key, detail)."""

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        """All faults together."""
        super().__init__("; ".join(f"{name}: {key}" for name, key, _ in faults))
        self.faults = faults


class Settings(ChannelSettings):
    """What one process is told. Secrets come from here only and are never logged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("data")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    roles: frozenset[ProcessRole] = frozenset(ProcessRole)
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    public_url: str = ""
    secret_key: SecretStr = SecretStr("")
    district: str = ""
    webchat: Literal["", "on", "off"] = ""
    public_reports: Literal["on", "off"] = "on"
    feedback_minutes: Annotated[int, Field(ge=0, le=60)] = 15
    match_level: Caution = Caution.STANDARD
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    telegram_token: SecretStr = SecretStr("")
    telegram_base_url: str = ""
    telegram_webhook_url: str = ""
    telegram_webhook_secret: SecretStr = SecretStr("")
    wechat_accounts: tuple[WechatAccount, ...] = ()
    wechat_base_url: str = ""
    webhook_secret: SecretStr = SecretStr("")
    webhook_hosts: str = ""
    webhook_doubt: Literal["key", "verify", "hold"] = "key"
    webhook_per_second: Annotated[int, Field(ge=1, le=10_000)] = 200
    test_clock: str = ""
    fast: Literal["", "on"] = ""

    @field_validator("roles", mode="before")
    @classmethod
    def _known_roles(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        named = {name.strip() for name in value.split(",") if name.strip()}
        if not named <= set(ProcessRole):
            raise ValueError("unknown_role")
        return {ProcessRole(name) for name in named} or set(ProcessRole)

    @field_validator("health_port", mode="before")
    @classmethod
    def _nothing_is_none(cls, value: object) -> object:
        return value if value != "" else None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and len(text) < 32:  # noqa: PLR2004
            raise ValueError("too_short_key")
        return value

    @field_validator("wechat_accounts", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "[]")
        except ValueError:
            raise ValueError("not_json") from None

    @field_validator("wechat_accounts")
    @classmethod
    def _told_apart(cls, value: tuple[WechatAccount, ...]) -> tuple[WechatAccount, ...]:
        if len({one.name for one in value}) < len(value):
            raise ValueError("same_name")
        return value

    @field_validator("telegram_webhook_url", "public_url", "wechat_base_url")
    @classmethod
    def _https(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1")):
            raise ValueError("needs_https")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite", "postgresql", "postgres")):
            raise ValueError("unknown_database")
        return value.replace("postgres://", "postgresql://", 1)

    @property
    def split(self) -> bool:
        """Whether other processes do a part of the work."""
        return self.roles != frozenset(ProcessRole)

    @property
    def probe_port(self) -> int:
        """Where health and metrics are told: ten above the port unless said otherwise."""
        if self.health_port is not None:
            return self.health_port
        return min(self.port + 10, 65535) if self.port else 0

    @property
    def url(self) -> str:
        """The database: ``DATABASE_URL`` or one SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data / 'piyao.db'}"

    @property
    def real_platform(self) -> bool:
        """Whether a platform that real people use is configured."""
        official = bool(self.wechat_accounts)
        return self.wecom or official or bool(self.telegram_token.get_secret_value())

    @property
    def demonstration(self) -> bool:
        """Whether the web chat is there: for development, never beside a real platform."""
        if self.webchat:
            return self.webchat == "on"
        return not self.real_platform


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError with every fault."""
    env = os.environ if environment is None else environment
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in env.items()
        if name.startswith(PREFIX)
    }
    if env.get("DATABASE_URL"):
        given.setdefault("database_url", env["DATABASE_URL"])
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = []
        for one in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in one["loc"])
            raised = one.get("ctx", {}).get("error")
            key = str(raised) if isinstance(raised, ValueError) else one["type"]
            # A fault of several settings together has no name of its own.
            variable = "DATABASE_URL" if name == "database_url" else PREFIX + (name.upper() or "*")
            faults.append((variable, key, one["msg"]))
        raise SettingsError(faults) from None
