"""Pure writing: a text becomes a letter; its first line is the subject."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from bot.channel import Outgoing
from bot.platforms.email.limits import SUBJECT
from matrix.core.errors import DeliveryError


def letter(message: Outgoing, sender: str, at: datetime) -> EmailMessage:
    """One letter to one receiver. The same message always gets the same Message-ID.

    Raises DeliveryError for an address that is none.
    """
    _, address = parseaddr(message.address)
    name, found, host = address.rpartition("@")
    plain = address.isascii() and not any(sign.isspace() for sign in message.address)
    if not (name and found and host and plain):
        raise DeliveryError("bad-address", permanent=True)
    first, _, rest = message.text.strip().partition("\n")
    made = EmailMessage()
    made["Subject"] = " ".join(first.split())[:SUBJECT]
    made["From"] = sender
    made["To"] = address
    made["Date"] = format_datetime(at)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    made["Message-ID"] = f"<{message.key}@{domain}>"
    # Nobody's out-of-office answers to this.
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(f"{first}\n\n{rest.strip()}\n" if rest.strip() else f"{first}\n")
    return made
