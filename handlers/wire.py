"""Replies as JSON in the ledger: types survive, sentences are made when the message is sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from handlers.replies import Choice, Reply
from matrix.core.conversation import Button
from matrix.core.drill import NUMBERS

_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


def reply_name(kind: type) -> str:
    """CaseCard → case_card."""
    return _CAMEL.sub("_", kind.__name__).lower()


def encode_value(value: Any) -> Any:
    """A field as JSON.

    Instants ``{"t"}``, lengths ``{"s"}`` in seconds, enumerations ``{"e", "v"}``, replies
    ``{"r", "f"}``.
    """
    if isinstance(value, Reply):
        return {"r": reply_name(type(value)), "f": encode_fields(value)}
    if isinstance(value, Enum):
        return {"e": reply_name(type(value)), "v": value.value}
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, timedelta):
        return {"s": value.total_seconds()}
    if isinstance(value, list | tuple):
        return [encode_value(item) for item in value]
    return value


def encode_fields(reply: Reply) -> dict[str, Any]:
    """Every field of a reply."""
    return {field.name: encode_value(getattr(reply, field.name)) for field in fields(reply)}


def encode_reply(
    reply: Reply, buttons: Sequence[tuple[Choice, Button]], post: Reply | None = None
) -> Mapping[str, object]:
    """The content of a delivery. ``post`` says which post of its reader a card speaks to.

    What is about a drill is marked as one, whoever says it.
    """
    spoken_to = {"post": encode_reply(post, [])} if post is not None else {}
    about = [getattr(reply, name, "") for name in ("number", "subject")]
    in_drill = any(isinstance(one, str) and one.startswith(NUMBERS) for one in about)
    return {
        **spoken_to,
        **({"drill": True} if in_drill else {}),
        "reply": reply_name(type(reply)),
        "fields": encode_fields(reply),
        "choices": [
            {
                "label": choice.label,
                "text": choice.text,
                "token": button.id,
                "number": button.number,
            }
            for choice, button in buttons
        ],
    }
