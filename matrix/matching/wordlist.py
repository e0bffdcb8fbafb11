"""A pattern for a list of words, as fast for a thousand of them as for ten."""

import re
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["longest_of"]

# The key under which a node says that a word may end there; no character is empty.
_END: Final = ""

_Node = dict[str, Any]
"""What may follow, each with what may follow it."""


def longest_of(words: Iterable[str]) -> re.Pattern[str]:
    """Matches, at each place, the longest of the words that begins there; of none, nothing.

    Words with a common beginning share it, so that a place is looked at once and not once a word.
    """
    root: _Node = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[_END] = {}
    return re.compile(_written(root) if root else r"(?!)")


def _written(node: _Node) -> str:
    ends = _END in node
    branches = [re.escape(one) + _written(rest) for one, rest in sorted(node.items()) if one]
    if not branches:
        return ""
    # Single characters as a set: a set is one look, a choice one look for each.
    single = [one for one, rest in sorted(node.items()) if one and set(rest) == {_END}]
    if len(single) == len(branches):
        body = f"[{''.join(map(re.escape, single))}]" if len(single) > 1 else re.escape(single[0])
    else:
        body = f"(?:{'|'.join(branches)})"
    return f"(?:{body})?" if ends else body
