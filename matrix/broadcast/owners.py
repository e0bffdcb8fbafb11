"""Messages to groups whose owner must confirm them: what the platform says, and what it means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Reminders of one task to its owner: at most so many in so long.
# Source: WeCom path/97610 (3 per 24 h, unconfirmed).
REMINDERS = 3
REMINDER_SPAN = timedelta(hours=24)

# An owner who is missing from the list sooner may only not be listed yet (our margin).
SETTLES = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsSeen:
    """What a platform returns of one task. Groups that it does not name are not served *yet*.

    ``sent`` maps a group to when it got the message, ``refused`` to why it never will.
    ``owner_there`` is False when the owner is no longer part of the task.
    """

    sent: Mapping[str, datetime] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    owner_there: bool = True

    def pending(self, planned: Iterable[str]) -> frozenset[str]:
        """Planned − returned."""
        return frozenset(planned) - set(self.sent) - set(self.refused)


def may_remind(earlier: Iterable[datetime], at: datetime, pause: timedelta) -> bool:
    """Whether one more reminder is allowed, no sooner than ``pause`` after the one before."""
    recent = [one for one in earlier if one > at - REMINDER_SPAN]
    return len(recent) < REMINDERS and all(one <= at - pause for one in recent)
