"""Requests for the form of a draft: who may, whether it is as it was, and what is saved."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from bot.channel import Markup
from bot.page_links import SAVES
from bot.parts import Parts
from bot.signer import Grant, LinkError
from bot.web.draft_form import DraftForm, View, mark
from handlers import context, matters
from handlers.drafting import form
from handlers.drafting.writing import PARTS
from handlers.replies.shared import Refused
from handlers.wire import encode_reply
from matrix.core.bulletin import Revision
from matrix.core.errors import NotFound, Refusal, StaleVersion

# Bytes of a submitted form: every part full, nine bytes for a percent-encoded character.
BODY = 128 * 1024
FIELDS = 2 * len(PARTS) + 1


def add_draft_page(app: FastAPI, parts: Parts) -> None:
    """Serve the form at ``/draft``."""
    page = DraftPage(parts)

    @app.get("/draft/{token}", include_in_schema=False)
    async def show(token: str, saved: str = "") -> Response:
        """The form, prefilled with the draft as it is now."""
        return await page.show(token, saved=bool(saved))

    @app.post("/draft", include_in_schema=False)
    async def save(request: Request) -> Response:
        """Save; on success the fresh form by a redirect, so that reloading repeats nothing."""
        return await page.save(request)


class DraftPage:
    """Requests → pages."""

    def __init__(self, parts: Parts) -> None:
        """The running parts."""
        self._parts = parts
        self._links = parts.pages
        self._form = DraftForm(parts.presenter, parts.pages)

    async def show(self, token: str, *, saved: bool) -> Response:
        """See ``add_draft_page``."""
        try:
            grant = self._links.editing.read(token, self._parts.services.clock.now())
            view = await self._view(grant, notice=self._form.say("saved") if saved else "")
        except LinkError as error:
            return self._form.closed(error.key)
        except (Refusal, NotFound):
            return self._form.closed("not_yours", status=403)
        if view.revision.version != grant.version and not saved:
            view = await self._view(grant, notice=self._form.say("newer"))
        return self._form.page(view)

    async def save(self, request: Request) -> Response:
        """See ``add_draft_page``."""
        if not self._own_page(request):
            return self._form.closed("foreign", status=403)
        body = await _body(request)
        if body is None:
            return self._form.closed("too_large", status=413)
        try:
            given = _fields(body)
        except ValueError:
            return self._form.closed("link_forged")
        # Only what was changed here: a part that somebody else has changed meanwhile stays theirs.
        typed = {
            name: given[name]
            for name in PARTS
            if name in given and mark(given[name]) != given.get(f"was_{name}")
        }
        try:
            grant = self._links.saving.read(
                given.get("token", ""), self._parts.services.clock.now()
            )
        except LinkError as error:
            if error.key == "link_expired":
                return self._form.closed("form_expired", typed=typed)
            return self._form.closed(error.key)
        return await self._try(grant, typed)

    async def _try(self, grant: Grant, typed: Mapping[str, str]) -> Response:
        try:
            saved = await self._write(grant, typed)
        except StaleVersion:
            notice, status = self._form.say("stale"), 409
        except Refusal as refusal:
            notice, status = self._refused(refusal), 422
        except NotFound:
            return self._form.closed("not_yours", status=403, typed=typed)
        else:
            url, _ = self._links.draft(
                identity=grant.identity, revision=saved.id, version=saved.version,
                at=self._parts.services.clock.now(),
            )  # fmt: skip
            return RedirectResponse(f"{url}?saved=1", status_code=303, headers=self._form.headers)
        try:
            view = await self._view(grant, notice=notice, typed=typed)
        except (Refusal, NotFound):
            return self._form.closed("not_yours", status=403, typed=typed)
        return self._form.page(view, status=status)

    async def _write(self, grant: Grant, typed: Mapping[str, str]) -> Revision:
        services = self._parts.services
        async with services.store.work() as work:
            ctx = await context.context_at_page(services, work, grant.identity)
            saved = await form.save(ctx, grant.subject, grant.version, typed)
            await work.commit()
        services.outbox.wake()
        return saved

    async def _view(
        self, grant: Grant, *, notice: str = "", typed: Mapping[str, str] | None = None
    ) -> View:
        services = self._parts.services
        async with services.store.read() as work:
            ctx = await context.context_at_page(services, work, grant.identity)
            revision = await form.readable(ctx, grant.subject)
            case = await matters.of(ctx, revision.case)
        now = Grant(identity=grant.identity, subject=revision.id, version=revision.version)
        token = self._links.saving.sign(now, services.clock.now() + SAVES)
        return View(
            revision=revision, number=case.number, token=token, notice=notice, typed=typed or {}
        )

    def _refused(self, refusal: Refusal) -> str:
        fields = {key: str(value) for key, value in refusal.fields.items() if key == "detail"}
        content = encode_reply(Refused(key=refusal.key, **fields), [])
        now = self._parts.services.clock.now()
        return self._parts.presenter.render(content, now, Markup.PLAIN)

    def _own_page(self, request: Request) -> bool:
        """A form of another site carries its origin; ours carries ours, or none at all."""
        origin = request.headers.get("origin")
        base = urlsplit(self._links.base)
        return origin is None or origin == f"{base.scheme}://{base.netloc}"


async def _body(request: Request) -> bytes | None:
    """The body, None when it is too large, whatever its header says."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            return None
    return body


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form, with the line ends of text. Raises ValueError."""
    found = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS)
    return {
        name: values[-1].replace("\r\n", "\n").replace("\x00", "") for name, values in found.items()
    }
