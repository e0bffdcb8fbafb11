"""Settings of one corporation's application and bot, and what the API's answers mean here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.platforms.wecom.outbound import Body
from bot.wechat.client import Api
from bot.wechat.outcomes import ApiError, Family, waiting

# "taskid has existed": after an unknown outcome this card has arrived. Source: platforms.md §8.
ARRIVED = 42014


@dataclass(frozen=True, slots=True, kw_only=True)
class WecomSettings:
    """One corporation. The application, the bot, or both; ``done`` is what a used card says.

    ``token`` and ``aes_key`` prove callbacks. ``base_url`` is the API's root and ``bot_url`` the
    bot's gateway, empty for WeCom's own.
    """

    corp_id: str = ""
    agent_id: str = ""
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    bot_id: str = ""
    bot_secret: str = field(default="", repr=False)
    bot_url: str = ""
    done: str

    @property
    def listens(self) -> bool:
        """Whether callbacks can be proved."""
        return bool(self.corp_id and self.token and self.aes_key)

    @property
    def test(self) -> bool:
        """Whether the gateway is on this machine."""
        return self.bot_url.startswith("ws://127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What WeCom said of one message: ``missed`` are members whom it did not reach."""

    msgid: str
    code: str = ""
    missed: tuple[str, ...] = ()


async def send(api: Api, body: Body) -> Taken:
    """Send one message. A card that is there already counts as taken. Raises DeliveryError."""
    try:
        # -1 is "busy": the identical request is dropped when the first did arrive.
        answer = await api.call(lambda c: c.post("message/send", data=body), repeatable=True)
    except ApiError as error:
        if error.errcode == ARRIVED:
            return Taken(msgid="")
        raise waiting(Family.WECOM, error) from None
    return _taken(answer)


def _taken(answer: Mapping[str, Any]) -> Taken:
    missed = [
        one
        for name in ("invaliduser", "unlicenseduser")
        for one in str(answer.get(name) or "").split("|")
        if one
    ]
    return Taken(
        msgid=str(answer.get("msgid") or ""),
        code=str(answer.get("response_code") or ""),
        missed=tuple(missed),
    )


async def update(api: Api, body: Body) -> None:
    """Change a card by a response code, which is used up by it. Raises ApiError."""
    await api.call(lambda c: c.post("message/update_template_card", data=body))
