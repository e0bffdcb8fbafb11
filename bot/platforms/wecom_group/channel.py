"""Tasks for the owners of customer groups: made, followed, urged, taken back."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channel import Outgoing
from bot.platforms.wecom_group.limits import (
    GROUPS,
    LIMITS,
    LISTED,
    LOOK_BACK,
    PAGE,
    PAGES,
    REFUSED,
    SENT,
)
from bot.wechat.client import Api
from matrix.broadcast.owners import GroupsSeen
from matrix.core.errors import DeliveryError
from matrix.ports import Clock

_ROOT = "externalcontact/"
_ACTS = {"remind": "remind_groupmsg_send", "cancel": "cancel_groupmsg_send"}


class WecomGroups:
    """One corporation's customer groups as a Channel. An address is an owner's member id."""

    platform = "wecom_group"
    limits = LIMITS

    def __init__(self, api: Api, *, clock: Clock) -> None:
        """``api`` is the application's that may call 客户联系."""
        self._api = api
        self._clock = clock
        self._asked: dict[str, datetime] = {}

    async def send(self, message: Outgoing) -> str:
        """Make a task, or act on one; ``msgid`` or ``msgid!refused|groups``.

        Raises DeliveryError.
        """
        if message.edits:
            await self._act(message)
            return message.edits
        if not message.address or not 0 < len(message.groups) <= GROUPS:
            raise DeliveryError("no-owner-or-groups", permanent=True)
        answer = await self._post(
            "add_msg_template",
            {
                "chat_type": "group",
                "sender": message.address,
                "chat_id_list": list(message.groups),
                "text": {"content": message.text},
            },
        )
        refused = [str(one) for one in answer.get("fail_list") or []]
        return str(answer.get("msgid") or "") + ("!" + "|".join(refused) if refused else "")

    async def _act(self, message: Outgoing) -> None:
        if message.act not in _ACTS:
            raise DeliveryError("cannot-be-changed", permanent=True)
        await self._post(_ACTS[message.act], {"msgid": _msgid(message.edits)}, repeatable=True)

    async def _post(
        self, endpoint: str, body: Mapping[str, Any], *, repeatable: bool = False
    ) -> dict[str, Any]:
        found: dict[str, Any] = await self._api.call(
            lambda client: client.post(_ROOT + endpoint, data=dict(body)), repeatable=repeatable
        )
        return found

    async def _pages(self, endpoint: str, name: str, body: Mapping[str, Any]) -> list[Any]:
        """All rows of a paged list. Raises DeliveryError."""
        rows: list[Any] = []
        cursor = ""
        for _ in range(PAGES):
            page = {**body, "limit": PAGE, "cursor": cursor}
            answer = await self._post(endpoint, page, repeatable=True)
            rows += answer.get(name) or []
            cursor = str(answer.get("next_cursor") or "")
            if not cursor:
                return rows
        raise DeliveryError("too-many-pages")

    async def seen(self, task: str, owner: str) -> GroupsSeen:
        """What has become of a task: of groups only those are returned that have an outcome."""
        body = {"msgid": _msgid(task)}
        rows = await self._pages("get_groupmsg_send_result", "send_list", {**body, "userid": owner})
        members = await self._pages("get_groupmsg_task", "task_list", body)
        sent: dict[str, datetime] = {}
        refused: dict[str, str] = {}
        for row in rows:
            chat, status = str(row.get("chat_id") or ""), row.get("status")
            if status == SENT:
                sent[chat] = datetime.fromtimestamp(int(row.get("send_time") or 0), UTC)
            elif status in REFUSED:
                refused[chat] = REFUSED[status]
        there = any(str(one.get("userid")) == owner for one in members)
        return GroupsSeen(sent=sent, refused=refused, owner_there=there)

    async def posted(self, message: Outgoing) -> str | None:
        """Look for a task with our text and this owner; None where several look alike."""
        now = self._clock.now()
        since = self._asked.setdefault(message.key, now)
        body = {
            "chat_type": "group",
            "start_time": str(int((now - LOOK_BACK).timestamp())),
            "end_time": str(int(now.timestamp())),
        }
        rows = await self._pages("get_groupmsg_list_v2", "group_msg_list", body)
        alike = [
            str(row["msgid"])
            for row in rows
            if (row.get("text") or {}).get("content") == message.text
        ]
        found = [one for one in alike if await self._is_of(one, message.address)]
        if not found and now - since < LISTED:
            raise DeliveryError("not-listed-yet")
        self._asked.pop(message.key, None)
        if len(found) > 1:
            return None
        return found[0] if found else ""

    async def _is_of(self, task: str, owner: str) -> bool:
        members = await self._pages("get_groupmsg_task", "task_list", {"msgid": task})
        return any(str(one.get("userid")) == owner for one in members)

    async def run(self) -> None:
        """Nothing comes in: results are asked for."""
        await asyncio.Event().wait()

    async def ping(self) -> str:
        """Empty when a token can be had."""
        return await self._api.reachable()

    async def aclose(self) -> None:
        """End the connections."""
        await self._api.aclose()


def _msgid(remote: str) -> str:
    return remote.partition("!")[0]
