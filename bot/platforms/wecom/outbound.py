"""Pure writing: texts, template cards with our tokens as keys, and the form of a remote id."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel import Outgoing, Press
from bot.platforms.wecom.limits import (
    BUTTONS,
    LABEL,
    REPEAT_FROM,
    REPEAT_SPREAD,
    SUBTITLE,
    TITLE,
)

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What is kept of a message: its id, and the response code of each of its cards by task."""

    msgid: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    missed: tuple[str, ...] = ()

    def text(self) -> str:
        """``msgid;task=code,task=code;!missed|missed``; what is empty is left out."""
        cards = ",".join(f"{task}={code}" for task, code in self.codes)
        missed = "!" + "|".join(self.missed) if self.missed else ""
        return ";".join(filter(None, [self.msgid, cards, missed]))


def read_remote(text: str) -> Remote:
    """Read what ``Remote.text`` wrote; anything else is a message id."""
    msgid, _, rest = text.partition(";")
    codes = []
    for part in filter(None, rest.partition(";")[0].split(",")):
        task, found, code = part.partition("=")
        if found:
            codes.append((task, code))
    return Remote(msgid=msgid, codes=tuple(codes))


def bodies(message: Outgoing, receivers: str, agent: str) -> list[Body]:
    """The requests of one message, in order: a text where a card cannot hold it, then cards."""
    made = []
    if not message.buttons or not fits(message.text):
        made.append(_wrapped(message.key, {"msgtype": "text", "text": {"content": message.text}}))
    made += [
        _wrapped(message.key, {"msgtype": "template_card", "template_card": one})
        for one in cards(message)
    ]
    return [{"touser": receivers, "agentid": int(agent), **one} for one in made]


def cards(message: Outgoing) -> list[Body]:
    """Template cards for the buttons, at most six on each."""
    title, rest = _parts(message.text)
    whole = fits(message.text)
    pages = [
        message.buttons[first : first + BUTTONS]
        for first in range(0, len(message.buttons), BUTTONS)
    ]
    return [
        {
            "card_type": "button_interaction",
            "main_title": {"title": _shortened(title, TITLE)},
            **({"sub_title_text": rest} if whole and rest and not number else {}),
            "button_list": _buttons(page),
            "task_id": task_id(message.key, number),
        }
        for number, page in enumerate(pages)
    ]


def settled_card(text: str, done: str) -> Body:
    """What a card becomes: its words, and one grey button that says ``done``."""
    title, rest = _parts(text)
    if len(rest) > SUBTITLE:
        # Who has done what stands last.
        rest = rest.rpartition("\n")[2]
    return {
        "card_type": "button_interaction",
        "main_title": {"title": _shortened(title, TITLE)},
        **({"sub_title_text": _shortened(rest, SUBTITLE)} if rest else {}),
        "button_list": [{"text": done, "key": "done"}],
        "replace_text": done,
    }


def task_id(key: str, number: int) -> str:
    """Unique in the application: the delivery's key (digits, letters, ``_-@`` only) and a page."""
    return f"{key.replace('.', '_')}-{number}"


def _wrapped(key: str, body: Body) -> Body:
    """The same message gives the same bytes, another message other ones."""
    spread = zlib.crc32(key.encode()) % REPEAT_SPREAD
    return {
        **body,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": REPEAT_FROM + spread,
    }


def _parts(text: str) -> tuple[str, str]:
    """The first line, which is the point of every message, and the rest."""
    first, _, rest = text.strip().partition("\n")
    return first, rest.strip("\n")


def fits(text: str) -> bool:
    """Whether a card shows all of a text."""
    first, rest = _parts(text)
    return len(first) <= TITLE and len(rest) <= SUBTITLE


def _buttons(page: Sequence[Press]) -> list[Body]:
    return [{"text": _shortened(one.label, LABEL), "key": one.token} for one in page]


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


_DEFUSED = str.maketrans(
    {"[": "［", "]": "］", "`": "＇", "*": "＊", "<": "＜", "#": "＃", "~": "～"}
)


def markdown(text: str) -> str:
    """Plain words for a channel that reads markdown: nothing in them turns into a link or a title.

    Line ends become paragraphs: a single one is not shown.
    """
    lines = [line.translate(_DEFUSED) for line in text.split("\n")]
    return "\n".join(f"＞{line[1:]}" if line.startswith(">") else line for line in lines)
