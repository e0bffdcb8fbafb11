"""The HTTP application: health, callbacks, pages of cards; in a demonstration the web chat."""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from bot.dispatch import SHARED
from bot.keeping import NotKeptError
from bot.parts import Parts
from bot.platforms.webchat import api as webchat_api
from bot.platforms.webchat.channel import WebChat
from bot.web.draft_page import add_draft_page
from bot.web.hooks import add_hooks
from bot.web.picture_page import add_picture_page
from bot.web.sheet import add_style

LOG = logging.getLogger("piyao.web")
_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})


def public_app(parts: Parts) -> FastAPI:
    """Health, callbacks, and at a public address the pages of cards: what may face the outside."""
    app = FastAPI(title="辟谣矩阵", docs_url=None, redoc_url=None, openapi_url=None)
    _common(app, parts)
    if parts.pages.reachable:
        _pages(app, parts)
    return app


def demo_app(parts: Parts) -> FastAPI:
    """Everything, with the web chat: listens on 127.0.0.1 only."""
    app = FastAPI(
        title="辟谣矩阵（演示）", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    _common(app, parts)
    _pages(app, parts)
    backend = webchat_api.Backend(
        services=parts.services,
        presenter=parts.presenter,
        attachments=parts.attachments,
        store=parts.dispatcher.store,
        webchat=parts.webchat or WebChat(),
        look=None if parts.listens else SHARED,
    )
    app.include_router(webchat_api.router(backend))

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Foreign pages and rebound names are refused: only this machine's own browser."""
        if not local_request(request):
            return JSONResponse({"detail": "演示页面只接受本机访问。"}, status_code=403)
        return await go_on(request)

    return app


def hooks_app(parts: Parts) -> FastAPI:
    """Callbacks alone: where the pages are served by another process."""
    app = FastAPI(title="辟谣矩阵", docs_url=None, redoc_url=None, openapi_url=None)
    _common(app, parts)
    return app


def local_request(request: Request) -> bool:
    """Whether Host and Origin name this machine."""
    host = request.headers.get("host", "")
    if _name(host) not in _LOCAL:
        return False
    origin = request.headers.get("origin")
    return origin is None or _name(urlsplit(origin).netloc) in _LOCAL


def _name(netloc: str) -> str:
    if netloc.startswith("["):
        return netloc.partition("]")[0] + "]"
    return netloc.rpartition(":")[0] or netloc


def _pages(app: FastAPI, parts: Parts) -> None:
    """What is opened from a card, each at a signed address."""
    add_style(app)
    add_draft_page(app, parts)
    add_picture_page(app, parts)


def _common(app: FastAPI, parts: Parts) -> None:
    @app.exception_handler(NotKeptError)
    async def not_kept(request: Request, error: NotKeptError) -> JSONResponse:
        """The database is full or locked: a platform repeats the message, a person is told."""
        del request
        sentence = parts.presenter.text("refusal", "not_kept")
        detail = sentence.replace("{detail}", error.reference)
        return JSONResponse({"detail": detail}, status_code=503)

    @app.get("/healthz", include_in_schema=False)
    async def health() -> JSONResponse:
        """This process answers; all else is told on the inner address (``bot/web/probes.py``)."""
        return JSONResponse({"ok": True})

    if parts.listens:
        add_hooks(app, parts)
