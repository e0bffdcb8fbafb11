"""WeCom's message encryption, written from its documentation and apart from wechatpy.

Held by vectors of three npm packages (tests/data/wecom_crypto.json). Source: path/90968.
"""

import base64
import hashlib
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


def key_of(aes_key: str) -> bytes:
    return base64.b64decode(f"{aes_key}=")


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = key_of(aes_key)
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def seal(text: str, aes_key: str, receiver: str) -> str:
    body = text.encode()
    plain = secrets.token_bytes(16) + struct.pack(">I", len(body)) + body + receiver.encode()
    pad = BLOCK - len(plain) % BLOCK
    maker = _cipher(aes_key).encryptor()
    return base64.b64encode(maker.update(plain + bytes([pad]) * pad) + maker.finalize()).decode()


def unseal(sealed: str, aes_key: str) -> tuple[str, str]:
    """The text and whom it is for."""
    opener = _cipher(aes_key).decryptor()
    plain = opener.update(base64.b64decode(sealed)) + opener.finalize()
    plain = plain[: -plain[-1]]
    length = struct.unpack(">I", plain[16:20])[0]
    return plain[20 : 20 + length].decode(), plain[20 + length :].decode()


def sign(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    parts = "".join(sorted([token, timestamp, nonce, sealed]))
    return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
