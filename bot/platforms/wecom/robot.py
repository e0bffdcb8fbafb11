"""The bot's half of the channel: what it says over its line, and how its cards change."""

from contextlib import suppress

from bot.channel import Outgoing
from bot.platforms.wecom import frames
from bot.platforms.wecom.codes import Clicks
from bot.platforms.wecom.line import Line
from bot.platforms.wecom.outbound import (
    Remote,
    cards,
    fits,
    markdown,
    read_remote,
    settled_card,
)
from matrix.core.errors import DeliveryError


async def say(line: Line, message: Outgoing) -> str:
    """Push one message: a text where no card holds it, then cards. Raises DeliveryError.

    There is no key and no reading back: once something has gone out, every failure is unknown.
    """
    made = [frames.carded(message.address, one) for one in cards(message)]
    if not made or not fits(message.text):
        made.insert(0, frames.said(message.address, markdown(message.text)))
    for number, body in enumerate(made):
        try:
            await line.ask(frames.SEND, body)
        except DeliveryError as error:
            if number:
                raise DeliveryError(error.code, unknown=True) from error
            raise
    tasks = tuple((str(one["task_id"]), "") for one in cards(message))
    return Remote(msgid=f"bot-{message.key}", codes=tasks).text()


async def edit(line: Line, done: str, message: Outgoing, clicks: Clicks) -> str:
    """Only right after a click, by that click's own request; else the card stays as it is.

    Source: path/101463 (within five seconds, unconfirmed). Its buttons are used up in any case.
    """
    for task, _ in read_remote(message.edits).codes:
        if req_id := clicks.use(task):
            card = {**settled_card(message.text, done), "task_id": task}
            body = {"response_type": "update_template_card", "template_card": card}
            with suppress(DeliveryError):
                await line.ask(frames.UPDATE, body, req_id)
    return message.edits
