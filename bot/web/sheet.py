"""The frame of the pages opened from a card: no script, one style sheet, nothing from elsewhere."""

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from bot.page_links import PageLinks

STYLE = (Path(__file__).parent / "assets" / "page.css").read_text(encoding="utf-8")
PRIVATE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""Headers of everything under a secret address."""


def add_style(app: FastAPI) -> None:
    """Serve what the pages look like."""

    @app.get("/page.css", include_in_schema=False)
    async def style() -> Response:
        """The only thing that a page loads, apart from its pictures."""
        return Response(STYLE, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})


class Sheet:
    """Heading and body → a page."""

    def __init__(self, links: PageLinks, title: str, *, policy: str, referrer: str) -> None:
        """``policy`` is what this page may do beyond loading its style."""
        self._links = links
        self._title = escape(title)
        self.headers = {
            **PRIVATE,
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'self'; {policy}; frame-ancestors 'none';"
                " base-uri 'none'"
            ),
            "Referrer-Policy": referrer,
        }

    def path(self, path: str) -> str:
        """An address of ours as the page must write it, behind the proxy's prefix too."""
        return escape(urlsplit(self._links.base).path + path)

    def page(self, heading: str, body: str, status: int = 200) -> Response:
        """``heading`` is text, ``body`` markup whose values are escaped."""
        return HTMLResponse(
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{self._title}</title>"
            f'<link rel="stylesheet" href="{self.path("/page.css")}"></head>'
            f"<body><main><h1>{escape(heading)}</h1>{body}</main></body></html>",
            status_code=status,
            headers=self.headers,
        )

    def notice(self, heading: str, sentence: str, status: int, more: str = "") -> Response:
        """A page that says why there is nothing; ``more`` is markup."""
        body = f'<p class="notice" role="alert">{escape(sentence)}</p>{more}'
        return self.page(heading, body, status)
