"""看图片: the button under whatever came with pictures, recordings or PDFs."""

from collections.abc import Iterable

from handlers.replies import Choice, choose
from matrix.core.appeal import Appeal
from matrix.core.lead import Lead

# Buttons under a list: what a person can look through on a phone.
_MOST = 8


def offered(item: Lead | Appeal) -> list[Choice]:
    """Under a card: one button with how many there are, none where there is nothing."""
    if not item.attachments:
        return []
    count = str(len(item.attachments))
    return [choose("pictures.open", subject(item), "pictures_open", count, keep=True)]


def listed(items: Iterable[Lead | Appeal]) -> list[Choice]:
    """Under a list: a button with its number for each that has any."""
    found = [
        choose("pictures.open", subject(one), label="pictures_of", text=one.number, keep=True)
        for one in items
        if one.attachments
    ]
    return found[:_MOST]


def subject(item: Lead | Appeal) -> str:
    """What a link to its pictures names."""
    return f"{'lead' if isinstance(item, Lead) else 'appeal'}:{item.id}"
