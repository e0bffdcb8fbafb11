"""What is said, by type: a frozen dataclass → its text in the catalogue, fields → placeholders.

A line of a text whose placeholder is empty is left out, so optional facts need no condition.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Base of everything said. Nested replies render with their own text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button. ``label`` is a text key under ``button``; ``text`` is a name shown as it is."""

    action: str
    subject: str = ""
    label: str = ""
    text: str = ""
    args: tuple[tuple[str, str], ...] = ()
    reusable: bool = False


def choose(
    action: str,
    subject: str = "",
    label: str = "",
    text: str = "",
    *,
    keep: bool = False,
    **args: str,
) -> Choice:
    """A button that does ``action`` on ``subject``; ``keep`` ones may be pressed again."""
    return Choice(
        action=action,
        subject=subject,
        label=label or ("" if text else action.replace(".", "_")),
        text=text,
        args=tuple(args.items()),
        reusable=keep,
    )
