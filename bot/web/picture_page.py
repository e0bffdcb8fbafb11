"""Requests for the pictures of a lead or an appeal: who may, what is drawn, what only saved."""

from html import escape
from urllib.parse import quote

from fastapi import FastAPI, Response

from bot.page_links import PageLinks
from bot.parts import Parts
from bot.presenter import Presenter
from bot.signer import Grant, LinkError
from bot.web.sheet import PRIVATE, Sheet
from handlers import context
from handlers.reporting import pictures
from handlers.reporting.pictures import Pictures
from matrix.core.conversation import Attachment
from matrix.core.errors import NotFound, Refusal

SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What every browser draws and nothing runs in; all else is a download."""
SAVED = {
    "application/pdf": ("pdf", "pdf"),
    "audio/amr": ("audio", "amr"),
    "audio/ogg": ("audio", "ogg"),
    "audio/mpeg": ("audio", "mp3"),
}
"""Content type → its name under ``pictures``, and the ending of the file."""
FILE = {
    **PRIVATE,
    # Were a file ever taken for a document, it could do nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def add_picture_page(app: FastAPI, parts: Parts) -> None:
    """Serve the page at ``/pictures``."""
    page = PicturePage(parts)

    @app.get("/pictures/{token}", include_in_schema=False)
    async def show(token: str) -> Response:
        """Everything that came with the thing; whoever looks is noted."""
        return await page.show(token)

    @app.get("/pictures/{token}/{place:int}", include_in_schema=False)
    async def file(token: str, place: int) -> Response:
        """One file, by its place from 1."""
        return await page.file(token, place)


class PicturePage:
    """Requests → pages and files. Who may look is asked anew each time."""

    def __init__(self, parts: Parts) -> None:
        """The running parts."""
        self._parts = parts
        self._links = parts.pages
        self._view = PictureView(parts.presenter, parts.pages)

    async def show(self, token: str) -> Response:
        """See ``add_picture_page``."""
        services = self._parts.services
        try:
            grant = self._granted(token)
            async with services.store.work() as work:
                ctx = await context.context_at_page(services, work, grant.identity)
                found = await pictures.opened(ctx, grant.subject)
                await work.commit()
        except LinkError as error:
            return self._view.closed(error.key, 404)
        except Refusal:
            return self._view.closed("not_yours", 403)
        return self._view.page(found, token)

    async def file(self, token: str, place: int) -> Response:
        """See ``add_picture_page``."""
        services = self._parts.services
        try:
            grant = self._granted(token)
            async with services.store.read() as work:
                ctx = await context.context_at_page(services, work, grant.identity)
                found = await pictures.seen(ctx, grant.subject)
        except LinkError as error:
            return self._view.closed(error.key, 404)
        except Refusal:
            return self._view.closed("not_yours", 403)
        if not 1 <= place <= len(found.files):
            return self._view.closed("link_forged", 404)
        try:
            data, kind = await self._parts.attachments.read(found.files[place - 1].id)
        except NotFound:
            return self._view.closed("gone", 410)
        return _file(data, kind, f"{found.number}-{place}")

    def _granted(self, token: str) -> Grant:
        return self._links.looking.read(token, self._parts.services.clock.now())


def _file(data: bytes, kind: str, name: str) -> Response:
    """Drawn where a browser only draws it, else saved under a name of ours."""
    if kind in SHOWN:
        return Response(data, media_type=kind, headers=FILE)
    _, ending = SAVED.get(kind, ("other", "bin"))
    kind = kind if kind in SAVED else "application/octet-stream"
    saved = f"attachment; filename*=UTF-8''{quote(f'{name}.{ending}')}"
    return Response(data, media_type=kind, headers={**FILE, "Content-Disposition": saved})


class PictureView:
    """How the page looks. No script, nothing loaded from elsewhere, all text escaped."""

    def __init__(self, presenter: Presenter, links: PageLinks) -> None:
        """Sentences, and where the page is reached."""
        self._presenter = presenter
        self._sheet = Sheet(
            links, self._say("title"), policy="img-src 'self'; form-action 'none'",
            referrer="no-referrer",
        )  # fmt: skip

    def page(self, found: Pictures, token: str) -> Response:
        """Each file in its place."""
        heading = self._say("heading").format(
            of=self._presenter.text("picture_of", found.kind), number=found.number,
            count=len(found.files),
        )  # fmt: skip
        files = "".join(
            self._file(one, place, self._sheet.path(f"/pictures/{token}/{place}"))
            for place, one in enumerate(found.files, 1)
        )
        return self._sheet.page(heading, f"<p>{escape(self._say('hint'))}</p>{files}")

    def _file(self, one: Attachment, place: int, address: str) -> str:
        if one.removed_at is not None:
            said = escape(self._say("removed").format(place=place))
            return f'<section><p class="notice">{said}</p></section>'
        shown = one.content_type in SHOWN
        kind = "picture" if shown else SAVED.get(one.content_type, ("other", ""))[0]
        caption = escape(
            self._say("caption").format(
                place=place, kind=self._say(kind), size=f"{max(1, one.size // 1024):,}"
            )
        )
        if shown:
            content = f'<a href="{address}"><img src="{address}" alt="{caption}"></a>'
        else:
            content = f'<a class="button" href="{address}">{escape(self._say("download"))}</a>'
        return f"<section><figure><figcaption>{caption}</figcaption>{content}</figure></section>"

    def closed(self, key: str, status: int) -> Response:
        """No pictures, and why."""
        return self._sheet.notice(self._say("title"), self._say(key), status)

    def _say(self, key: str) -> str:
        return self._presenter.text("pictures", key)
