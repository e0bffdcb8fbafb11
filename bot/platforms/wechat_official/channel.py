"""An official account as a channel: every callback answered in time, every answer delivered.

A message's request waits for its answer and carries it back. What comes too late, or unasked, is a
customer-service message while the person's own doings allow one; what may not go now waits and
goes with the answer to the person's next message.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.channel import REPLIED, Again, Answer, Attach, Call, Notes, Outgoing, Store
from bot.platforms.wechat_official.account import OfficialAccount
from bot.platforms.wechat_official.allowance import Allowances
from bot.platforms.wechat_official.inbound import (
    PLATFORM,
    RESULTS,
    Heard,
    Media,
    hear,
)
from bot.platforms.wechat_official.limits import LIMITS, MEDIA_WITHIN, REPLY_WITHIN
from bot.platforms.wechat_official.posts import Posts
from bot.platforms.wechat_official.rendezvous import Rendezvous
from bot.wechat.callback import BODY_LIMIT, RejectedError, text_reply
from bot.wechat.outcomes import ApiError, Family, waiting
from matrix.core.conversation import Inbound
from matrix.core.delivery import WAITS
from matrix.core.errors import DeliveryError, Refusal
from matrix.ports import Clock, Ids

LOG = logging.getLogger("piyao.wechat")

# Nothing but the person's next message lets it go.
_LONG = timedelta(days=365)

# 48 h are over, five are used: counted otherwise than by us.
_CLOSED = frozenset({45015, 45047})
_NOT_GRANTED = 48001


_SUCCESS = Answer(body=b"success")
_REFUSED = Answer(status=403)
_TOO_LARGE = Answer(status=413)


class OfficialChannel:
    """One account. An address is a person's openid, or the account's own name for a post."""

    limits = LIMITS

    def __init__(
        self,
        account: OfficialAccount,
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
        self.platform = f"{PLATFORM}@{account.name}"
        self.account = account
        self._store = store
        self._attach = attach
        self._again = again
        self._clock = clock
        self._ids = ids
        self._hello = hello
        self._patience = patience
        self._posts = Posts(account, notes, clock)
        self._rendezvous = Rendezvous()
        self._allowances = Allowances()
        self.rejected: Counter[str] = Counter()

    async def send(self, message: Outgoing) -> str:
        """One message or one post; returns ``reply:…``, ``custom:…`` or the post's address.

        Raises DeliveryError; its code is ``WAITS`` where only the person's next message helps.
        """
        if not message.conversation:
            return await self._posts.send(message)
        if message.answers and self._rendezvous.give(message.answers, message.text):
            return REPLIED + message.answers
        speaks = self.account.speaks
        if not speaks or not self._allowances.take(message.address, self._clock.now()):
            raise DeliveryError(WAITS, retry_after=_LONG)
        return await self._custom(message)

    def unanswered(self, message_id: str) -> None:
        """Nothing is said to this message: its request need not wait."""
        self._rendezvous.give(message_id, "")

    async def _custom(self, message: Outgoing) -> str:
        try:
            await self.account.say(message.address, message.text)
        except ApiError as error:
            if error.errcode in _CLOSED:
                self._allowances.closed(message.address)
            elif error.errcode == _NOT_GRANTED:
                self.account.speaks = False
                LOG.warning("%s may not send customer-service messages", self.platform)
            else:
                if not error.unknown:
                    self._allowances.give_back(message.address, self._clock.now())
                raise waiting(Family.OFFICIAL, error) from None
            raise DeliveryError(WAITS, retry_after=_LONG) from None
        return f"custom:{message.key}"

    async def posted(self, message: Outgoing) -> str | None:
        """Whether it is there.

        Who asked again was given it again; of a customer-service message nobody can say.
        """
        if not message.conversation:
            return await self._posts.posted(message)
        # Of several messages that answer the same one only this text has surely been given.
        given = self._rendezvous.given(message.answers) if message.answers else None
        if given and message.text in given:
            return REPLIED + message.answers
        return None

    async def run(self) -> None:
        """Messages come as callbacks."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Empty, or why no token can be had, without secrets."""
        return await self.account.api.reachable()

    async def aclose(self) -> None:
        """End the connections."""
        await self.account.api.aclose()

    async def called(self, call: Call) -> Answer:
        """Take one callback and say what it is answered with, within five seconds.

        GET verifies the address. POST is 200 only once it is stored; 403 for everything that is
        not signed, fresh and ours. What ``store`` raises comes out: WeChat then sends it again.
        """
        if len(call.body) > BODY_LIMIT:
            return _TOO_LARGE
        try:
            if call.method == "GET":
                return Answer(body=self.account.box.echo(call.query).encode())
            fields = self.account.box.open(call.query, call.body)
        except RejectedError as error:
            self.rejected[error.why] += 1
            LOG.info("a callback was refused: %s", error.why)
            return _REFUSED
        return await self._opened(fields, call.query.get("nonce", ""))

    async def _opened(self, fields: Mapping[str, Any], nonce: str) -> Answer:
        began = asyncio.get_running_loop().time()
        if str(fields.get("Event", "")).lower() in RESULTS:
            await self._posts.heard(fields)
            return _SUCCESS
        heard = hear(
            fields, channel=self.platform, hello=self._hello, entity_id=self._ids.new(),
            at=self._clock.now(),
        )  # fmt: skip
        text = await self._heard(heard, began) if heard is not None else ""
        if not text:
            return _SUCCESS
        reply = text_reply(
            to=str(fields["FromUserName"]), sender=str(fields.get("ToUserName", "")), text=text,
            at=self._clock.now(),
        )  # fmt: skip
        return Answer(body=self.account.box.seal(reply, nonce).encode(), kind="application/xml")

    async def _heard(self, heard: Heard, began: float) -> str:
        """Store what was said; the answer, if it is there in time."""
        inbound = heard.inbound
        if inbound is None:
            self._allow(heard)
            return ""
        message_id = inbound.message_id
        if (given := self._rendezvous.given(message_id)) is not None:
            # The first answer may not have arrived: the same again, also when it was "success".
            return given
        hurry = self.account.speaks and self._rendezvous.crowded(began)
        with self._rendezvous.waiting(message_id) as answer:
            if heard.media is not None:
                inbound = await self._with_file(inbound, heard.media)
            if await self._store(inbound):
                self._allow(heard)
            elif said := await self._again(inbound, self.limits):
                self._rendezvous.remember(message_id, said)
                return said
            if not hurry:
                await self._in_time(answer, began)
            if answer.done():
                return answer.result()
            self._rendezvous.remember(message_id, "")
            return ""

    async def _in_time(self, answer: asyncio.Future[str], began: float) -> None:
        """Wait for the answer as long as the response may wait."""
        loop = asyncio.get_running_loop()
        await asyncio.wait([answer], timeout=max(0.0, began + self._patience - loop.time()))
        if not answer.done():
            self._rendezvous.late(loop.time())

    def _allow(self, heard: Heard) -> None:
        if heard.left:
            self._allowances.closed(heard.chat)
        elif heard.allows is not None:
            self._allowances.granted(heard.chat, heard.allows, self._clock.now())

    async def _with_file(self, inbound: Inbound, media: Media) -> Inbound:
        """The message with its file, or with a word about why the file is not there."""
        try:
            content = await self.account.media(media.media_id, MEDIA_WITHIN)
            files = (await self._attach(content, media.name),)
        except Refusal as refusal:
            return replace(inbound, text=f"{inbound.text}\n[file:{refusal.key}]".lstrip())
        return replace(inbound, files=files)


def menu_of(entries: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Labels and the words that a click stands for. Source: 自定义菜单, official docs 2026-11."""
    return {"button": [{"type": "click", "name": name, "key": word} for name, word in entries]}
