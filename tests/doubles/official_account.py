"""The server of an official account, as a double: real HTTP on 127.0.0.1, and people who write.

People push signed and encrypted callbacks to the product's address and read what comes back: in
the response, or as customer-service messages whose window and count the double keeps as WeChat
does. The encryption is the double's own, written from the documents, so that the product's is
checked by another hand.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from bot.channel import Call as Callback
from tests.doubles import wechat_crypto
from tests.doubles.wechat_wire import Answer, Call, Refused, WechatWire

APP_ID = "wx0123456789abcdef"
SECRET = "an-app-secret-of-the-double"
TOKEN = "callbacktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ORIGINAL = "gh_0123456789ab"
PNG = b"\x89PNG\r\n\x1a\n"


class Sealed:
    """消息加解密 of one account; the cryptography is ``wechat_crypto``'s."""

    def __init__(self, token: str = TOKEN, aes_key: str = AES_KEY, app_id: str = APP_ID) -> None:
        self.token, self.aes_key, self.app_id = token, aes_key, app_id

    def encrypt(self, text: str) -> str:
        return wechat_crypto.seal(text, self.aes_key, self.app_id)

    def decrypt(self, encrypted: str) -> str:
        text, receiver = wechat_crypto.unseal(encrypted, self.aes_key)
        assert receiver == self.app_id
        return text

    def sign(self, *parts: str) -> str:
        return wechat_crypto.sign(self.token, *parts)

    def packed(self, xml: str, stamp: str, nonce: str) -> tuple[dict[str, str], bytes]:
        """Query and body of a callback in 安全模式."""
        encrypted = self.encrypt(xml)
        query = {
            "signature": self.sign(stamp, nonce), "timestamp": stamp, "nonce": nonce,
            "encrypt_type": "aes", "msg_signature": self.sign(stamp, nonce, encrypted),
        }  # fmt: skip
        body = f"<xml><ToUserName><![CDATA[{ORIGINAL}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        return query, body.encode()

    def unpacked(self, body: str) -> str:
        """The reply inside a response, its signature checked."""
        found = {one.tag: one.text or "" for one in ET.fromstring(body)}  # noqa: S314
        given = found["MsgSignature"]
        assert given == self.sign(found["TimeStamp"], found["Nonce"], found["Encrypt"])
        return self.decrypt(found["Encrypt"])


def xml_of(fields: dict[str, Any]) -> str:
    def one(name: str, value: Any) -> str:
        if isinstance(value, dict):
            return f"<{name}>{''.join(one(*pair) for pair in value.items())}</{name}>"
        if isinstance(value, list):
            return "".join(one(name, item) for item in value)
        return f"<{name}>{escape(str(value))}</{name}>"

    return "<xml>" + "".join(one(*pair) for pair in fields.items()) + "</xml>"


def fields_of(xml: str) -> dict[str, str]:
    return {one.tag: one.text or "" for one in ET.fromstring(xml)}  # noqa: S314


@dataclass(kw_only=True)
class Said:
    """What a follower got: ``way`` is reply or custom."""

    openid: str
    text: str
    way: str


@dataclass(kw_only=True)
class Draft:
    articles: list[dict[str, Any]]
    at: float


@dataclass(kw_only=True)
class Job:
    """A publication or a mass sending under way; ``status`` 1 until its result is in."""

    number: int
    articles: list[dict[str, Any]]
    media_id: str
    status: int = 1
    article_id: str = ""
    key: str = ""


@dataclass(slots=True)
class _Window:
    """Customer-service messages that a person's doings allow."""

    grants: list[list[float]] = field(default_factory=list)


