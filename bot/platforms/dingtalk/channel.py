"""DingTalk's custom robots."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.platforms.dingtalk.limits import LIMITS, PAUSES
from bot.robots import Kind, Robot

OFFICIAL = "https://oapi.dingtalk.com"


def sign(secret: str, stamp: str) -> str:
    """HMAC-SHA-256 of stamp, line end, secret under the secret; ``stamp`` in milliseconds."""
    text = f"{stamp}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()


def request(robot: Robot, text: str, at: datetime) -> tuple[str, Mapping[str, Any]]:
    """Signed in the address where the robot has a secret."""
    query = {"access_token": robot.key}
    if robot.secret:
        stamp = str(int(at.timestamp() * 1000))
        query |= {"timestamp": stamp, "sign": sign(robot.secret, stamp)}
    return f"/robot/send?{urlencode(query)}", {"msgtype": "text", "text": {"content": text}}


def kind(root: str = "") -> Kind:
    """``root`` of the server, empty for DingTalk's own."""
    return Kind(
        platform="dingtalk", limits=LIMITS, root=(root or OFFICIAL).rstrip("/"),
        request=request, code=lambda answer: answer.get("errcode"), pauses=PAUSES,
    )  # fmt: skip
