"""Replies → sentences: the catalogue's templates, filled, escaped, measured, split.

A line whose placeholder is empty is left out. ``{field:table}`` looks the value up in a table of
the catalogue, ``{field|sep}`` joins a list. Instants are said as a person would.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from bot.channel import Limits, Markup, Outgoing, Press
from config.texts import Catalogue
from matrix.core.delivery import Delivery, Lane, Parcel
from matrix.triage.calendar import LOCAL

_SLOT = re.compile(r"\{(\w+)(?::(\w+))?(?:\|([^}]*))?\}")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
# A private-use character stands for an asterisk of a value until the bold marks are read.
_STAR = "\ue000"
_SYSTEM = "who"


def plain(text: str) -> str:
    """No escaping."""
    return text


def html_escape(text: str) -> str:
    """For Telegram's HTML."""
    return html.escape(text, quote=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presenter:
    """Renders replies of the ledger."""

    texts: Catalogue

    def text(self, table: str, key: str) -> str:
        """A fixed text; the key itself where the catalogue has none (a test forbids that)."""
        found = self.texts.get(table, {}).get(key)
        return found if isinstance(found, str) else key

    def render(self, content: Mapping[str, Any], now: datetime, markup: Markup) -> str:
        """The text of a delivery's content."""
        if "plain" in content:
            return _escaped(str(content["plain"]), markup)
        filled = self._reply(str(content["reply"]), content["fields"], now)
        if "drill" in content:
            filled = f"{self.text('ui', 'drill')}\n{filled}"
        for part, mark in (("post", "\n"), ("note", "\n— ")):
            if part in content:
                said = content[part]
                filled += mark + self._reply(said["reply"], said["fields"], now)
        return _mark(filled, markup)

    def _reply(self, name: str, fields: Mapping[str, Any], now: datetime) -> str:
        template = self.text("reply", name)
        return self._fill(template, fields, now)

    def _fill(self, template: str, fields: Mapping[str, Any], now: datetime) -> str:
        lines = []
        for line in template.strip("\n").split("\n"):
            empty = False

            def put(found: re.Match[str]) -> str:
                nonlocal empty
                name, table, separator = found.groups()
                value = self._value(name, fields.get(name), table, separator, fields, now)
                empty = empty or not value
                return value

            filled = _SLOT.sub(put, line)
            if not empty:
                lines.append(filled)
        return "\n".join(lines)

    def _value(
        self,
        name: str,
        value: Any,
        table: str | None,
        separator: str | None,
        fields: Mapping[str, Any],
        now: datetime,
    ) -> str:
        if isinstance(value, list):
            parts = [self._value(name, one, table, None, fields, now) for one in value]
            return ("\n" if separator is None else separator).join(part for part in parts if part)
        if isinstance(value, dict):
            return self._typed(value, table, now)
        if value is None or value == "":
            return self.text("ui", "system") if name == _SYSTEM else ""
        if table is not None:
            return self._fill(self.text(table, str(value)), fields, now)
        return clean(str(value)).replace("*", _STAR)

    def _typed(self, value: Mapping[str, Any], table: str | None, now: datetime) -> str:
        if "r" in value:
            return self._reply(str(value["r"]), value["f"], now)
        if "e" in value:
            return self.text(table or str(value["e"]), str(value["v"]))
        if "s" in value:
            return span(timedelta(seconds=value["s"]))
        return say_time(datetime.fromisoformat(str(value["t"])), now, table or "due")

    def button(self, choice: Mapping[str, Any]) -> str:
        """The label of a button."""
        label = str(choice.get("label") or "")
        text = clean(str(choice.get("text") or ""))
        if not label:
            return text[:40]
        return self.text("button", label).replace("{text}", text).strip()

    def outgoing(self, delivery: Delivery, now: datetime, limits: Limits) -> list[Outgoing]:
        """The messages of a delivery: split at the platform's limit, buttons on the last."""
        text = self.render(delivery.content, now, limits.markup)
        choices = cast("list[dict[str, Any]]", delivery.content.get("choices") or [])
        presses = tuple(
            Press(token=one["token"], label=self.button(one), number=one["number"])
            for one in choices
        )
        if presses and not limits.buttons:
            numbered = "\n".join(f"{one.number}. {one.label}" for one in presses)
            text = f"{text}\n\n{numbered}"
        conversation = delivery.lane is Lane.CONVERSATION
        room = limits.text if conversation else limits.post or limits.text
        parts = split(text, room, limits.measure)
        last = len(parts) - 1
        return [
            Outgoing(
                key=delivery.id if index == 0 else f"{delivery.id}.{index}",
                address=delivery.address,
                text=part,
                buttons=presses if index == last and limits.buttons else (),
                answers=delivery.answers,
                conversation=conversation,
                groups=tuple(cast("list[str]", delivery.content.get("groups") or [])),
                act=str(delivery.content.get("act") or ""),
            )
            for index, part in enumerate(parts)
        ]

    def posts(self, parcel: Parcel, now: Callable[[], datetime], limits: Limits) -> list[Outgoing]:
        """The messages of a post to one of many: the same text is made ready once for all."""
        content, room = parcel.content, limits.post or limits.text
        if (text := content.get("plain")) is not None:
            parts = _ready(str(text), limits.markup, room, limits.measure)
        else:
            parts = split(self.render(content, now(), limits.markup), room, limits.measure)
        groups = tuple(cast("list[str]", content.get("groups") or ()))
        act = str(content.get("act") or "")
        return [
            Outgoing(
                key=parcel.id if index == 0 else f"{parcel.id}.{index}",
                address=parcel.address,
                text=part,
                conversation=False,
                groups=groups,
                act=act,
            )
            for index, part in enumerate(parts)
        ]


@lru_cache(maxsize=64)
def _ready(text: str, markup: Markup, limit: int, measure: Callable[[str], int]) -> list[str]:
    return split(_escaped(text, markup), limit, measure)


def _escaped(text: str, markup: Markup) -> str:
    return html_escape(text) if markup is Markup.HTML else text


def clean(text: str) -> str:
    """Control and invisible direction characters out: nobody can dress up a sentence."""
    return _CONTROL.sub("", text)


def _mark(text: str, markup: Markup) -> str:
    bold = "<b>{}</b>" if markup is Markup.HTML else "{}"
    escaped = _escaped(text, markup)
    return _BOLD.sub(lambda found: bold.format(found.group(1)), escaped).replace(_STAR, "*")


def split(text: str, limit: int, measure: Callable[[str], int]) -> list[str]:
    """Parts within the limit, cut at paragraph, line, then sentence ends, then anywhere."""
    parts: list[str] = []
    rest = text
    while measure(rest) > limit:
        cut = _fitting(rest, limit, measure)
        for mark in ("\n\n", "\n", "。", "；", "，", " "):
            at = rest.rfind(mark, cut // 2, cut)
            if at > 0:
                cut = at + len(mark)
                break
        parts.append(_closed(rest[:cut].rstrip("\n")))
        rest = rest[cut:].lstrip("\n")
    parts.append(rest)
    return parts


def _closed(part: str) -> str:
    """Bold marks never straddle two messages; an entity is never cut in half."""
    if part.count("<b>") > part.count("</b>"):
        part += "</b>"
    return re.sub(r"(&[a-z0-9#]{0,6}|<[/b]{0,2})$", "", part)


def _fitting(text: str, limit: int, measure: Callable[[str], int]) -> int:
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def say_time(at: datetime, now: datetime, style: str) -> str:
    """``time`` 15:02, ``date`` 11 月 6 日, ``due`` 今天 16:30（还有 2 小时 10 分）."""
    local, today = at.astimezone(LOCAL), now.astimezone(LOCAL).date()
    days = (local.date() - today).days
    near = {-1: "昨天 ", 0: "", 1: "明天 "}
    if style == "time":
        return f"{near.get(days, f'{local.month} 月 {local.day} 日 ')}{local:%H:%M}"
    if style == "date":
        year = "" if local.year == today.year else f"{local.year} 年 "
        return f"{year}{local.month} 月 {local.day} 日"
    day = {-1: "昨天", 0: "今天", 1: "明天"}.get(days, f"{local.month} 月 {local.day} 日")
    left = at - now
    words = f"还有 {span(left)}" if left >= timedelta() else f"已超 {span(-left)}"
    return f"{day} {local:%H:%M}（{words}）"


def span(length: timedelta) -> str:
    """A length of time in at most two units."""
    minutes = int(length.total_seconds() // 60)
    if not minutes:
        return f"{int(length.total_seconds())} 秒"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} 天" + (f" {hours} 小时" if hours else "")
    if hours:
        return f"{hours} 小时" + (f" {minutes} 分" if minutes else "")
    return f"{minutes} 分钟"
