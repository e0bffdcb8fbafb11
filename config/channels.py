"""Settings of WeCom, of group robots, Weibo and e-mail; all empty: none of them is there."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

# EncodingAESKey. Source: developer.work.weixin.qq.com, path/90968.
_AES_KEY = 43


def _told(secret: SecretStr) -> bool:
    return bool(secret.get_secret_value())


class ChannelSettings(BaseModel):
    """The part of ``config.settings.Settings`` that says which of these channels there are."""

    wecom_corp_id: str = ""
    wecom_agent_id: Annotated[str, Field(pattern=r"^[0-9]{0,12}$")] = ""
    wecom_secret: SecretStr = SecretStr("")
    wecom_token: SecretStr = SecretStr("")
    wecom_aes_key: SecretStr = SecretStr("")
    wecom_contact_secret: SecretStr = SecretStr("")
    wecom_customer_secret: SecretStr = SecretStr("")
    wecom_bot_id: str = ""
    wecom_bot_secret: SecretStr = SecretStr("")
    wecom_base_url: str = ""
    wecom_bot_url: str = ""
    wecom_robots: SecretStr = SecretStr("")
    dingtalk_robots: SecretStr = SecretStr("")
    dingtalk_base_url: str = ""
    feishu_robots: SecretStr = SecretStr("")
    feishu_base_url: str = ""
    weibo_token: SecretStr = SecretStr("")
    weibo_ip: str = ""
    weibo_base_url: str = ""
    email_host: str = ""
    email_port: Annotated[int, Field(ge=1, le=65535)] = 465
    email_from: str = ""
    email_user: str = ""
    email_password: SecretStr = SecretStr("")
    email_tls: Literal["tls", "starttls", "none"] = "tls"

    @field_validator("wecom_base_url", "dingtalk_base_url", "feishu_base_url", "weibo_base_url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1")):
            raise ValueError("needs_https")
        return value

    @field_validator("wecom_bot_url")
    @classmethod
    def _safe_line(cls, value: str) -> str:
        if value and not value.startswith(("wss://", "ws://127.0.0.1")):
            raise ValueError("needs_wss")
        return value

    @field_validator("wecom_aes_key")
    @classmethod
    def _whole_key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) != _AES_KEY or not text.isalnum()):
            raise ValueError("aes_key")
        return value

    @field_validator("wecom_robots", "dingtalk_robots", "feishu_robots")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        parts = [one.strip() for one in value.get_secret_value().split(",") if one.strip()]
        names = [one.partition("=")[0] for one in parts]
        whole = all(one.partition("=")[0] and one.partition("=")[2] for one in parts)
        if not whole or len(set(names)) < len(names):
            raise ValueError("robots")
        return value

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        app = [bool(self.wecom_agent_id), _told(self.wecom_secret)]
        if any(app) and not (all(app) and self.wecom_corp_id):
            raise ValueError("wecom_incomplete")
        if _told(self.wecom_token) != _told(self.wecom_aes_key):
            raise ValueError("wecom_callback_incomplete")
        if bool(self.wecom_bot_id) != _told(self.wecom_bot_secret):
            raise ValueError("wecom_bot_incomplete")
        if self.email_host and "@" not in self.email_from:
            raise ValueError("email_incomplete")
        if _told(self.weibo_token) and not self.weibo_ip:
            raise ValueError("weibo_incomplete")
        return self

    @property
    def wecom_app(self) -> bool:
        """Whether an application of WeCom is configured."""
        return _told(self.wecom_secret)

    @property
    def wecom(self) -> bool:
        """Whether people are spoken to in WeCom: by the application, the bot, or both."""
        return self.wecom_app or bool(self.wecom_bot_id)
