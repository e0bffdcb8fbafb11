"""The official accounts as one channel: every callback answered in time, every answer delivered.

A message's request waits for its answer and carries it back. What comes too late, or unasked, is a
customer-service message while the person's own doings allow one; what may not go now waits and
goes with the answer to the person's next message.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.channel import REPLIED, Attach, Limits, Outgoing, Store
from bot.platforms.wechat_official.account import OfficialAccount
from bot.platforms.wechat_official.allowance import Allowances
from bot.platforms.wechat_official.inbound import (
    PLATFORM,
    RESULTS,
    Heard,
    Media,
    hear,
    split_address,
)
from bot.platforms.wechat_official.limits import LIMITS, MEDIA_WITHIN, REPLY_WITHIN
from bot.platforms.wechat_official.posts import Notes, Posts
from bot.platforms.wechat_official.rendezvous import Rendezvous
from bot.wechat.callback import RejectedError, text_reply
from bot.wechat.outcomes import ApiError
from matrix.core.conversation import Inbound
from matrix.core.delivery import WAITS
from matrix.core.errors import DeliveryError, Refusal
from matrix.ports import Clock, Ids

LOG = logging.getLogger("piyao.wechat")

Again = Callable[[Inbound, Limits], Awaitable[str]]
"""What the ledger says was answered to a message that comes once more."""

# Nothing but the person's next message lets it go.
_LONG = timedelta(days=365)

# 48 h are over, five are used: counted otherwise than by us.
_CLOSED = frozenset({45015, 45047})
_NOT_GRANTED = 48001


@dataclass(frozen=True, slots=True)
class Answer:
    """What a callback is answered with."""

    status: int
    body: str = ""


_SUCCESS = Answer(200, "success")
_REFUSED = Answer(403)


class OfficialChannel:
    """All configured accounts. An address is ``account:openid``, or ``account`` for a post."""

    platform = PLATFORM
    limits = LIMITS

    def __init__(
        self,
        accounts: Sequence[OfficialAccount],
        store: Store,
        attach: Attach,
        again: Again,
        notes: Notes,
        *,
        clock: Clock,
        ids: Ids,
        hello: str,
        patience: float = REPLY_WITHIN,
    ) -> None:
        """``hello`` is the word that a new follower stands for; nothing is connected yet."""
        self._accounts = {one.name: one for one in accounts}
        self._store = store
        self._attach = attach
        self._again = again
        self._clock = clock
        self._ids = ids
        self._hello = hello
        self._patience = patience
        self._posts = {one.name: Posts(one, notes, clock) for one in accounts}
        self._rendezvous = Rendezvous()
        self._allowances = Allowances()
        self.rejected: Counter[str] = Counter()

    async def send(self, message: Outgoing) -> str:
        """One message or one post; returns ``reply:…``, ``custom:…`` or what the post is called.

        Raises DeliveryError; its code is ``WAITS`` where only the person's next message helps.
        """
        name, openid = split_address(message.address)
        account = self._accounts.get(name)
        if account is None:
            raise DeliveryError("unknown-account", permanent=True)
        if not openid:
            return await self._posts[name].send(message)
        if message.answers and self._rendezvous.give(message.answers, message.text):
            return REPLIED + message.answers
        if not account.speaks or not self._allowances.take(message.address, self._clock.now()):
            raise DeliveryError(WAITS, retry_after=_LONG)
        return await self._custom(account, openid, message)

    async def _custom(self, account: OfficialAccount, openid: str, message: Outgoing) -> str:
        try:
            await account.say(openid, message.text)
        except ApiError as error:
            if error.errcode in _CLOSED:
                self._allowances.closed(message.address)
            elif error.errcode == _NOT_GRANTED:
                account.speaks = False
                LOG.warning("account %s may not send customer-service messages", account.name)
            else:
                raise
            raise DeliveryError(WAITS, retry_after=_LONG) from None
        return f"custom:{message.key}"

    async def posted(self, message: Outgoing) -> str | None:
        """Whether it is there.

        Who asked again was given it again; of a customer-service message nobody can say.
        """
        name, openid = split_address(message.address)
        if not openid and name in self._posts:
            return await self._posts[name].posted(message)
        if message.answers and self._rendezvous.given(message.answers):
            return REPLIED + message.answers
        return None

    async def run(self) -> None:
        """Messages come as callbacks."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Empty, or which accounts cannot have a token, without secrets."""
        faults = [(one.name, await one.api.reachable()) for one in self._accounts.values()]
        return "；".join(f"{name}: {fault}" for name, fault in faults if fault)

    async def aclose(self) -> None:
        """End the connections."""
        for one in self._accounts.values():
            one.api.close()

    async def verify(self, name: str, query: Mapping[str, str]) -> Answer:
        """The URL verification (GET): 200 with ``echostr``, else 403."""
        account = self._accounts.get(name)
        if account is None:
            return Answer(404)
        try:
            return Answer(200, account.box.echo(query))
        except RejectedError as error:
            return self._reject(error)

    async def webhook(self, name: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Take one callback (POST) and say what it is answered with, within five seconds.

        200 only once it is stored; 403 for everything that is not signed, fresh and ours.
        What ``store`` raises comes out: WeChat then sends it again.
        """
        account = self._accounts.get(name)
        if account is None:
            return Answer(404)
        began = asyncio.get_running_loop().time()
        try:
            fields = account.box.open(query, body)
        except RejectedError as error:
            return self._reject(error)
        if str(fields.get("Event", "")).lower() in RESULTS:
            await self._posts[name].heard(fields)
            return _SUCCESS
        heard = hear(
            fields, account=name, hello=self._hello, entity_id=self._ids.new(),
            at=self._clock.now(),
        )  # fmt: skip
        if heard is None:
            return _SUCCESS
        text = await self._heard(account, heard, began)
        if not text:
            return _SUCCESS
        reply = text_reply(
            to=str(fields["FromUserName"]), sender=str(fields.get("ToUserName", "")), text=text,
            at=self._clock.now(),
        )  # fmt: skip
        return Answer(200, account.box.seal(reply, query.get("nonce", "")))

    def _reject(self, error: RejectedError) -> Answer:
        self.rejected[error.why] += 1
        LOG.info("a callback was refused: %s", error.why)
        return _REFUSED

    async def _heard(self, account: OfficialAccount, heard: Heard, began: float) -> str:
        """Store what was said; the answer, if it is there in time."""
        inbound = heard.inbound
        if inbound is None:
            self._allow(heard)
            return ""
        message_id = inbound.message_id
        if (given := self._rendezvous.given(message_id)) is not None:
            # The first answer may not have arrived: the same again, also when it was "success".
            return given
        hurry = account.speaks and self._rendezvous.crowded
        with self._rendezvous.waiting(message_id) as answer:
            if heard.media is not None:
                inbound = await self._with_file(account, inbound, heard.media)
            if await self._store(inbound):
                self._allow(heard)
            elif said := await self._again(inbound, self.limits):
                self._rendezvous.remember(message_id, said)
                return said
            left = began + self._patience - asyncio.get_running_loop().time()
            if not hurry:
                await asyncio.wait([answer], timeout=max(0.0, left))
            if answer.done():
                return answer.result()
            self._rendezvous.remember(message_id, "")
            return ""

    def _allow(self, heard: Heard) -> None:
        if heard.left:
            self._allowances.closed(heard.chat)
        elif heard.allows is not None:
            self._allowances.granted(heard.chat, heard.allows, self._clock.now())

    async def _with_file(self, account: OfficialAccount, inbound: Inbound, media: Media) -> Inbound:
        """The message with its file, or with a word about why the file is not there."""
        try:
            content = await account.media(media.media_id, MEDIA_WITHIN)
            files = (await self._attach(content, media.name),)
        except Refusal as refusal:
            return replace(inbound, text=f"{inbound.text}\n[file:{refusal.key}]".lstrip())
        return replace(inbound, files=files)


def menu_of(entries: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Labels and the words that a click stands for. Source: 自定义菜单, official docs 2026-11."""
    return {"button": [{"type": "click", "name": name, "key": word} for name, word in entries]}
