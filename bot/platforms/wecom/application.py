"""The application's half: texts and cards to members, cards changed after a click."""

import logging
from collections.abc import Mapping
from typing import Any

from bot.channel import Outgoing
from bot.platforms.wecom.client import Taken, WecomSettings, send, update
from bot.platforms.wecom.codes import Clicks
from bot.platforms.wecom.outbound import Remote, bodies, read_remote, settled_card
from bot.wechat.client import Api
from matrix.core.errors import DeliveryError

LOG = logging.getLogger(__name__)


async def say(api: Api, settings: WecomSettings, message: Outgoing) -> str:
    """Send the requests of one message in order; returns ``Remote.text``. Raises DeliveryError.

    All of it may be repeated: a text is dropped when it comes again, a card is refused.
    """
    remote = Remote()
    for body in bodies(message, message.address, settings.agent_id):
        remote = _after(remote, body, await send(api, body))
    alone = "|" not in message.address and not message.address.startswith("@")
    if remote.missed and alone:
        # errcode 0, and yet nobody has it.
        raise DeliveryError("invaliduser", permanent=True)
    if remote.missed:
        LOG.warning("wecom: %d members were not reached", len(remote.missed))
    return remote.text()


def _after(remote: Remote, body: Mapping[str, Any], taken: Taken) -> Remote:
    card = body.get("template_card")
    codes = remote.codes if card is None else (*remote.codes, (card["task_id"], taken.code))
    missed = tuple(dict.fromkeys((*remote.missed, *taken.missed)))
    return Remote(msgid=remote.msgid or taken.msgid, codes=codes, missed=missed)


async def edit(api: Api, settings: WecomSettings, message: Outgoing, clicks: Clicks) -> str:
    """Change every card of a message that has a code left; a text stays as it is.

    Raises DeliveryError.
    """
    for task, kept in read_remote(message.edits).codes:
        if code := clicks.use(task) or kept:
            await update(
                api,
                {
                    "userids": [message.address],
                    "agentid": int(settings.agent_id),
                    "response_code": code,
                    "template_card": settled_card(message.text, settings.done),
                },
            )
    return message.edits
