"""The WeCom channel: the application and its callbacks, the bot and its line; rules nothing."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.channel import Answer, Attach, Call, Outgoing, Store
from bot.platforms.wecom import application, frames, inbound, robot
from bot.platforms.wecom.client import WecomSettings
from bot.platforms.wecom.codes import Clicks
from bot.platforms.wecom.files import UNAVAILABLE, fetch, note
from bot.platforms.wecom.inbound import PLATFORM, Heard, RemoteFile
from bot.platforms.wecom.limits import LIMITS, by_bot
from bot.platforms.wecom.line import Line, Sleep
from bot.wechat.callback import CallbackBox, RejectedError
from bot.wechat.client import Api
from bot.wechat.outcomes import ApiError
from matrix.core.conversation import Inbound
from matrix.core.errors import DeliveryError, Refusal
from matrix.ports import Clock, Ids

LOG = logging.getLogger(__name__)

# Seconds for the files of a callback: it must be answered within five.
_FILE_PATIENCE = 3.5
# Tries to store what came over the line, which nobody will repeat.
_TRIES = 5


class WecomChannel:
    """One corporation as a Channel; see ``limits`` for the forms of an address."""

    platform = PLATFORM
    limits = LIMITS

    def __init__(
        self,
        settings: WecomSettings,
        api: Api | None,
        store: Store,
        attach: Attach,
        *,
        clock: Clock,
        ids: Ids,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Nothing is connected yet. ``api`` is None where only the bot is configured."""
        self._settings = settings
        self._api = api
        self._store = store
        self._attach = attach
        self._clock = clock
        self._ids = ids
        self._sleep = sleep
        self._clicks = Clicks()
        self._box: CallbackBox | None = None
        if settings.listens:
            self._box = CallbackBox(
                token=settings.token, aes_key=settings.aes_key, receiver=settings.corp_id,
                now=clock.now,
            )  # fmt: skip
        self._coming: set[asyncio.Task[None]] = set()
        self.line: Line | None = None
        if settings.bot_id:
            self.line = Line(
                settings.bot_id, settings.bot_secret, settings.bot_url, self._pushed,
                sleep=sleep,
            )  # fmt: skip

    # ---- out

    async def send(self, message: Outgoing) -> str:
        """Send or edit one message; see ``outbound.Remote`` for the id. Raises DeliveryError."""
        settings, clicks = self._settings, self._clicks
        if by_bot(message.address):
            if self.line is None:
                raise DeliveryError("not-configured", permanent=True)
            if message.edits:
                return await robot.edit(self.line, settings.done, message, clicks)
            return await robot.say(self.line, message)
        if self._api is None:
            raise DeliveryError("not-configured", permanent=True)
        if message.edits:
            return await application.edit(self._api, settings, message, clicks)
        return await application.say(self._api, settings, message)

    async def posted(self, message: Outgoing) -> None:
        """Nothing can be read back; texts and cards carry a key instead."""
        del message

    # ---- in

    async def run(self) -> None:
        """Keep the bot's line up; callbacks come by HTTP."""
        await (self.line.run() if self.line else asyncio.Event().wait())

    async def called(self, call: Call) -> Answer:
        """A callback of the application: proved, stored, then acknowledged."""
        if self._box is None:
            return Answer(status=404)
        try:
            if call.method == "GET":
                return Answer(body=self._box.encrypted_echo(call.query).encode())
            heard = self._hear(self._box.open(call.query, call.body))
        except RejectedError as rejected:
            LOG.info("wecom callback refused: %s", rejected.why)
            return Answer(status=403)
        except (LookupError, TypeError, ValueError):
            return Answer(status=400)
        if heard is not None:
            self._clicks.keep(heard.task, heard.code)
            await self._store(await self._with_files(heard, _FILE_PATIENCE))
        return Answer(body=b"success")

    def _hear(self, fields: Mapping[str, Any]) -> Heard | None:
        if fields.get("ToUserName") != self._settings.corp_id:
            raise RejectedError("receiver")
        return inbound.hear(fields, self._ids.new(), self._clock.now())

    async def _pushed(self, frame: Mapping[str, Any]) -> None:
        """One frame of the bot's line."""
        try:
            heard = frames.hear(frame, self._ids.new(), self._clock.now())
        except (LookupError, TypeError, AttributeError, ValueError):
            LOG.warning("a frame of the bot's line could not be read")
            return
        if heard is None:
            return
        self._clicks.keep(heard.task, heard.code)
        if not heard.files:
            await self._keep(heard.inbound)
            return
        # A slow file must not hold up the line.
        task = asyncio.create_task(self._fetch_and_keep(heard))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _fetch_and_keep(self, heard: Heard) -> None:
        await self._keep(await self._with_files(heard, None))

    async def _keep(self, message: Inbound) -> None:
        for tries in range(1, _TRIES + 1):
            try:
                await self._store(message)
            except Exception:
                LOG.exception("a message of the bot's line was not kept (%d)", tries)
                await self._sleep(2.0**tries)
            else:
                return

    async def _with_files(self, heard: Heard, patience: float | None) -> Inbound:
        """The message with its files, or with a word about why one is not there."""
        kept, missing = [], ""
        for one in heard.files:
            try:
                async with asyncio.timeout(patience):
                    content = await self._content(one)
                kept.append(await self._attach(content, one.name))
            except Refusal as refusal:
                missing = refusal.key
            except (TimeoutError, ApiError):
                missing = UNAVAILABLE
        message = replace(heard.inbound, files=tuple(kept))
        if not missing or kept:
            return message
        return replace(message, text=f"{message.text}\n{note(missing)}".lstrip())

    async def _content(self, one: RemoteFile) -> bytes:
        if one.url:
            return await fetch(one.url, one.aes_key, test=self._settings.test)
        if self._api is None:
            raise Refusal(UNAVAILABLE)
        return await self._api.download("media/get", {"media_id": one.media_id})

    # ---- about it

    async def ping(self) -> str:
        """Empty, or what is wrong with the application, the bot's line, or both."""
        faults = [await self._api.reachable() if self._api else "", self._line_fault()]
        return "; ".join(filter(None, faults))

    def _line_fault(self) -> str:
        return f"bot {self.line.fault}" if self.line and self.line.fault else ""

    async def aclose(self) -> None:
        """End the connections."""
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        if self._api is not None:
            await self._api.aclose()
