"""An official account as the environment describes it (``PIYAO_WECHAT_ACCOUNTS``)."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")]

# Source: 接入指南, official docs 2026-11: EncodingAESKey has 43 characters, Token 3 to 32.
_AES_KEY = 43


class WechatAccount(BaseModel):
    """One 公众号 or 服务号. Secrets come from here only.

    ``name`` is ours: it stands in the callback address and in the matrix account's ``address``.
    ``verified`` (已认证) accounts have customer-service messages; the others answer in the
    response to a message only. ``post`` is how bulletins go out: ``publish`` (发布, no push),
    ``mass`` (群发), or by hand. ``cover`` is the media id of a permanent picture, needed to post.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    app_id: Annotated[str, Field(pattern=r"^wx[0-9a-zA-Z]{8,30}$")]
    secret: Annotated[SecretStr, Field(min_length=8)]
    token: Annotated[SecretStr, Field(min_length=3, max_length=32)]
    aes_key: SecretStr = SecretStr("")
    mode: Literal["aes", "plain"] = "aes"
    kind: Literal["subscription", "service"] = "subscription"
    verified: bool = False
    post: Literal["", "publish", "mass"] = ""
    cover: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        key = self.aes_key.get_secret_value()
        if self.mode == "aes" and (len(key) != _AES_KEY or not key.isalnum()):
            raise ValueError("wechat_aes_key")
        if self.post and not self.verified:
            raise ValueError("wechat_post_unverified")
        if self.post and not self.cover:
            raise ValueError("wechat_cover")
        return self
