"""State diagrams from the lifecycle tables: ``python docs/states.py > docs/states.md``."""
# ruff: noqa: INP001 - a script beside the documents, not a package

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from config.texts import load_texts
from matrix.core.appeal import APPEAL
from matrix.core.bulletin import BULLETIN, REVISION
from matrix.core.campaign import CAMPAIGN, TASK
from matrix.core.case import ASSIGNMENT, CASE
from matrix.core.claim import LINK
from matrix.core.delivery import DELIVERY, FEEDBACK
from matrix.core.extension import EXTENSION
from matrix.core.lead import LEAD
from matrix.core.lifecycle import Guard, Lifecycle, Rule
from matrix.core.verification import VERIFICATION

HEAD = """\
# States

Generated from the lifecycle tables by `python docs/states.py > docs/states.md`; a test compares
the two. Do not edit. What is not listed is refused: `Lifecycle.advance` is the only writer of a
status. Chinese names are those of the catalogue (`[state]` and `[role]`).
`machine` 系统 is the program in a conversation, `clock` 系统时钟 the passing of time.
"""

TABLES: tuple[tuple[Lifecycle[Any], str, str, tuple[str, ...]], ...] = (
    (LEAD, "Lead", "线索", ("received",)),
    (LINK, "Link", "关联", ("suggested", "matched")),
    (CASE, "Case", "案件", ("filed",)),
    (ASSIGNMENT, "Assignment", "指派", ("offered", "designated")),
    (VERIFICATION, "Verification", "协同查证", ("asked",)),
    (REVISION, "Revision", "版本与审签", ("draft",)),
    (BULLETIN, "Bulletin", "通报件", ("signed",)),
    (CAMPAIGN, "Campaign", "同步行动", ("planned",)),
    (TASK, "RepostTask", "转发任务", ("created",)),
    (DELIVERY, "Delivery", "投递", ("pending",)),
    (FEEDBACK, "Feedback", "反馈", ("due",)),
    (APPEAL, "Appeal", "异议", ("open",)),
    (EXTENSION, "Extension", "延期申请", ("asked",)),
)
"""Table, entity, its Chinese name, and the states in which handlers make one."""


def render() -> str:
    """The whole document."""
    parts = [HEAD, *(_section(*one) for one in TABLES), _guards()]
    return "\n".join(parts)


def _section(table: Lifecycle[Any], entity: str, name: str, starts: tuple[str, ...]) -> str:
    lines = [f"## {entity} · {name}", "", "```mermaid", "stateDiagram-v2"]
    lines += _diagram(table, starts)
    lines += ["```", "", "| from | action | to | who | guards |", "|---|---|---|---|---|"]
    lines += [_row(rule) for rule in table.rules]
    return "\n".join([*lines, ""])


def _diagram(table: Lifecycle[Any], starts: tuple[str, ...]) -> Iterator[str]:
    sources = {str(rule.source) for rule in table.rules}
    states = dict.fromkeys([*starts, *(str(s) for r in table.rules for s in (r.source, r.target))])
    for state in states:
        yield f'    state "{state} {_word("state", state)}" as {_id(state)}'
    for state in starts:
        yield f"    [*] --> {_id(state)}"
    arrows: dict[tuple[str, str], list[str]] = {}
    for rule in table.rules:
        arrows.setdefault((str(rule.source), str(rule.target)), []).append(rule.action)
    for (source, target), actions in arrows.items():
        yield f"    {_id(source)} --> {_id(target)} : {' / '.join(actions)}"
    for state in states:
        if state not in sources:
            yield f"    {_id(state)} --> [*]"


def _row(rule: Rule) -> str:
    who = "、".join(_word("role", str(role)) for role in sorted(rule.roles))
    guards = ", ".join(f"`{guard.__name__}`" for guard in rule.guards)
    return f"| {rule.source} | `{rule.action}` | {rule.target} | {who} | {guards} |"


def _guards() -> str:
    found: dict[str, Guard] = {}
    for table, *_ in TABLES:
        for rule in table.rules:
            found |= {guard.__name__: guard for guard in rule.guards}
    lines = ["## Guards", "", "Each has its own refusal: `[refusal] guard_<name>`.", ""]
    lines += [f"- `{name}`: {inspect.getdoc(found[name])}" for name in sorted(found)]
    return "\n".join([*lines, ""])


def _word(table: str, key: str) -> str:
    return str(load_texts()[table][key])


def _id(state: str) -> str:
    # Mermaid reads a hyphen as part of an arrow.
    return state.replace("-", "_")


if __name__ == "__main__":
    sys.stdout.write(render())
