"""One official account with its API and callbacks: everything that WeChat's servers are asked."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.tokens import Tokens
from bot.wechat.callback import CallbackBox
from bot.wechat.client import Api, official_api
from bot.wechat.outcomes import ApiError
from config.wechat import WechatAccount
from matrix.core.errors import Refusal

# Bytes we are willing to keep of one file; the project's own cap on every platform.
KEEP = 10 * 1024 * 1024

# Why a file is missing; Attach may refuse with keys of its own.
TOO_LARGE = "attachment_too_large"
UNAVAILABLE = "attachment_unavailable"


@dataclass(slots=True, kw_only=True)
class OfficialAccount:
    """``speaks`` is whether it may send customer-service messages, until it is told otherwise."""

    settings: WechatAccount
    api: Api
    box: CallbackBox
    speaks: bool

    @property
    def name(self) -> str:
        """Ours, unique."""
        return self.settings.name

    async def say(self, openid: str, text: str) -> None:
        """One customer-service message. Raises ApiError."""
        await self.api.call(lambda client: client.message.send_text(openid, text))

    async def media(self, media_id: str, seconds: float) -> bytes:
        """A file that somebody has sent. Raises Refusal."""
        try:
            async with asyncio.timeout(seconds):
                content = await self.api.download("media/get", {"media_id": media_id})
        except (ApiError, TimeoutError):
            raise Refusal(UNAVAILABLE) from None
        if len(content) > KEEP:
            raise Refusal(TOO_LARGE)
        return content

    async def make_menu(self, menu: Mapping[str, Any]) -> None:
        """Replace the menu. Raises ApiError."""
        await self.api.call(lambda client: client.menu.create(dict(menu)), repeatable=True)

    async def scene(self, text: str, seconds: int) -> str:
        """The address of a QR code that carries a text for so long. Raises ApiError."""
        asked = {
            "expire_seconds": seconds,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": text}},
        }
        made = await self.api.call(lambda client: client.qrcode.create(asked), repeatable=True)
        return str(made["url"])

    async def permanent_picture(self, name: str, data: bytes) -> str:
        """Keep a picture at WeChat for good; its media id. Raises ApiError."""
        file = (name, data, "image/jpeg")
        made = await self.api.upload("material/add_material", {"type": "image"}, file)
        return str(made["media_id"])

    async def quota(self, path: str) -> tuple[int, int]:
        """What is left of a day's calls, and of how many. Raises ApiError."""
        answer = await self.api.call(
            lambda client: client.post("openapi/quota/get", data={"cgi_path": path}),
            repeatable=True,
        )
        return int(answer["quota"]["remain"]), int(answer["quota"]["daily_limit"])


def open_account(
    settings: WechatAccount, *, root: str, tokens: Tokens, now: Callable[[], datetime]
) -> OfficialAccount:
    """The account as configured; makes no request yet."""
    return OfficialAccount(
        settings=settings,
        api=official_api(
            account=f"wechat:{settings.app_id}", app_id=settings.app_id, root=root,
            secret=settings.secret.get_secret_value(), tokens=tokens, now=now,
        ),
        box=CallbackBox(
            token=settings.token.get_secret_value(),
            aes_key=settings.aes_key.get_secret_value() if settings.mode == "aes" else "",
            receiver=settings.app_id, now=now,
        ),
        speaks=settings.verified,
    )  # fmt: skip
