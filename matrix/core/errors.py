"""The error tree.

PiyaoError
├── Refusal            the user's to mend; ``key`` names the sentence, ``fields`` fill it
│   ├── NotAllowed     no post of this person may do it
│   ├── IllegalTransition  the lifecycle table has no such row
│   ├── GuardRefused   a row exists, its condition does not hold
│   └── NotFound       nothing by that number
├── StaleVersion       somebody was faster; nothing was written
└── DeliveryError      a channel's answer: code, permanent, retry_after, unknown
"""

from collections.abc import Mapping
from datetime import timedelta


class PiyaoError(Exception):
    """Root of everything this project raises on purpose."""


class Refusal(PiyaoError):
    """Something the user can mend. The presenter finds the sentence under ``refusal.<key>``."""

    def __init__(self, key: str, fields: Mapping[str, object] | None = None) -> None:
        """``key`` is a text key, ``fields`` its placeholders."""
        super().__init__(key)
        self.key = key
        self.fields: Mapping[str, object] = fields or {}


class NotAllowed(Refusal):
    """None of the person's posts reaches this action on this thing."""

    def __init__(self, action: str) -> None:
        """``action`` is the refused action's name."""
        super().__init__("not_allowed", {"action": action})


class IllegalTransition(Refusal):
    """The lifecycle table has no row for (state, action)."""

    def __init__(self, entity: str, state: str, action: str) -> None:
        """``entity`` is the lifecycle's name."""
        super().__init__("illegal_transition", {"entity": entity, "state": state, "action": action})


class GuardRefused(Refusal):
    """The row's condition does not hold; the key is ``guard_<name of the guard>``."""

    def __init__(self, guard: str) -> None:
        """``guard`` is the predicate's name."""
        super().__init__(f"guard_{guard}")


class NotFound(Refusal):
    """Nothing exists under that number or id."""

    def __init__(self, what: str) -> None:
        """``what`` is shown back to the person."""
        super().__init__("not_found", {"what": what})


class StaleVersion(PiyaoError):
    """The row changed since it was read: the save wrote nothing."""


class DeliveryError(PiyaoError):
    """A channel refused or did not answer.

    ``unknown`` means that the message may or may not have arrived (time-out after sending):
    such a delivery is never repeated blindly.
    """

    def __init__(
        self,
        code: str,
        *,
        permanent: bool = False,
        unknown: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        """``code`` is the platform's own error code or a short word of ours."""
        super().__init__(code)
        self.code = code
        self.permanent = permanent
        self.unknown = unknown
        self.retry_after = retry_after
