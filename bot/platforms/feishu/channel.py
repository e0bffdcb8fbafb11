"""Feishu's custom bots."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.platforms.feishu.limits import LIMITS, PAUSES
from bot.robots import Kind, Robot

OFFICIAL = "https://open.feishu.cn"


def sign(secret: str, stamp: str) -> str:
    """HMAC-SHA-256 of nothing under stamp, line end, secret; base64; ``stamp`` in seconds."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", "sha256")).decode()


def request(robot: Robot, text: str, at: datetime) -> tuple[str, Mapping[str, Any]]:
    """Signed in the body where the bot has a secret."""
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if robot.secret:
        stamp = str(int(at.timestamp()))
        body |= {"timestamp": stamp, "sign": sign(robot.secret, stamp)}
    return f"/open-apis/bot/v2/hook/{robot.key}", body


def code(answer: Mapping[str, Any]) -> object:
    """``code``, or ``StatusCode`` of older addresses."""
    return answer.get("code", answer.get("StatusCode"))


def kind(root: str = "") -> Kind:
    """``root`` of the server, empty for Feishu's own."""
    return Kind(
        platform="feishu", limits=LIMITS, root=(root or OFFICIAL).rstrip("/"),
        request=request, code=code, pauses=PAUSES,
    )  # fmt: skip
