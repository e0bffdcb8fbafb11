"""Files of the bot's messages: fetched where WeCom says, bounded, decrypted with their own key."""

import base64
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.platforms.wecom.limits import KEEP
from matrix.core.errors import Refusal

TOO_LARGE = "attachment_too_large"
UNAVAILABLE = "attachment_unavailable"

# Seconds for a whole file.
PATIENCE = 20
_BLOCK = 32
_LOOPBACK = "127.0.0.1"


async def fetch(url: str, aes_key: str, *, test: bool) -> bytes:
    """The plain content of an encrypted file. Raises Refusal.

    ``test`` allows plain HTTP on this machine, for a gateway that is a double.
    """
    parts = urlsplit(url)
    local = test and parts.hostname == _LOOPBACK
    if parts.scheme != "https" and not local:
        raise Refusal(UNAVAILABLE)
    patience = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience, trust_env=not local) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004
                raise Refusal(UNAVAILABLE)
            sealed = await answer.content.read(KEEP + _BLOCK + 1)
            while len(sealed) <= KEEP + _BLOCK and (more := await answer.content.read(KEEP)):
                sealed += more
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        raise Refusal(UNAVAILABLE) from None
    if len(sealed) > KEEP + _BLOCK:
        raise Refusal(TOO_LARGE)
    return opened(sealed, aes_key) if aes_key else sealed


def opened(sealed: bytes, aes_key: str) -> bytes:
    """AES-256-CBC, padded to 32 bytes, the key's first half as initial vector. Raises Refusal."""
    try:
        key = base64.b64decode(aes_key + "=" * (-len(aes_key) % 4))
        opener = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = opener.update(sealed) + opener.finalize()
        pad = plain[-1]
    except (ValueError, IndexError):
        raise Refusal(UNAVAILABLE) from None
    if not 1 <= pad <= _BLOCK or plain[-pad:] != bytes([pad]) * pad:
        raise Refusal(UNAVAILABLE)
    return plain[:-pad]


def note(key: str) -> str:
    """What stands in the text for a file that is not there, for example ``[file:…]``."""
    return f"[file:{key}]"
