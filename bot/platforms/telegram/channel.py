"""The Telegram channel: receives by polling or webhook, sends and edits, rules nothing."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from telegram import LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError

from bot.channel import Answer, Attach, Call, Outgoing, Store
from bot.platforms.telegram.client import (
    GARBLED,
    UNAUTHORIZED,
    UNREACHABLE,
    Sleep,
    TelegramSettings,
    answered,
    connect,
    delivery_error,
    get_updates,
    is_update,
    pause,
    reason,
    unmodified,
)
from bot.platforms.telegram.files import download, note
from bot.platforms.telegram.inbound import (
    ALLOWED,
    PLATFORM,
    Heard,
    Me,
    RemoteFile,
    hear,
)
from bot.platforms.telegram.limits import LIMITS
from bot.platforms.telegram.outbound import keyboard, remote_id, split_remote_id
from matrix.core.conversation import Inbound
from matrix.core.errors import Refusal
from matrix.ports import Clock, Ids

log = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds for stopping the little clock on a button; nothing depends on it.
ANSWER_PATIENCE = 5.0

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramChannel:
    """One bot account as a Channel. ``aclose`` ends its connections."""

    platform = PLATFORM
    limits = LIMITS

    def __init__(
        self,
        settings: TelegramSettings,
        store: Store,
        attach: Attach,
        *,
        clock: Clock,
        ids: Ids,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Nothing is connected yet: Telegram may be down when the product starts."""
        self._settings = settings
        self._store = store
        self._attach = attach
        self._clock = clock
        self._ids = ids
        self._sleep = sleep
        self._bot = connect(settings)
        self._me: Me | None = None

    async def send(self, message: Outgoing) -> str:
        """Send or edit one message; returns ``chat:message``. Raises DeliveryError."""
        try:
            return await (self._edit(message) if message.edits else self._say(message))
        except TelegramError as error:
            raise delivery_error(error, self._settings.token) from None

    async def posted(self, message: Outgoing) -> None:
        """The Bot API has no call that reads back what a bot has sent."""
        del message

    async def run(self) -> None:
        """Receive until cancelled; only what ``store`` and ``attach`` raise comes out of here."""
        me = await self._patiently(self._identify)
        if self._settings.webhook_url:
            await self._patiently(self._hook)
            await asyncio.Event().wait()
        await self._patiently(self._unhook)
        offset = 0
        while True:
            poll = partial(get_updates, self._bot, self._settings, offset)
            for raw in await self._patiently(poll):
                await self._accept(raw, me)
                # Named in the next poll, and only then forgotten by Telegram.
                offset = raw["update_id"] + 1

    async def ping(self) -> str:
        """Empty, ``unreachable`` or ``unauthorized``."""
        try:
            await answered(self._bot.get_me())
        except TelegramError as error:
            return UNAUTHORIZED if reason(error) == UNAUTHORIZED else UNREACHABLE
        return ""

    async def called(self, call: Call) -> Answer:
        """A pushed update."""
        if call.method != "POST":
            return Answer(status=405)
        return Answer(status=await self.webhook(call.headers, call.body))

    async def webhook(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take one pushed update and return the HTTP status.

        200 only once it is stored; 403 for a wrong secret, 400 for junk, 503 while our own name
        is not known. Telegram repeats whatever is not answered with 200.
        """
        given = {name.lower(): value for name, value in headers.items()}
        secret = self._settings.webhook_secret.encode()
        shown = given.get("x-telegram-bot-api-secret-token", "").encode()
        if not secret or not hmac.compare_digest(shown, secret):
            return 403
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            return 400
        if not is_update(raw):
            return 400
        try:
            me = await self._identify()
        except TelegramError:
            return 503
        await self._accept(raw, me)
        return 200

    async def aclose(self) -> None:
        """End the connections. Sending fails from then on."""
        await self._bot.request.shutdown()

    async def _say(self, message: Outgoing) -> str:
        sent = await answered(
            self._bot.send_message(
                message.address,
                message.text,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(message.buttons),
                link_preview_options=_NO_PREVIEW,
            )
        )
        return remote_id(sent)

    async def _edit(self, message: Outgoing) -> str:
        chat, number = split_remote_id(message.edits)
        try:
            await answered(
                self._bot.edit_message_text(
                    message.text,
                    chat_id=chat,
                    message_id=number,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard(message.buttons),
                    link_preview_options=_NO_PREVIEW,
                )
            )
        except BadRequest as error:
            if not unmodified(error):
                raise
        return message.edits

    async def _identify(self) -> Me:
        """Our own name, asked once: without it no mention in a group can be recognised."""
        if self._me is None:
            user = await answered(self._bot.get_me())
            self._me = Me(id=user.id, username=user.username or "")
        return self._me

    async def _hook(self) -> None:
        await answered(
            self._bot.set_webhook(
                self._settings.webhook_url,
                secret_token=self._settings.webhook_secret,
                allowed_updates=ALLOWED,
            )
        )

    async def _unhook(self) -> None:
        await answered(self._bot.delete_webhook())

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call with back-off until it succeeds, however long Telegram is away."""
        failures = 0
        while True:
            try:
                result = await call()
            except TelegramError as error:
                failures += 1
                log.warning("telegram is failing: %s (%d times)", reason(error), failures)
                await self._sleep(pause(error, failures))
            else:
                if failures:
                    log.info("telegram answers again")
                return result

    async def _accept(self, raw: dict[str, Any], me: Me) -> None:
        """Store what one update says, then stop the clock on its button."""
        heard = self._hear(raw, me)
        if heard is None:
            return
        inbound = heard.inbound
        if heard.file is not None:
            inbound = await self._with_file(inbound, heard.file)
        await self._store(inbound)
        if inbound.kind == "button":
            await self._stop_clock(inbound.message_id.removeprefix("c:"))

    def _hear(self, raw: dict[str, Any], me: Me) -> Heard | None:
        entity_id, at = self._ids.new(), self._clock.now()
        try:
            return hear(Update.de_json(raw, self._bot), me=me, entity_id=entity_id, at=at)
        except GARBLED:
            # Acknowledged all the same: it would come again and again and hold up the others.
            log.warning("telegram update %d could not be read", raw["update_id"])
            return None

    async def _with_file(self, inbound: Inbound, remote: RemoteFile) -> Inbound:
        """The message with its file, or with a word about why the file is not there."""
        try:
            content = await download(self._bot, remote, self._sleep)
            files = (await self._attach(content, remote.name),)
        except Refusal as refusal:
            text = f"{inbound.text}\n{note(refusal.key)}".lstrip()
            return replace(inbound, text=text)
        return replace(inbound, files=files)

    async def _stop_clock(self, query: str) -> None:
        try:
            await answered(self._bot.answer_callback_query(query, read_timeout=ANSWER_PATIENCE))
        except TelegramError as error:
            log.info("telegram button was not answered: %s", reason(error))
