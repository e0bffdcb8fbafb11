"""Fetching a file from Telegram: bounded in size and in patience."""

from telegram import Bot
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.platforms.telegram.client import Sleep, answered, pause
from bot.platforms.telegram.inbound import RemoteFile
from bot.platforms.telegram.limits import DOWNLOAD, KEEP
from matrix.core.errors import Refusal

# Why a file is missing; Attach may refuse with keys of its own.
TOO_LARGE = "attachment_too_large"
UNAVAILABLE = "attachment_unavailable"

# A file that does not come is given up after so many tries: the text must not wait for it.
TRIES = 3


async def download(bot: Bot, remote: RemoteFile, sleep: Sleep) -> bytes:
    """The file's content. Raises Refusal."""
    if remote.size > min(KEEP, DOWNLOAD):
        raise Refusal(TOO_LARGE)
    for failures in range(1, TRIES + 1):
        try:
            file = await answered(bot.get_file(remote.file_id))
            content = bytes(await answered(file.download_as_bytearray()))
        except (BadRequest, InvalidToken):  # too big for Telegram; gone from its disk
            break
        except TelegramError as error:
            if failures < TRIES:
                await sleep(pause(error, failures))
        else:
            if len(content) > KEEP:
                raise Refusal(TOO_LARGE)
            return content
    raise Refusal(UNAVAILABLE)


def note(key: str) -> str:
    """What stands in the text for a file that is not there, for example ``[file:…]``."""
    return f"[file:{key}]"
