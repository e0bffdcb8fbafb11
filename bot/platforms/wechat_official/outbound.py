"""Pure writing: a bulletin's text as an article, and the marker by which it is found again."""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.platforms.wechat_official.limits import DIGEST, TITLE

_URL = re.compile(r"https?://\S+\Z")


def marker(key: str) -> str:
    """A short code of the delivery that stands in small grey under its article."""
    return "№ " + hashlib.sha256(key.encode()).hexdigest()[:12]


def article(text: str, key: str, cover: str) -> dict[str, Any]:
    """One article of a draft: the first line is its title, the second its digest.

    A link at the end is what 阅读原文 opens: articles show no foreign links.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    link = lines.pop() if len(lines) > 1 and _URL.match(lines[-1]) else ""
    head, *body = lines or [""]
    paragraphs = [f"<p>{html.escape(line)}</p>" for line in body or [head]]
    note = f'<p style="color:#999;font-size:12px">{marker(key)}</p>'
    return {
        "title": _cut(head, TITLE),
        "digest": _cut(body[0] if body else head, DIGEST),
        "content": "".join([*paragraphs, note]),
        "content_source_url": link,
        "thumb_media_id": cover,
        "need_open_comment": 0,
    }


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def items(listing: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Media or article id and the articles of each entry of a list of drafts or publications."""
    for one in listing.get("item") or ():
        content = one.get("content") or {}
        yield str(one.get("media_id") or one.get("article_id") or ""), content.get("news_item", ())


def found(listing: Mapping[str, Any], code: str) -> tuple[str, str]:
    """Id and address of the entry that carries a marker; empty when none does."""
    for name, articles in items(listing):
        for one in articles:
            if code in str(one.get("content", "")):
                return name, str(one.get("url", ""))
    return "", ""


def address_of(answer: Mapping[str, Any]) -> str:
    """The first article's address in a publication's result."""
    for one in (answer.get("article_detail") or {}).get("item") or ():
        if url := str(one.get("article_url", "")):
            return url
    return ""


def mass_address(fields: Mapping[str, Any]) -> str:
    """The first article's address in the event of a mass sending; one item is no list."""
    found: Any = fields
    for name in ("ArticleUrlResult", "ResultList", "item"):
        found = found.get(name) if isinstance(found, Mapping) else None
    first = found[0] if isinstance(found, list) and found else found
    return str(first.get("ArticleUrl") or "") if isinstance(first, Mapping) else ""
