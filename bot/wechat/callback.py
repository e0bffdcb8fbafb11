"""Callbacks of WeChat and WeCom: nothing is believed that is not signed, fresh and ours.

Both platforms encrypt alike (AES-256-CBC, the receiver's id inside, SHA-1 over token, timestamp,
nonce and ciphertext). The cryptography is wechatpy's; the checks around it are ours, since its
own compare with ``!=``, know no freshness and let every junk raise something else.

    box = CallbackBox(token=…, aes_key=…, receiver=app_id_or_corp_id, now=clock.now)
    answer  = box.echo(query)               # URL verification, GET
    message = box.open(query, body)         # a message's fields, POST; raises RejectedError
    body    = box.seal(xml, nonce)          # a passive reply

A platform that repeats a message sends the same body with a new signature; a replay within the
window is a repeat too. Neither does harm: both get the same answer, and the message is known.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import xmltodict
from wechatpy.crypto import WeChatCrypto

# The largest message that either platform sends is far smaller; all else is refused unread.
BODY_LIMIT = 64 * 1024
# Seconds that a signed request may be old, or ahead of our clock.
WINDOW = timedelta(seconds=300)

Query = Mapping[str, str]


class RejectedError(Exception):
    """Not signed, not fresh, not for us, or junk: answer 403 with an empty body. ``why`` counts."""

    def __init__(self, why: str) -> None:
        """A short word; never any of what was sent."""
        super().__init__(why)
        self.why = why


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, as both platforms sign."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


# What XML 1.0 has no way to write, not even in CDATA: one such character, and the platform shows
# its own error in place of the answer.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cdata(text: str) -> str:
    """Text for a CDATA section: its end mark is split over two, so that nothing breaks out."""
    return "<![CDATA[" + _UNWRITABLE.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def text_reply(*, to: str, sender: str, text: str, at: datetime) -> str:
    """The XML of a passive text reply. Source: 被动回复用户消息, official docs 2026-11."""
    return (
        f"<xml><ToUserName>{cdata(to)}</ToUserName><FromUserName>{cdata(sender)}</FromUserName>"
        f"<CreateTime>{int(at.timestamp())}</CreateTime><MsgType>{cdata('text')}</MsgType>"
        f"<Content>{cdata(text)}</Content></xml>"
    )


class CallbackBox:
    """One account's callbacks. ``receiver`` is the AppID or CorpID that ciphertexts carry inside.

    Without ``aes_key`` messages are taken in plain (明文模式), whose signature does not cover the
    body: only an account that is set so takes them. With a key the plain fields that 兼容模式 puts
    beside the ciphertext are never read.
    """

    def __init__(
        self, *, token: str, aes_key: str, receiver: str, now: Callable[[], datetime]
    ) -> None:
        """``aes_key`` has 43 characters, or none. Raises ValueError for another one."""
        self._token = token
        self._now = now
        self._crypto: Any = None
        if aes_key:
            try:
                self._crypto = WeChatCrypto(token, aes_key, receiver)
            except (AssertionError, ValueError) as error:
                raise ValueError("aes_key") from error

    def echo(self, query: Query) -> str:
        """公众号's URL verification: ``echostr`` as it came. Raises RejectedError."""
        self._fresh(query)
        self._signed(query, "signature")
        return query.get("echostr", "")

    def encrypted_echo(self, query: Query) -> str:
        """WeCom's URL verification: ``echostr`` decrypted. Raises RejectedError."""
        self._fresh(query)
        return self._decrypted(query, query.get("echostr", ""))

    def open(self, query: Query, body: bytes) -> dict[str, Any]:
        """The fields of a message. Raises RejectedError, and nothing else, whatever comes."""
        if len(body) > BODY_LIMIT:
            raise RejectedError("size")
        self._fresh(query)
        if self._crypto is None:
            self._signed(query, "signature")
            return _fields(body)
        encrypted = _fields(body).get("Encrypt")
        if not isinstance(encrypted, str):
            raise RejectedError("plain")
        return _fields(self._decrypted(query, encrypted).encode())

    def open_json(self, query: Query, encrypted: str) -> str:
        """The plaintext of a ciphertext that came in JSON (智能机器人). Raises RejectedError."""
        self._fresh(query)
        return self._decrypted(query, encrypted)

    def seal(self, xml: str, nonce: str) -> str:
        """A passive reply as it goes out: encrypted and signed, or as it is in plain mode."""
        if self._crypto is None:
            return xml
        stamp = str(int(self._now().timestamp()))
        return str(self._crypto.encrypt_message(xml, nonce, stamp))

    def _fresh(self, query: Query) -> None:
        stamp = query.get("timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):  # noqa: PLR2004
            raise RejectedError("stamp")
        if abs(self._now().timestamp() - int(stamp)) > WINDOW.total_seconds():
            raise RejectedError("stale")

    def _signed(self, query: Query, name: str, *more: str) -> str:
        """Compare in constant time; returns the signature. Raises RejectedError."""
        wanted = signature(self._token, query.get("timestamp", ""), query.get("nonce", ""), *more)
        given = query.get(name, "")
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            raise RejectedError("signature")
        return wanted

    def _decrypted(self, query: Query, encrypted: str) -> str:
        signed = self._signed(query, "msg_signature", encrypted)
        if self._crypto is None:
            raise RejectedError("no-key")
        try:
            return str(
                self._crypto.decrypt_message(
                    {"Encrypt": encrypted}, signed, query["timestamp"], query["nonce"]
                )
            )
        except Exception as error:  # noqa: BLE001
            # Foreign AppID, torn base64, padding, lengths: seven kinds of exceptions, one answer.
            raise RejectedError(type(error).__name__) from None


def _fields(xml: bytes) -> dict[str, Any]:
    """The children of <xml>; entities are refused by the parser. Raises RejectedError."""
    try:
        found = xmltodict.parse(xml, disable_entities=True)["xml"]
    except Exception as error:  # noqa: BLE001
        raise RejectedError(type(error).__name__) from None
    if not isinstance(found, dict):
        raise RejectedError("shape")
    return found
