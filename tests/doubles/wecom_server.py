"""A WeCom server on 127.0.0.1: one corporation with its application, robots and customer groups.

``async with WeCom() as api`` (api.url, api.secret). Members speak by ``say``, ``press``,
``share``, ``picture``, ``upload``: each makes the encrypted callback that WeCom would post and
hands it to ``deliver``. Source: path/90236 (send), 94945 (update), 90238-90240 (callbacks).
"""

import itertools
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.doubles import wechat_crypto
from tests.doubles.wechat_wire import Answer, Call, Refused
from tests.doubles.wecom_groups import CustomerGroups
from tests.doubles.wecom_world import (
    AES_KEY,
    AGENT,
    CONTACT_SECRET,
    CORP,
    SECRET,
    TOKEN,
    Code,
    Member,
    Sent,
    card_text,
)

TEXT = 2048
"""Bytes of a text message: what is longer is cut without a word."""
PER_MINUTE, ROBOT_PER_MINUTE = 30, 20
BUTTONS, TASK_ID = 6, 128
CODE_LASTS = 72 * 3600
_START = datetime(2026, 11, 9, 7, 5, tzinfo=UTC).timestamp()

Post = Callable[[dict[str, str], bytes], Awaitable[int]]


class WeCom(CustomerGroups):
    """``messages`` is what members see; what WeCom drops in silence lies in ``dropped``."""

    corp, agent, token, aes_key = CORP, AGENT, TOKEN, AES_KEY
    secret, contact_secret = SECRET, CONTACT_SECRET
    open_endpoints = frozenset({"gettoken", "webhook/send"})

    def __init__(self, port: int = 0, clock: Callable[[], float] | None = None) -> None:
        super().__init__(port)
        self.clock = clock
        self.members: dict[str, Member] = {}
        self.departments = {1: ("江北区", 0)}
        self.tags: dict[str, set[str]] = {}
        self.messages: list[Sent] = []
        self.dropped: list[str] = []
        self.codes: dict[str, Code] = {}
        self.task_ids: set[str] = set()
        self.media: dict[str, bytes] = {}
        self.robots: dict[str, list[tuple[str, float]]] = {}
        self.agent_closed = False
        self.hurried = False
        """No member gets too many: for stories told in seconds."""
        self.deliver: Post | None = None
        self.statuses: list[int] = []
        self._seen: dict[str, tuple[float, dict[str, Any]]] = {}
        self._serials = itertools.count(7001)
        self._pushed: list[tuple[str, float]] = []

    def now(self) -> float:
        return self.clock() if self.clock else _START + self.seconds

    def add(self, *members: Member) -> None:
        self.members.update({one.userid: one for one in members})

    def to(self, userid: str) -> list[Sent]:
        return [one for one in self.messages if one.to == userid]

    # ---- the API

    def answers(self) -> dict[str, Answer]:
        return {
            "gettoken": self._gettoken,
            "message/send": self._send,
            "message/update_template_card": self._update,
            "media/get": self._media,
            "media/upload": self._upload,
            "webhook/send": self._robot,
            "agent/get": self._agent,
            "department/list": self._departments,
            "user/list": self._users,
            "user/simplelist": self._users,
            "tag/list": self._tags,
            "tag/get": self._tag,
            **self.group_answers(),
        }

    def _gettoken(self, call: Call) -> dict[str, Any]:
        if call.query.get("corpid") != self.corp:
            raise Refused(40013, "invalid corpid")
        if call.query.get("corpsecret") not in {self.secret, self.contact_secret}:
            raise Refused(40001, "invalid credential")
        return {"errcode": 0, "errmsg": "ok", "access_token": self.live_token(), "expires_in": 7200}

    def _agent(self, call: Call) -> dict[str, Any]:
        if call.query.get("agentid") != self.agent:
            raise Refused(301002, "not allow operate another agent with this accesstoken")
        users = [{"userid": one.userid} for one in self.members.values() if one.visible]
        return {
            "errcode": 0, "errmsg": "ok", "agentid": int(self.agent), "name": "辟谣矩阵",
            "close": int(self.agent_closed), "allow_userinfos": {"user": users},
        }  # fmt: skip

    def _send(self, call: Call) -> dict[str, Any]:
        body = call.body
        if str(body.get("agentid")) != self.agent:
            raise Refused(40056, "invalid agentid")
        repeated = self._repeated(body)
        if repeated is not None:
            return repeated
        asked = [one for one in str(body.get("touser", "")).split("|") if one]
        if asked == ["@all"]:
            asked = [one.userid for one in self.members.values() if one.visible]
        good = [one for one in asked if self._reachable(one)]
        unlicensed = [one for one in good if not self.members[one].licensed]
        invalid = [one for one in asked if one not in good]
        good = [one for one in good if one not in unlicensed]
        if not good:
            raise Refused(81013, "all invalid")
        answer = self._post(body, good)
        answer |= {"invaliduser": "|".join(invalid), "unlicenseduser": "|".join(unlicensed)}
        if body.get("enable_duplicate_check"):
            lasts = int(body.get("duplicate_check_interval", 1800))
            self._seen[json.dumps(body, sort_keys=True)] = (self.now() + lasts, answer)
        return answer

    def _repeated(self, body: dict[str, Any]) -> dict[str, Any] | None:
        until, answer = self._seen.get(json.dumps(body, sort_keys=True), (0.0, {}))
        checked = bool(body.get("enable_duplicate_check"))
        return answer if checked and until > self.now() else None

    def _reachable(self, userid: str) -> bool:
        one = self.members.get(userid)
        return one is not None and one.visible and not one.left

    def _post(self, body: dict[str, Any], users: list[str]) -> dict[str, Any]:
        kind, msgid = body["msgtype"], self.name("msg")
        answer = {"errcode": 0, "errmsg": "ok", "msgid": msgid}
        card: dict[str, Any] = {}
        if kind == "template_card":
            card = self._checked(body["template_card"])
            answer["response_code"] = self._code(card["task_id"], tuple(users))
            text = card_text(card)
        else:
            text = _cut(body[kind]["content"], TEXT)
            if not text:
                raise Refused(44004, "empty content")
        for user in users:
            if self._too_many(user):
                self.dropped.append(user)
            else:
                self.messages.append(
                    Sent(msgid=msgid, to=user, kind=kind, text=text, card=dict(card))
                )
        return answer

    def _too_many(self, user: str) -> bool:
        self._pushed = [one for one in self._pushed if one[1] > self.now() - 60]
        self._pushed.append((user, self.now()))
        often = sum(name == user for name, _ in self._pushed) > PER_MINUTE
        return often and not self.hurried

    def _checked(self, card: dict[str, Any]) -> dict[str, Any]:
        task = card.get("task_id", "")
        bad = not task or len(task.encode()) > TASK_ID or task in self.task_ids
        if bad or not all(c.isascii() and (c.isalnum() or c in "_-@") for c in task):
            raise Refused(42014, "taskid has existed or empty or exceed max len")
        _check_card(card)
        self.task_ids.add(task)
        return card

    def _code(self, task: str, users: tuple[str, ...]) -> str:
        code = self.name("code")
        self.codes[code] = Code(task=task, users=users, until=self.now() + CODE_LASTS)
        return code

    def _update(self, call: Call) -> None:
        code = self.codes.get(call.body.get("response_code", ""))
        if code is None or code.used or code.until <= self.now():
            raise Refused(40096, "invalid response_code")
        card = call.body.get("template_card")
        if card is None:
            raise Refused(40058, "template_card missing")
        _check_card(card)
        code.used = True
        users = call.body.get("userids") or code.users
        for one in self.messages:
            if one.card.get("task_id") == code.task and one.to in users:
                one.edits.append(dict(one.card))
                one.card = {**card, "task_id": code.task}
                one.text = card_text(card)

    def _media(self, call: Call) -> web.Response:
        found = self.media.get(call.query.get("media_id", ""))
        if found is None:
            raise Refused(40007, "invalid media_id")
        named = {"Content-Disposition": 'attachment; filename="a.bin"'}
        return web.Response(body=found, content_type="application/octet-stream", headers=named)

    def _upload(self, call: Call) -> dict[str, Any]:
        media = self.name("media")
        self.media[media] = call.files["media"]
        return {"errcode": 0, "errmsg": "ok", "type": call.query["type"], "media_id": media}

    def _robot(self, call: Call) -> None:
        """消息推送: 20 a minute, bytes, no token but the key in the address."""
        posted = self.robots.get(call.query.get("key", ""))
        if posted is None:
            raise Refused(93000, "invalid webhook url")
        if sum(at > self.now() - 60 for _, at in posted) >= ROBOT_PER_MINUTE:
            raise Refused(45009, "api freq out of limit")
        text = call.body[call.body["msgtype"]]["content"]
        if len(text.encode()) > TEXT:
            raise Refused(40058, "text.content exceed max length")
        posted.append((text, self.now()))

    def _departments(self, call: Call) -> dict[str, Any]:
        rows = [
            {"id": number, "name": name, "parentid": parent, "order": number}
            for number, (name, parent) in self.departments.items()
        ]
        return {"errcode": 0, "errmsg": "ok", "department": rows}

    def _users(self, call: Call) -> dict[str, Any]:
        wanted = int(call.query["department_id"])
        rows = [
            {
                "userid": one.userid, "name": one.name, "position": one.position,
                "department": list(one.departments), "status": 1,
                "is_leader_in_dept": [int(lead) for lead in one.departments.values()],
            }
            for one in self.members.values()
            if wanted in one.departments and one.visible and not one.left
        ]  # fmt: skip
        return {"errcode": 0, "errmsg": "ok", "userlist": rows}

    def _tags(self, call: Call) -> dict[str, Any]:
        rows = [{"tagid": n, "tagname": name} for n, name in enumerate(self.tags, 1)]
        return {"errcode": 0, "errmsg": "ok", "taglist": rows}

    def _tag(self, call: Call) -> dict[str, Any]:
        name = list(self.tags)[int(call.query["tagid"]) - 1]
        rows = [{"userid": one, "name": self.members[one].name} for one in sorted(self.tags[name])]
        return {"errcode": 0, "errmsg": "ok", "tagname": name, "userlist": rows, "partylist": []}

    # ---- what members do

    async def say(self, userid: str, text: str) -> dict[str, str]:
        return await self.push(userid, "text", Content=text)

    async def picture(self, userid: str, content: bytes) -> dict[str, str]:
        media = self.name("media")
        self.media[media] = content
        return await self.push(userid, "image", PicUrl="http://127.0.0.1/x.jpg", MediaId=media)

    async def upload(self, userid: str, content: bytes, name: str) -> dict[str, str]:
        media = self.name("media")
        self.media[media] = content
        return await self.push(userid, "file", MediaId=media, Title=name)

    async def share(self, userid: str, title: str, url: str, about: str = "") -> dict[str, str]:
        return await self.push(userid, "link", Title=title, Description=about, Url=url, PicUrl="")

    async def press(self, sent: Sent, label: str) -> dict[str, str]:
        """A tap on a button: the event carries a new response code."""
        task = sent.card["task_id"]
        return await self.push(
            sent.to, "event", Event="template_card_event", EventKey=sent.keys[label], TaskId=task,
            CardType=sent.card["card_type"], ResponseCode=self._code(task, (sent.to,)),
        )  # fmt: skip

    async def push(self, userid: str, kind: str, **fields: str) -> dict[str, str]:
        """Make one callback and deliver it; returns what was in it."""
        inner = {
            "ToUserName": self.corp, "FromUserName": userid, "CreateTime": str(int(self.now())),
            "MsgType": kind, "AgentID": self.agent, **fields,
        }  # fmt: skip
        if kind != "event":
            inner["MsgId"] = str(next(self._serials))
        await self.post(inner)
        return inner

    async def post(self, inner: dict[str, str]) -> int:
        """Deliver a callback, once more if its like was delivered before."""
        assert self.deliver is not None
        query, body = self.sealed(inner)
        self.statuses.append(await self.deliver(query, body))
        return self.statuses[-1]

    def sealed(self, inner: dict[str, str]) -> tuple[dict[str, str], bytes]:
        """The query and the body of a callback."""
        secret = wechat_crypto.seal(_xml(inner), self.aes_key, self.corp)
        query = self.signed(secret)
        outer = {"ToUserName": self.corp, "AgentID": self.agent, "Encrypt": secret}
        return query, _xml(outer).encode()

    def signed(self, secret: str) -> dict[str, str]:
        stamp, nonce = str(int(self.now())), self.name("nonce")
        signature = wechat_crypto.sign(self.token, stamp, nonce, secret)
        return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}


def _check_card(card: dict[str, Any]) -> None:
    buttons = card.get("button_list") or []
    keys = [one["key"] for one in buttons]
    if card.get("card_type") != "button_interaction" or not 0 < len(buttons) <= BUTTONS:
        raise Refused(40058, "button_list invalid")
    if len(set(keys)) != len(keys) or any(not one["text"] for one in buttons):
        raise Refused(40058, "button invalid")
    if not card.get("main_title", {}).get("title"):
        raise Refused(40058, "main_title.title missing")


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


def _xml(fields: dict[str, str]) -> str:
    safe = {name: text.replace("]]>", "]]]]><![CDATA[>") for name, text in fields.items()}
    return "<xml>" + "".join(f"<{n}><![CDATA[{t}]]></{n}>" for n, t in safe.items()) + "</xml>"
