"""How many customer-service messages a person's own doings still allow. Pure.

Source: 客服消息, official docs 2026-11: a message → 5 within 48 h; a menu click, a follow or a scan
→ 3 within one minute. 45015 and 45047 say that we counted wrongly (another tool sends too).
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

MESSAGE = (5, timedelta(hours=48))
EVENT = (3, timedelta(minutes=1))
# Chats remembered; an older one is asked of the platform, whose refusal is heard.
CHATS = 50_000


@dataclass(slots=True)
class _Grant:
    left: int
    until: datetime


class Allowances:
    """Counts per chat, in this process: after a restart the platform's own codes count."""

    def __init__(self) -> None:
        """Nothing is known of anybody."""
        self._grants: OrderedDict[str, list[_Grant]] = OrderedDict()

    def granted(self, chat: str, what: tuple[int, timedelta], at: datetime) -> None:
        """The person has written, clicked, followed or scanned."""
        count, span = what
        live = [one for one in self._grants.pop(chat, []) if one.until > at and one.left > 0]
        if what == MESSAGE:
            # A new message begins the five anew.
            live = [one for one in live if one.until <= at + EVENT[1]]
        self._grants[chat] = [*live, _Grant(count, at + span)]
        while len(self._grants) > CHATS:
            self._grants.popitem(last=False)

    def closed(self, chat: str) -> None:
        """The platform refuses, or the person has left: nothing goes until they write again."""
        self._grants[chat] = []

    def give_back(self, chat: str, at: datetime) -> None:
        """What was taken has surely not been used: an outage must not eat up what is allowed."""
        live = [one for one in self._grants.get(chat, ()) if one.until > at]
        if live:
            min(live, key=lambda one: one.until).left += 1

    def take(self, chat: str, at: datetime) -> bool:
        """Use one, of the grant that ends first; False when none is left.

        True for a chat of which nothing is known: the platform counts.
        """
        if chat not in self._grants:
            return True
        live = [one for one in self._grants[chat] if one.until > at and one.left > 0]
        if not live:
            return False
        min(live, key=lambda one: one.until).left -= 1
        return True
