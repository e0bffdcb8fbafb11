"""Callbacks of platforms: ``/hooks/<channel>``, served by the process that holds the channel."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channel import Call, Hooked
from bot.keeping import NotKeptError
from bot.parts import Parts

LIMIT = 1024 * 1024
"""Bytes of a callback: ours, far above what any platform pushes."""


class TooLargeError(Exception):
    """A body over the limit, however it was announced."""


async def body_of(request: Request) -> bytes:
    """The body, read no further than the limit. Raises TooLargeError."""
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > LIMIT:
            raise TooLargeError
    return bytes(found)


class Hooks:
    """Answers the callbacks; all else goes on to the application that it stands before.

    It stands before the routes: they cost a quarter of a callback, and nobody here asks them
    anything (docs/performance.md).
    """

    def __init__(self, app: ASGIApp, hooked: Mapping[str, Hooked]) -> None:
        """``hooked`` are the channels of this process that are called, by name."""
        self._app = app
        self._hooked = hooked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        channel = self._called(scope)
        if channel is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await _answer(channel, Request(scope, receive))
        except NotKeptError:
            # The database is full or locked: the platform repeats the message.
            response = Response(status_code=503)
        await response(scope, receive, send)

    def _called(self, scope: Scope) -> Hooked | None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "POST"}:
            return None
        folder, _, name = scope["path"].rpartition("/")
        return self._hooked.get(name) if folder == "/hooks" else None


async def _answer(channel: Hooked, request: Request) -> Response:
    """Stored first, then acknowledged."""
    try:
        body = await body_of(request)
    except TooLargeError:
        return Response(status_code=413)
    query = request.scope["query_string"].decode("latin-1")
    answer = await channel.called(
        Call(
            method=request.method,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in request.scope["headers"]
            },
            body=body,
        )
    )
    return Response(answer.body, status_code=answer.status, media_type=answer.kind)


def add_hooks(app: FastAPI, parts: Parts) -> None:
    """Serve the callbacks of the channels of this process; all others are not found."""
    hooked = {name: one for name, one in parts.channels.items() if isinstance(one, Hooked)}
    app.add_middleware(Hooks, hooked=hooked)
