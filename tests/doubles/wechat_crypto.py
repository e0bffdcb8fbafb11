"""The message encryption of WeCom and 公众号, written from the documentation and apart from wechatpy.

AES-256-CBC, PKCS#7 to 32 bytes, four bytes of length; SHA-1 over the sorted parts. Held by the
vendor's own samples and by vectors of three npm packages (tests/data/wechat_crypto.json).
Source: path/90968 and 加解密方案的说明 of 公众号.
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


def sign(*parts: str) -> str:
    """Over token, time stamp, nonce, and the ciphertext where there is one, in any order."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
