"""WeCom's group robots."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.platforms.wecom_robot.limits import LIMITS, PAUSES
from bot.robots import Kind, Robot

OFFICIAL = "https://qyapi.weixin.qq.com"


def request(robot: Robot, text: str, at: datetime) -> tuple[str, Mapping[str, Any]]:
    """The key in the address is all the proof there is."""
    del at
    path = f"/cgi-bin/webhook/send?key={robot.key}"
    return path, {"msgtype": "text", "text": {"content": text}}


def kind(root: str = "") -> Kind:
    """``root`` of the server, empty for WeCom's own."""
    return Kind(
        platform="wecom_robot", limits=LIMITS, root=(root or OFFICIAL).rstrip("/"),
        request=request, code=lambda answer: answer.get("errcode"), pauses=PAUSES,
    )  # fmt: skip
