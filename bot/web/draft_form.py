"""How the form of a draft looks. No script, nothing loaded from elsewhere, all text escaped."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from fastapi import Response

from bot.page_links import PageLinks
from bot.presenter import Presenter
from bot.web.sheet import Sheet
from handlers.drafting.writing import LIMITS, PARTS, remarks_of
from matrix.core.bulletin import Revision, RevisionState


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page shows. ``typed`` is what the person wrote and what is not saved."""

    revision: Revision
    number: str
    token: str
    notice: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def mark(text: str) -> str:
    """By what a form remembers how a part stood, to tell what its reader has changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class DraftForm:
    """Views → pages."""

    def __init__(self, presenter: Presenter, links: PageLinks) -> None:
        """Sentences, and where the page is reached."""
        self._presenter = presenter
        # The address is a secret; with no-referrer browsers would hide the form's origin from us.
        self._sheet = Sheet(
            links, self.say("title"), policy="form-action 'self'", referrer="same-origin"
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of every answer."""
        return self._sheet.headers

    def say(self, key: str) -> str:
        """A sentence of the page."""
        return self._presenter.text("draft_form", key)

    def page(self, view: View, status: int = 200) -> Response:
        """The draft to edit, or to read where it is closed."""
        say, revision = self.say, view.revision
        closed = revision.state is not RevisionState.DRAFT
        kind = self._presenter.text("kind", revision.kind.value)
        heading = say("heading").format(number=view.number, serial=revision.serial, kind=kind)
        notice = say("closed") if closed else view.notice
        parts = "".join(self._part(view, name, closed=closed) for name in PARTS)
        action = self._sheet.path("/draft")
        button = "" if closed else f"<button>{escape(say('save'))}</button>"
        return self._sheet.page(
            heading,
            (f'<p class="notice" role="status">{escape(notice)}</p>' if notice else "")
            + f'<form method="post" action="{action}" accept-charset="utf-8">'
            f'<input type="hidden" name="token" value="{escape(view.token)}">{parts}{button}'
            f'<p class="hint">{escape(say("hint"))}</p></form>',
            status,
        )

    def _part(self, view: View, name: str, *, closed: bool) -> str:
        text = self._presenter.text
        stored = str(getattr(view.revision, name))
        shown = view.typed.get(name, stored)
        label = escape(text("label", f"part_{name}"))
        limit = self.say("limit").replace("{limit}", str(LIMITS[name]))
        remarks = "".join(
            f"<li>{escape(text('lint', one.code))}</li>"
            for one in remarks_of(view.revision)
            if one.part == name
        )
        differs = ""
        if shown.strip() != stored:
            differs = (
                f'<div class="stored"><b>{escape(self.say("stored"))}</b>'
                f"<p>{escape(stored) or '–'}</p></div>"
            )
        rows = 2 if name == "title" else 6
        # A newline right after the tag is dropped by browsers: one of ours, so none of theirs.
        return (
            f'<section><label for="{name}">{label}<small>{escape(limit)}</small></label>'
            f'<input type="hidden" name="was_{name}" value="{mark(stored)}">'
            f'<textarea id="{name}" name="{name}" rows="{rows}" maxlength="{LIMITS[name]}"'
            f"{' readonly' if closed else ''}>\n{escape(shown)}</textarea>"
            f"{f'<ul>{remarks}</ul>' if remarks else ''}{differs}</section>"
        )

    def closed(
        self, key: str, *, status: int = 404, typed: Mapping[str, str] | None = None
    ) -> Response:
        """No form; what the person wrote is given back."""
        kept = "".join(
            f"<section><b>{escape(self._presenter.text('label', f'part_{name}'))}</b>"
            f'<p class="typed">{escape(text)}</p></section>'
            for name, text in (typed or {}).items()
            if text.strip()
        )
        return self._sheet.notice(self.say("title"), self.say(key), status, kept)