class OfficialAccountServer(WechatWire):
    """One account. ``forward`` moves its clock, by which tokens and windows end.

    ``verified`` False refuses what unverified accounts may not (48001). ``slow`` True leaves
    publications under way until ``finish``.
    """

    def __init__(self, *, port: int = 0, verified: bool = True, slow: bool = False) -> None:
        super().__init__(port)
        self.sealed = Sealed()
        self.verified = verified
        self.slow = slow
        self.hook: Callable[[dict[str, str], bytes], Any] | None = None
        self.wall: Callable[[], float] = lambda: self.seconds
        self.said: list[Said] = []
        self.custom_limit = 5
        self.windows: dict[str, _Window] = {}
        self.files: dict[str, tuple[bytes, str]] = {}
        self.drafts: dict[str, Draft] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, Job] = {}
        self.masses: dict[str, Job] = {}
        self.mass_left = 1
        self.menu: dict[str, Any] = {}
        self.scenes: dict[str, str] = {}
        self.refused_by_admin = False
        self._message_ids = itertools.count(10**15)
        self._nonces = itertools.count(1)

    # ---- people

    def to(self, openid: str) -> list[Said]:
        return [one for one in self.said if one.openid == openid]

    def allow(self, openid: str, count: int, seconds: float) -> None:
        self.windows.setdefault(openid, _Window()).grants.append([self.seconds + seconds, count])

    def message(self, openid: str, kind: str, **fields: Any) -> dict[str, Any]:
        """A message of a follower, as a try of it is sent: every try with the same MsgId."""
        self.windows[openid] = _Window()
        self.allow(openid, self.custom_limit, 48 * 3600)
        return self._fields(openid, kind, **fields) | {"MsgId": next(self._message_ids)}

    def event(self, openid: str, event: str, **fields: Any) -> dict[str, Any]:
        if event.upper() in {"CLICK", "SUBSCRIBE", "SCAN"}:
            self.allow(openid, 3, 60)
        return self._fields(openid, "event", Event=event, **fields)

    def _fields(self, openid: str, kind: str, **fields: Any) -> dict[str, Any]:
        return {
            "ToUserName": ORIGINAL, "FromUserName": openid, "CreateTime": int(self.wall()),
            "MsgType": kind, **fields,
        }  # fmt: skip

    def picture(self, content: bytes, kind: str = "image/jpeg") -> str:
        media_id = self.name("media")
        self.files[media_id] = (content, kind)
        return media_id

    def packed(self, fields: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """A signed, encrypted try of a message."""
        nonce = f"nonce{next(self._nonces)}"
        return self.sealed.packed(xml_of(fields), str(int(self.wall())), nonce)

    async def deliver(self, fields: dict[str, Any]) -> str:
        """One try: what came back in the response, which the follower sees; empty for success."""
        assert self.hook is not None
        query, body = self.packed(fields)
        status, answer = await self.hook(query, body)
        assert status == 200, (status, answer)
        if answer in {"", "success"}:
            return ""
        reply = fields_of(self.sealed.unpacked(answer))
        assert (reply["ToUserName"], reply["FromUserName"]) == (fields["FromUserName"], ORIGINAL)
        assert len(reply["Content"].encode()) <= 2048
        self.said.append(Said(openid=reply["ToUserName"], text=reply["Content"], way="reply"))
        return reply["Content"]

    # ---- the wire

    def answers(self) -> dict[str, Answer]:
        return {
            "stable_token": self._stable_token,
            "message/custom/send": self._custom_send,
            "media/get": self._media_get,
            "menu/create": self._menu_create,
            "menu/get": lambda call: {"menu": self.menu},
            "qrcode/create": self._qrcode,
            "draft/add": self._draft_add,
            "draft/batchget": self._draft_list,
            "freepublish/submit": self._submit,
            "freepublish/get": self._publish_state,
            "freepublish/batchget": self._published_list,
            "message/mass/sendall": self._mass,
            "message/mass/get": self._mass_state,
            "openapi/quota/get": self._quota,
        }

    def _stable_token(self, call: Call) -> dict[str, Any]:
        if call.body.get("appid") != APP_ID:
            raise Refused(40013, "invalid appid")
        if call.body.get("secret") != SECRET:
            raise Refused(40125, "invalid appsecret")
        assert not call.body.get("force_refresh")
        return {"access_token": self.live_token(), "expires_in": 7200}

    def _need_rights(self) -> None:
        if not self.verified:
            raise Refused(48001, "api unauthorized")

    def _custom_send(self, call: Call) -> None:
        self._need_rights()
        openid, text = call.body["touser"], call.body["text"]["content"]
        if len(text.encode()) > 2048:
            raise Refused(45002, "content size out of limit")
        window = self.windows.get(openid, _Window())
        live = [one for one in window.grants if one[0] > self.seconds]
        if not live:
            raise Refused(45015, "response out of time limit or subscription is canceled")
        left = [one for one in live if one[1] > 0]
        if not left:
            raise Refused(45047, "out of response count limit")
        left[0][1] -= 1
        self.said.append(Said(openid=openid, text=text, way="custom"))

    def _media_get(self, call: Call) -> web.StreamResponse:
        if call.query["media_id"] not in self.files:
            raise Refused(40007, "invalid media_id")
        content, kind = self.files[call.query["media_id"]]
        return web.Response(body=content, content_type=kind)

    def _menu_create(self, call: Call) -> None:
        self._need_rights()
        assert len(call.body["button"]) <= 3
        for one in call.body["button"]:
            assert len(one["name"].encode()) <= 60
            assert len(one["key"].encode()) <= 128
        self.menu = call.body

    def _qrcode(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        scene = call.body["action_info"]["scene"]["scene_str"]
        assert len(scene) <= 64
        ticket = self.name("ticket")
        self.scenes[ticket] = scene
        url = f"http://weixin.qq.com/q/{ticket}"
        return {"ticket": ticket, "expire_seconds": call.body["expire_seconds"], "url": url}

    # ---- articles

    def _draft_add(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        for one in call.body["articles"]:
            if len(one["title"]) > 32 or len(one.get("digest", "")) > 128:
                raise Refused(45003, "title size out of limit")
            if not one.get("thumb_media_id"):
                raise Refused(40007, "invalid media_id")
        media_id = self.name("draft")
        self.drafts[media_id] = Draft(articles=call.body["articles"], at=self.seconds)
        return {"media_id": media_id}

    def _draft_list(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        found = [
            {"media_id": name, "content": {"news_item": one.articles}, "update_time": int(one.at)}
            for name, one in reversed(self.drafts.items())
        ][call.body["offset"] :][: call.body["count"]]
        return {"total_count": len(self.drafts), "item_count": len(found), "item": found}

    def _submit(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        draft = self.drafts.get(call.body["media_id"])
        if draft is None:
            raise Refused(53503, "draft not found")
        number = 100000 + len(self.jobs)
        self.jobs[str(number)] = Job(
            number=number, articles=draft.articles, media_id=call.body["media_id"]
        )
        if not self.slow:
            self.finish()
        return {"publish_id": str(number), "msg_data_id": number}

    def finish(self, status: int = 0) -> list[dict[str, Any]]:
        """Everything under way ends so; the events that WeChat sends about it."""
        events = []
        for job in self.jobs.values():
            if job.status == 1:
                job.status = status
                events.append(self._finished(job))
        return events

    def _finished(self, job: Job) -> dict[str, Any]:
        info: dict[str, Any] = {"publish_id": job.number, "publish_status": job.status}
        if job.status == 0:
            job.article_id = self.name("article")
            self.drafts.pop(job.media_id, None)
            for one in job.articles:
                one["url"] = f"https://mp.weixin.qq.com/s/{job.article_id}"
            self.published[job.article_id] = {"news_item": job.articles}
            info |= {"article_id": job.article_id, "article_detail": self._detail(job)}
        return self.event(ORIGINAL + "-self", "PUBLISHJOBFINISH", PublishEventInfo=info)

    def _detail(self, job: Job) -> dict[str, Any]:
        items = [{"idx": i + 1, "article_url": one["url"]} for i, one in enumerate(job.articles)]
        return {"count": len(items), "item": items}

    def _publish_state(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        job = self.jobs.get(str(call.body["publish_id"]))
        if job is None:
            raise Refused(53600, "invalid publish_id")
        answer: dict[str, Any] = {"publish_id": str(job.number), "publish_status": job.status}
        if job.status == 0:
            answer |= {"article_id": job.article_id, "article_detail": self._detail(job)}
        return answer

    def _published_list(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        found = [
            {"article_id": name, "content": one, "update_time": 0}
            for name, one in reversed(self.published.items())
        ][call.body["offset"] :][: call.body["count"]]
        return {"total_count": len(self.published), "item_count": len(found), "item": found}

    def _mass(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        key = call.body["clientmsgid"]
        if len(key.encode()) > 64:
            raise Refused(45067, "clientmsgid size out of limit")
        if key in self.masses:
            job = self.masses[key]
            raise Refused(45065, "clientmsgid exist", msg_id=job.number, msg_data_id=job.number)
        if self.mass_left <= 0:
            raise Refused(45028, "has no masssend quota")
        draft = self.drafts.get(call.body["mpnews"]["media_id"])
        if draft is None:
            raise Refused(40007, "invalid media_id")
        self.mass_left -= 1
        job = Job(
            number=200000 + len(self.masses), articles=draft.articles, key=key,
            media_id=call.body["mpnews"]["media_id"],
        )  # fmt: skip
        self.masses[key] = job
        if not self.slow:
            self.finish_mass()
        return {"msg_id": job.number, "msg_data_id": job.number}

    def finish_mass(self, status: str = "send success") -> list[dict[str, Any]]:
        """An administrator has confirmed (or not: err(40001), err(40002))."""
        events = []
        for job in self.masses.values():
            if job.status != 1:
                continue
            job.status = 0 if status == "send success" else 2
            info: dict[str, Any] = {"MsgID": job.number, "Status": status}
            if job.status == 0:
                url = f"https://mp.weixin.qq.com/s/mass-{job.number}"
                info["ArticleUrlResult"] = {
                    "Count": 1, "ResultList": {"item": [{"ArticleIdx": 1, "ArticleUrl": url}]},
                }  # fmt: skip
            events.append(self.event(ORIGINAL + "-self", "MASSSENDJOBFINISH", **info))
        return events

    def _mass_state(self, call: Call) -> dict[str, Any]:
        self._need_rights()
        job = next((j for j in self.masses.values() if j.number == int(call.body["msg_id"])), None)
        if job is None:
            raise Refused(40059, "invalid msg id")
        return {
            "msg_id": job.number,
            "msg_status": {0: "SEND_SUCCESS", 1: "SENDING"}.get(job.status, "SEND_FAIL"),
        }

    def _quota(self, call: Call) -> dict[str, Any]:
        limits = {"/cgi-bin/freepublish/submit": 100, "/cgi-bin/message/mass/sendall": 100}
        limit = limits.get(call.body["cgi_path"], 500000)
        used = len(self.called(call.body["cgi_path"].removeprefix("/cgi-bin/")))
        return {"errcode": 0, "quota": {"daily_limit": limit, "used": used, "remain": limit - used}}


def over_http(base: str, session: aiohttp.ClientSession) -> Callable[..., Any]:
    """Callbacks posted to a product that listens: WeChat cuts the line after five seconds."""

    async def hook(query: dict[str, str], body: bytes) -> tuple[int, str]:
        patience = aiohttp.ClientTimeout(total=5)
        async with session.post(base, params=query, data=body, timeout=patience) as answer:
            return answer.status, await answer.text()

    return hook


def directly_to(channel: Any) -> Callable[..., Any]:
    """Callbacks handed to the channel itself."""

    async def hook(query: dict[str, str], body: bytes) -> tuple[int, str]:
        answer = await channel.called(Callback(method="POST", query=query, headers={}, body=body))
        return answer.status, answer.body.decode()

    return hook


async def tries(server: OfficialAccountServer, fields: dict[str, Any], count: int = 3) -> list[Any]:
    """Several tries of one message at once, as after time-outs."""
    return await asyncio.gather(*(server.deliver(fields) for _ in range(count)))
