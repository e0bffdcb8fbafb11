"""The customer groups of the WeCom double: tasks that wait for their owner's tap.

Source: path/92135 (create), 93338 (results), 96355 and 97610 (remind, cancel).
"""

from collections.abc import Iterable
from typing import Any

from tests.doubles.wechat_wire import Answer, Call, Refused, WechatWire
from tests.doubles.wecom_world import CustomerGroup, MassTask, Member

TEXT = 4000
"""Bytes of a text."""
REMINDERS, DAY = 3, 24 * 3600
NOT_SENT, SENT, NOT_A_FRIEND, LIMIT = 0, 1, 2, 3


class CustomerGroups(WechatWire):
    """Owners do nothing until ``confirm``; ``leave`` takes one out of the corporation."""

    members: dict[str, Member]

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.groups: dict[str, CustomerGroup] = {}
        self.mass: dict[str, MassTask] = {}
        self.page = 1000
        """Rows of one page of results: small ones prove that all pages are read."""

    def now(self) -> float:
        raise NotImplementedError

    def add_group(self, chat_id: str, owner: str, name: str = "") -> None:
        self.groups[chat_id] = CustomerGroup(chat_id=chat_id, owner=owner, name=name)

    # ---- what owners do in their client

    def confirm(self, owner: str, only: Iterable[str] | None = None) -> int:
        """The owner taps 发送 on everything that waits; returns how many groups got it."""
        count = 0
        for task in self.mass.values():
            if task.owner != owner or task.cancelled:
                continue
            chosen = set(task.chats if only is None else only) - set(task.sent)
            for chat in chosen & set(task.chats):
                count += self._hand(task, chat)
            task.confirmed = True
        return count

    def _hand(self, task: MassTask, chat: str) -> bool:
        group = self.groups[chat]
        if group.month_full:
            task.sent[chat] = (LIMIT, self.now())
            return False
        group.got.append((task.text, self.now()))
        task.sent[chat] = (SENT, self.now())
        return True

    def leave(self, owner: str) -> None:
        self.members[owner].left = True

    # ---- the API

    def group_answers(self) -> dict[str, Answer]:
        root = "externalcontact/"
        return {
            f"{root}add_msg_template": self._create,
            f"{root}get_groupmsg_send_result": self._results,
            f"{root}get_groupmsg_task": self._tasks,
            f"{root}get_groupmsg_list_v2": self._list,
            f"{root}remind_groupmsg_send": self._remind,
            f"{root}cancel_groupmsg_send": self._cancel,
            f"{root}groupchat/list": self._chats,
            f"{root}groupchat/get": self._chat,
        }

    def _create(self, call: Call) -> dict[str, Any]:
        body = call.body
        text = body.get("text", {}).get("content", "")
        if body.get("chat_type") != "group" or not body.get("sender"):
            raise Refused(40058, "sender is required for group")
        if not text or len(text.encode()) > TEXT:
            raise Refused(40058, "text.content invalid size")
        owner = self.members.get(body["sender"])
        if owner is None or owner.left:
            raise Refused(40003, "invalid sender")
        asked = body.get("chat_id_list") or [
            one.chat_id for one in self.groups.values() if one.owner == owner.userid
        ]
        good = [c for c in asked if c in self.groups and self.groups[c].owner == owner.userid]
        failed = [chat for chat in asked if chat not in good]
        if not good:
            raise Refused(41048, "no customer group to send", fail_list=failed)
        made = MassTask(
            msgid=self.name("mass"), owner=owner.userid, chats=tuple(good), text=text,
            created=self.now(),
        )  # fmt: skip
        self.mass[made.msgid] = made
        return {"errcode": 0, "errmsg": "ok", "fail_list": failed, "msgid": made.msgid}

    def _task(self, call: Call) -> MassTask:
        task = self.mass.get(call.body.get("msgid", ""))
        if task is None:
            raise Refused(40058, "msgid not found")
        return task

    def _results(self, call: Call) -> dict[str, Any]:
        """Of groups only those are returned that have been sent to."""
        task = self._task(call)
        if call.body.get("userid") != task.owner:
            raise Refused(40058, "userid is not in the task")
        rows = [
            {"chat_id": chat, "userid": task.owner, "status": status, "send_time": int(at)}
            for chat, (status, at) in task.sent.items()
        ]
        return self._paged(call, "send_list", rows)

    def _tasks(self, call: Call) -> dict[str, Any]:
        task = self._task(call)
        rows = []
        if not self.members[task.owner].left:
            row: dict[str, Any] = {"userid": task.owner, "status": 2 if task.confirmed else 0}
            rows.append(row)
        return self._paged(call, "task_list", rows)

    def _paged(self, call: Call, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        begin = int(call.body.get("cursor") or 0)
        size = min(int(call.body.get("limit") or 500), self.page)
        end = begin + size
        more = {"next_cursor": str(end)} if end < len(rows) else {"next_cursor": ""}
        return {"errcode": 0, "errmsg": "ok", name: rows[begin:end], **more}

    def _list(self, call: Call) -> dict[str, Any]:
        body = call.body
        if int(body["end_time"]) - int(body["start_time"]) > 31 * DAY:
            raise Refused(40058, "time range exceeds one month")
        rows = [
            {
                "msgid": one.msgid, "creator": "", "create_time": str(int(one.created)),
                "create_type": 1, "text": {"content": one.text}, "attachments": [],
            }
            for one in self.mass.values()
            if int(body["start_time"]) <= one.created <= int(body["end_time"])
        ]  # fmt: skip
        return self._paged(call, "group_msg_list", rows)

    def _remind(self, call: Call) -> None:
        task = self._task(call)
        task.reminded = [at for at in task.reminded if at > self.now() - DAY]
        if len(task.reminded) >= REMINDERS:
            raise Refused(41094, "remind exceeds limit")
        task.reminded.append(self.now())

    def _cancel(self, call: Call) -> None:
        self._task(call).cancelled = True

    def _chats(self, call: Call) -> dict[str, Any]:
        wanted = set(call.body.get("owner_filter", {}).get("userid_list", []))
        rows = [
            {"chat_id": one.chat_id, "status": 0}
            for one in self.groups.values()
            if not wanted or one.owner in wanted
        ]
        return self._paged(call, "group_chat_list", rows)

    def _chat(self, call: Call) -> dict[str, Any]:
        group = self.groups.get(call.body.get("chat_id", ""))
        if group is None:
            raise Refused(40050, "invalid chat_id")
        found = {"chat_id": group.chat_id, "name": group.name, "owner": group.owner}
        return {"errcode": 0, "errmsg": "ok", "group_chat": {**found, "member_list": []}}
