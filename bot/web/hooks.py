"""Callbacks of platforms: ``/hooks/<channel>``, served by the process that holds the channel."""

from fastapi import FastAPI, Request, Response

from bot.channel import Call, Hooked
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


def add_hooks(app: FastAPI, parts: Parts) -> None:
    """Serve the callbacks of the channels of this process; all others are not found.

    A plain route: it has no parameters to be worked out and no answer to be modelled, which cost
    as much as the callback itself (docs/performance.md).
    """
    hooked = {name: one for name, one in parts.channels.items() if isinstance(one, Hooked)}

    async def hook(request: Request) -> Response:
        """Stored first, then acknowledged."""
        channel = hooked.get(request.path_params["name"])
        if channel is None:
            return Response(status_code=404)
        try:
            body = await body_of(request)
        except TooLargeError:
            return Response(status_code=413)
        answer = await channel.called(
            Call(
                method=request.method,
                query=dict(request.query_params),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )
        )
        return Response(answer.body, status_code=answer.status, media_type=answer.kind)

    app.add_route("/hooks/{name}", hook, methods=["GET", "POST"], include_in_schema=False)
