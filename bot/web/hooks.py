"""Callbacks of the platforms: bodies bounded before they are read, stored before the answer."""

from fastapi import FastAPI, Request, Response

from bot.parts import Parts
from bot.platforms.wechat_official.channel import Answer, OfficialChannel
from bot.wechat.callback import BODY_LIMIT

# Bytes of one Telegram update; its longest messages are far smaller.
TELEGRAM_LIMIT = 1024 * 1024

_TOO_LARGE = Response(status_code=413)


async def bounded(request: Request, limit: int) -> bytes | None:
    """The body, or None where it is longer; no more than the limit is ever held."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def add_hooks(app: FastAPI, parts: Parts) -> None:
    """The routes of the channels that this process holds."""
    if hasattr(parts.channels.get("telegram"), "webhook"):
        _telegram(app, parts)
    official = parts.channels.get("wechat_official")
    if isinstance(official, OfficialChannel):
        _official(app, official)


def _telegram(app: FastAPI, parts: Parts) -> None:
    hook = parts.channels["telegram"].webhook  # type: ignore[attr-defined]

    @app.post("/hooks/telegram", include_in_schema=False)
    async def telegram(request: Request) -> Response:
        """Stored first, then acknowledged."""
        body = await bounded(request, TELEGRAM_LIMIT)
        if body is None:
            return _TOO_LARGE
        status: int = await hook(dict(request.headers), body)
        return Response(status_code=status)


def _official(app: FastAPI, channel: OfficialChannel) -> None:
    @app.get("/hooks/wechat/{name}", include_in_schema=False)
    async def verified(name: str, request: Request) -> Response:
        """The address is ours."""
        return _response(await channel.verify(name, request.query_params), "text/plain")

    @app.post("/hooks/wechat/{name}", include_in_schema=False)
    async def heard(name: str, request: Request) -> Response:
        """A message or an event."""
        body = await bounded(request, BODY_LIMIT)
        if body is None:
            return _TOO_LARGE
        answer = await channel.webhook(name, request.query_params, body)
        kind = "application/xml" if answer.body.startswith("<") else "text/plain"
        return _response(answer, kind)


def _response(answer: Answer, kind: str) -> Response:
    return Response(content=answer.body, status_code=answer.status, media_type=kind)
