"""Bulletins as articles of an account: draft, then 发布 or 群发, and what became of them.

Each step is noted before it is taken. A draft is seen by nobody, so it may be tried again (the
marker finds the first). Publishing is public: after an unknown outcome it is read back by its
publish id, by the list of publications, by the draft that is gone or still there; a mass sending
carries a clientmsgid, which the platform takes once in 24 hours.
Source: shared reference platforms.md §4 and §9 (草稿箱, 发布能力, 群发, official docs 2026-11).
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.channel import Notes, Outgoing
from bot.platforms.wechat_official.account import OfficialAccount
from bot.platforms.wechat_official.outbound import (
    address_of,
    article,
    found,
    marker,
    mass_address,
)
from bot.wechat.outcomes import ApiError
from matrix.core.errors import DeliveryError
from matrix.ports import Clock
from matrix.triage.calendar import LOCAL

# Seconds between the looks at a publication under way; few, for a day has 100 of them.
LOOKS = (0.0, 3.0, 10.0, 20.0)
# A draft that is still in the box this long after 发布 was asked for was never taken.
_NOT_TAKEN = timedelta(minutes=3)
# A publication that nobody finds this long after is for a person.
_LOST = timedelta(minutes=30)
# A clientmsgid is remembered for 24 hours; an hour less for clocks that differ.
_REMEMBERED = timedelta(hours=23)
# Newest entries of a list that are looked through.
_LAST = 20

_DONE, _UNDER_WAY = 0, 1
_KNOWN_ID, _NO_QUOTA = 45065, 45028


class Posts:
    """The articles of one account."""

    def __init__(
        self,
        account: OfficialAccount,
        notes: Notes,
        clock: Clock,
        looks: tuple[float, ...] = LOOKS,
    ) -> None:
        """``looks`` are the pauses before each look at what is under way."""
        self._account = account
        self._api = account.api
        self._notes = notes
        self._clock = clock
        self._looks = looks
        self._news = asyncio.Event()

    async def send(self, message: Outgoing) -> str:
        """Publish or send; the article's address. Raises DeliveryError."""
        if not self._account.settings.post:
            raise DeliveryError("no-post", permanent=True)
        note = await self._notes.read(message.key)
        mass = self._account.settings.post == "mass"
        if "job" not in note:
            media = await self._draft(message, note)
            await (self._mass(message, media, note) if mass else self._submit(message, media))
        return await self._waited(message)

    async def posted(self, message: Outgoing) -> str | None:
        """Its address; empty when it surely is not out; None when nobody can say.

        Raises DeliveryError: *permanent* when it has failed for good, else to be asked again.
        """
        note = await self._notes.read(message.key)
        if "asked_at" not in note:
            return ""
        if "job" in note:
            return await self._state(message.key, note)
        if self._account.settings.post == "mass":
            # The same clientmsgid again is not sent twice, while the platform remembers it.
            sure = self._waited_for(note) < _REMEMBERED and not note.get("unsure")
            return "" if sure else None
        return await self._looked_for(message, note)

    async def heard(self, fields: Mapping[str, Any]) -> None:
        """A result has come as an event: whoever waits looks again."""
        if number := str(fields.get("MsgID") or ""):
            await self._notes.write(
                f"mass:{number}", status=str(fields.get("Status", "")), url=mass_address(fields)
            )
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _draft(self, message: Outgoing, note: Mapping[str, Any]) -> str:
        """A draft of it in the box: the one of an earlier try, or a new one."""
        code = marker(message.key)
        media = str(note.get("media", ""))
        if not media and note.get("drafting"):
            media, _ = found(await self._list("draft"), code)
        if media:
            return media
        await self._notes.write(message.key, drafting=True)
        made = article(message.text, message.key, self._account.settings.cover)
        try:
            # Nobody sees a draft: a second one does no harm.
            added = await self._api.call(lambda client: client.draft.add([made]), repeatable=True)
        except ApiError as error:
            if error.unknown:
                raise DeliveryError(f"draft-{error.code}") from None
            raise
        return str(added["media_id"])

    async def _submit(self, message: Outgoing, media: str) -> None:
        at = self._clock.now().isoformat()
        await self._notes.write(message.key, media=media, asked_at=at)
        try:
            made = await self._api.call(lambda client: client.freepublish.submit(media))
        except ApiError as error:
            if not error.unknown:
                await self._notes.write(message.key, media=media)
            raise
        await self._notes.write(message.key, media=media, asked_at=at, job=str(made["publish_id"]))

    async def _mass(self, message: Outgoing, media: str, note: Mapping[str, Any]) -> None:
        period, limit, pause = self._quota()
        again = "asked_at" in note
        if not again and await self._notes.used(period) >= limit:
            raise DeliveryError("mass-quota", retry_after=pause)
        if again and self._waited_for(note) >= _REMEMBERED:
            # The key is forgotten: sent again, it might be there twice. A person looks.
            await self._notes.write(
                message.key, media=media, asked_at=note["asked_at"], unsure=True
            )
            raise DeliveryError("mass-old", unknown=True)
        # Of several tries the first began the hours for which the platform remembers the key.
        at = str(note["asked_at"] if again else self._clock.now().isoformat())
        await self._notes.write(message.key, media=media, asked_at=at)
        try:
            job = await self._mass_job(message, media)
        except ApiError as error:
            no_quota = error.errcode == _NO_QUOTA
            if no_quota and again:
                # The first try may be what has used it up: a person looks.
                await self._notes.write(message.key, media=media, asked_at=at, unsure=True)
                raise DeliveryError("mass-quota", unknown=True) from None
            if not (error.unknown or again):
                await self._notes.write(message.key, media=media)
            if no_quota:
                raise DeliveryError("mass-quota", retry_after=pause) from None
            raise
        await self._notes.use(period)
        await self._notes.write(message.key, media=media, asked_at=at, job=job)

    async def _mass_job(self, message: Outgoing, media: str) -> str:
        """The number of the mass sending, of this try or of an earlier one. Raises ApiError."""
        body = {
            "filter": {"is_to_all": True},
            "mpnews": {"media_id": media},
            "msgtype": "mpnews",
            "send_ignore_reprint": 0,
            "clientmsgid": message.key[:32],
        }
        try:
            made = await self._api.call(
                lambda client: client.post("message/mass/sendall", data=body)
            )
        except ApiError as error:
            if error.errcode != _KNOWN_ID:
                raise
            made = dict(error.result)
        return str(made["msg_id"])

    def _quota(self) -> tuple[str, int, timedelta]:
        """The period's name, how many it has, how long until the next.

        A 订阅号 has one a day, a 服务号 four a month for each follower.
        """
        local = self._clock.now().astimezone(LOCAL)
        midnight = local.replace(hour=0, minute=1, second=0, microsecond=0)
        name = f"mass:{self._account.name}"
        if self._account.settings.kind == "subscription":
            return f"{name}:{local:%Y-%m-%d}", 1, midnight + timedelta(days=1) - local
        following = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
        return f"{name}:{local:%Y-%m}", 4, following - local

    async def _waited(self, message: Outgoing) -> str:
        """The address, once the platform is done. Raises DeliveryError."""
        news = self._news
        for pause in self._looks:
            if pause:
                with_news = asyncio.create_task(news.wait())
                await asyncio.wait([with_news], timeout=pause)
                with_news.cancel()
            # Taken before the platform is asked: what is heard meanwhile ends the next wait.
            news = self._news
            note = await self._notes.read(message.key)
            try:
                return await self._state(message.key, note)
            except DeliveryError as error:
                if error.permanent:
                    raise
        # Accepted, and not out yet: the platform is asked again by the clock.
        raise DeliveryError("under-way", unknown=True)

    async def _state(self, key: str, note: Mapping[str, Any]) -> str:
        """The address. Raises DeliveryError: *permanent* when it failed, else it is under way."""
        if self._account.settings.post == "mass":
            return await self._mass_state(str(note["job"]))
        answer = await self._read(lambda client: client.freepublish.get(note["job"]))
        status = int(answer.get("publish_status", _UNDER_WAY))
        if status == _UNDER_WAY:
            raise DeliveryError("under-way")
        if status != _DONE:
            await self._notes.write(key)
            raise DeliveryError(f"publish-{status}", permanent=True)
        return address_of(answer) or f"article:{answer.get('article_id', '')}"

    async def _mass_state(self, number: str) -> str:
        event = await self._notes.read(f"mass:{number}")
        if not event:
            answer = await self._read(
                lambda client: client.post("message/mass/get", data={"msg_id": number})
            )
            event = {"status": str(answer.get("msg_status", ""))}
        status = event["status"].lower().replace("_", " ")
        if status == "sending":
            # An administrator has 30 minutes to confirm.
            raise DeliveryError("under-way")
        if status not in {"send success", "sendsuccess"}:
            raise DeliveryError(f"mass-{status}"[:40], permanent=True)
        return str(event.get("url") or f"mass:{number}")

    async def _looked_for(self, message: Outgoing, note: Mapping[str, Any]) -> str | None:
        """After 发布 was asked for and no answer came."""
        code = marker(message.key)
        name, url = found(await self._list("freepublish"), code)
        if name:
            return url or f"article:{name}"
        waited = self._waited_for(note)
        media, _ = found(await self._list("draft"), code)
        if media and waited > _NOT_TAKEN:
            await self._notes.write(message.key, media=media)
            return ""
        if not media and waited > _LOST:
            return None
        raise DeliveryError("under-way")

    def _waited_for(self, note: Mapping[str, Any]) -> timedelta:
        return self._clock.now() - datetime.fromisoformat(str(note["asked_at"]))

    async def _list(self, kind: str) -> dict[str, Any]:
        return await self._read(lambda client: getattr(client, kind).batchget(0, _LAST))

    async def _read(self, act: Any) -> dict[str, Any]:
        """Reading moves nothing: what goes wrong is no verdict on the post."""
        try:
            answer: dict[str, Any] = await self._api.call(act, repeatable=True)
        except ApiError as error:
            raise DeliveryError(f"read-{error.code}", retry_after=error.retry_after) from None
        return answer
