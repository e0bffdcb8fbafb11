"""The catalogue and the code agree: whatever may be said has a text, and every text can be said."""

import ast
import dataclasses
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path

import pytest

import handlers
import handlers.replies
import matrix.core
from config.texts import load_texts, words
from handlers.drafting.writing import PARTS
from handlers.intake.identity import HELP
from handlers.replies import Reply
from handlers.router import ACTIONS
from handlers.triage.ending import REASONS, REFERRALS
from handlers.wire import reply_name
from matrix.core.bulletin import Kind
from matrix.core.campaign import CampaignState, TaskState
from matrix.core.case import CaseState, EventClass, Grade, Verdict
from matrix.core.deadline import Stage
from matrix.core.directory import Tier
from matrix.core.lead import LeadState
from matrix.core.lifecycle import Lifecycle
from matrix.core.roles import NOT_PERSONS, Role
from matrix.core.verification import Finding
from matrix.matching.verdicts import ReasonKind
from matrix.triage.grade import Influence, Rule
from matrix.triage.ladder import LADDER
from matrix.triage.national import Duty
from matrix.triage.routing import UPWARD, Certainty, Why

ROOT = Path(handlers.__file__).parent.parent
SLOT = re.compile(r"\{(\w+)(?::(\w+))?(?:\|([^}]*))?\}")
STYLES = {"time", "date", "due"}
"""Ways in which the presenter says an instant; they are no tables."""
TEXTS = load_texts()


def _under(values: type[Enum]) -> list[str]:
    return [str(one.value).replace("-", "_") for one in values]


# What an f-string with this beginning may become.
EXPANSIONS: Mapping[str, list[str]] = {
    "grade_": _under(Grade),
    "class_": _under(EventClass),
    "verdict_": _under(Verdict),
    "finding_": _under(Finding),
    "task_": _under(TaskState),
    "campaign_": _under(CampaignState),
    "tier_": _under(Tier),
    "stage_": _under(Stage),
    "part_": list(PARTS),
    "edit_": list(PARTS),
    "reason_": list(REASONS),
    "refer_": list(REFERRALS),
    "seen_": ["group", "moments", "video", "other"],
    "step_": ["1", "2", "3"],
    "look_": ["appeal", "lead", "case", "task", "tasks"],
    "rung_": [str(number + 1) for number in range(len(LADDER))],
    "pause_": ["lab", "outside", "court"],
    "days_": ["7", "30", "long"],
    "hours_": ["1", "4", "8", "24"],
    "minutes_": ["30", "60", "120"],
    "public_": ["yes", "no"],
    "doubt_": ["sent", "retry", "fail"],
    "please_": ["update", "correction", "withdrawal"],
    "why_": ["correct", "update", "withdraw"],
    "check_": ["gone", "person"],
    "appeal_": ["uphold", "deny"],
    "purpose_": ["appeal", "feedback", "answer", "cards", "post", "publish", "reply"],
    "event_": ["appeal", "case", "assignment", "revision", "bulletin", "campaign", "verification",
        "extension"],
    "lint_": [
        "personal_number", "absolute", "name", "title_states_rumor", "rumor_twice",
        "bare_denial", "no_todo",
    ],
    "route-": [one.value for one in Why],
    "grade-": [one.value for one in Rule],
    "spread-": [one.value for one in Influence],
}  # fmt: skip
ENUMS = (Grade, Verdict, Kind, Finding, LeadState, CaseState, Role, Duty)


def modules(package: object) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):  # type: ignore[attr-defined]
        yield found.name


for _name in modules(handlers):
    importlib.import_module(_name)

REPLIES = {reply_name(kind): kind for kind in Reply.__subclasses__()}
LIFECYCLES = [
    one
    for name in modules(matrix.core)
    for one in vars(importlib.import_module(name)).values()
    if isinstance(one, Lifecycle)
]


def template(table: str, key: str) -> str:
    found = TEXTS.get(table, {}).get(key)
    return found if isinstance(found, str) else ""


# -- replies and templates -------------------------------------------------------------------


def test_every_reply_has_a_text_and_every_text_a_reply():
    assert set(TEXTS["reply"]) == set(REPLIES)


def _unfit(text: str, kind: type[Reply], where: str, seen: frozenset[str]) -> Iterator[str]:
    """Placeholders that are no fields, and tables that do not exist, through all tables."""
    hints = typing.get_type_hints(kind)
    for name, table, _ in SLOT.findall(text):
        if name not in hints:
            yield f"{where}: {kind.__name__} has no field {name}"
        elif table in STYLES:
            if datetime not in (hints[name], *typing.get_args(hints[name])):
                yield f"{where}: {name} is no instant"
        elif table and table not in TEXTS:
            yield f"{where}: no table [{table}]"
        elif table and table not in seen:
            for key, inner in TEXTS[table].items():
                yield from _unfit(str(inner), kind, f"[{table}] {key}", seen | {table})


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_placeholders_are_fields_and_tables_exist(name):
    assert not list(_unfit(template("reply", name), REPLIES[name], f"[reply] {name}", frozenset()))


def test_enum_fields_find_their_tables():
    for enum in ENUMS:
        table = TEXTS[reply_name(enum)]
        assert set(table) == {str(one.value) for one in enum}
    states = {
        str(state) for lifecycle in LIFECYCLES for rule in lifecycle.rules
        for state in (rule.source, rule.target)
    }  # fmt: skip
    assert states == set(TEXTS["state"])


NAMED = {"alike_to", "add_post_to",
    "attach_to", "lead_confirm", "case_unmerge", "task_undo", "campaign_remind", "campaign_call_town",
    "exempt_account", "include_account", "look_lead", "look_appeal", "appeal_file", "look_case", "look_text", "look_task", "look_tasks",
    "evidence_open", "pictures_open", "pictures_of",
    *(f"post_{role}" for role in Role if role not in NOT_PERSONS),
}  # fmt: skip


def test_buttons_that_stand_several_times_on_a_card_carry_a_name():
    for key, label in TEXTS["button"].items():
        assert SLOT.findall(str(label)) == ([("text", "", "")] if key in NAMED else [])


def test_reasons_cover_routing_and_matching():
    wanted = {f"route-{why.value}" for why in Why} | {kind.value for kind in ReasonKind}
    wanted |= {f"grade-{rule.value}" for rule in Rule}
    wanted |= {f"spread-{what.value}" for what in Influence}
    assert set(TEXTS["reason"]) == wanted


def test_words_name_actions_once_and_help_lists_them():
    found = words(TEXTS, ACTIONS)
    assert all(word == word.lower() for word in found)
    assert {name.replace(".", "_") for name in HELP} <= set(TEXTS["help"])
    assert set(TEXTS["help"]) <= set(TEXTS["word"])


# -- keys used in the code -------------------------------------------------------------------


class Source:
    """One module: what a name or expression may be, as far as it can be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parents = {
            child: parent
            for parent in ast.walk(self.tree)
            for child in ast.iter_child_nodes(parent)
        }
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        while (up := self.parents.get(node)) is not None:
            if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef):
                return up
            node = up
        return None

    def values(self, node: ast.expr | None) -> set[str]:
        match node:
            case ast.Constant(value=str() as text):
                return {text} if text else set()
            case ast.IfExp():
                return self.values(node.body) | self.values(node.orelse)
            case ast.JoinedStr(values=[ast.Constant(value=str() as head), *_]):
                known = EXPANSIONS.get(head)
                return {head + one for one in known} if known else {f"{head}*"}
            case ast.Call(
                func=ast.Attribute(attr="replace"), args=[ast.Constant(), ast.Constant()]
            ):
                old, new = (str(one.value) for one in node.args)  # type: ignore[attr-defined]
                inner = node.func.value  # type: ignore[attr-defined]
                return {one.replace(old, new) for one in self.values(inner)}
            case ast.Name():
                return self.named(node)
            case _:
                return set()

    def named(self, node: ast.Name) -> set[str]:
        """Literals that reach a name: by assignment, or from the calls of its function."""
        function = self.function(node)
        if function is None:
            return set()
        found: set[str] = set()
        for one in ast.walk(function):
            if isinstance(one, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == node.id for t in one.targets
            ):
                found |= self.values(one.value)
        arguments = [a.arg for a in (*function.args.args, *function.args.kwonlyargs)]
        if node.id in arguments:
            place = arguments.index(node.id)
            for call in self.calls:
                if called(call) == function.name and self.function(call) is not function:
                    given = {k.arg: k.value for k in call.keywords}
                    at = call.args[place] if place < len(call.args) else given.get(node.id)
                    found |= self.values(at)
        return found

    def literals(self, node: ast.Name) -> set[str]:
        """Action names in whatever a loop over this name runs through."""
        function = self.function(node) or self.tree
        found: set[str] = set()
        for one in ast.walk(function):
            if isinstance(one, ast.For | ast.comprehension) and node.id in {
                n.id for n in ast.walk(one.target) if isinstance(n, ast.Name)
            }:
                found |= self.strings(one.iter)
                for name in (n.id for n in ast.walk(one.iter) if isinstance(n, ast.Name)):
                    found |= self.assigned(name)
        return {one for one in found if one in ACTIONS}

    def assigned(self, name: str) -> set[str]:
        found: set[str] = set()
        for one in ast.walk(self.tree):
            targets = one.targets if isinstance(one, ast.Assign) else [getattr(one, "target", None)]
            if isinstance(one, ast.Assign | ast.AnnAssign) and any(
                isinstance(t, ast.Name) and t.id == name for t in targets
            ):
                found |= self.strings(one.value)
        return found

    @staticmethod
    def strings(node: ast.AST | None) -> set[str]:
        walked = ast.walk(node) if node is not None else ()
        return {n.value for n in walked if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


SOURCES = [
    Source(path) for room in ("handlers", "bot") for path in sorted((ROOT / room).rglob("*.py"))
]


def has(table: str, key: str) -> bool:
    if key.endswith("*"):
        return any(one.startswith(key[:-1]) for one in TEXTS.get(table, {}))
    return key in TEXTS.get(table, {})


def _missing_in(source: Source, text: str, given: Mapping[str, ast.expr]) -> Iterator[str]:
    """Values that the code gives to ``{field:table}`` but the table lacks, through all tables."""
    for line in text.splitlines():
        slots = SLOT.findall(line)
        if not all(name in given for name, _, _ in slots):
            continue  # left out: an optional field is not given
        for name, table, _ in slots:
            if not table or table in STYLES:
                continue
            for value in source.values(given[name]):
                if not has(table, value):
                    yield f"[{table}] {value}"
                else:
                    yield from _missing_in(source, template(table, value), given)


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_every_key_given_to_a_reply_has_a_text(source):
    kinds = {kind.__name__: name for name, kind in REPLIES.items()}
    missing = set()
    for call in source.calls:
        name = kinds.get(called(call))
        if name is None:
            continue
        given = {k.arg: k.value for k in call.keywords if k.arg}
        missing |= {
            f"{source.path.name}:{call.lineno} {one}"
            for one in _missing_in(source, template("reply", name), given)
        }
    assert not missing


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_every_button_has_a_label(source):
    missing = set()
    for call in source.calls:
        if called(call) != "choose" or not call.args:
            continue
        given = {k.arg: k.value for k in call.keywords if k.arg}
        label = given.get("label") or (call.args[2] if len(call.args) > 2 else None)
        if label is not None:
            wanted = source.values(label)
        elif "text" in given:
            continue
        else:
            names = source.values(call.args[0])
            if not names and isinstance(call.args[0], ast.Name):
                names = source.literals(call.args[0])
            assert names, f"{source.path}:{call.lineno}: which action?"
            wanted = {name.replace(".", "_") for name in names}
        missing |= {
            f"{source.path.name}:{call.lineno} {one}" for one in wanted if not has("button", one)
        }
    assert not missing


def test_every_refusal_has_a_sentence():
    wanted = {"not_allowed", "illegal_transition", "not_found"}
    for lifecycle in LIFECYCLES:
        for rule in lifecycle.rules:
            wanted |= {f"guard_{guard.__name__}" for guard in rule.guards}
    for source in SOURCES:
        for call in source.calls:
            match called(call):
                case "Refusal":
                    first = call.args[0]
                    known = source.assigned(first.id) if isinstance(first, ast.Name) else set()
                    wanted |= source.values(first) | known
                case "require" | "GuardRefused":
                    wanted |= {f"guard_{one}" for one in source.values(call.args[0])}
    assert not wanted - set(TEXTS["refusal"])


def _first_slots(text: str) -> set[str]:
    return {name for name, _, _ in SLOT.findall(text.strip("\n").split("\n")[0])}


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_the_first_line_never_vanishes(source):
    """Its placeholders are given wherever the text is used; ``who`` falls back to the system."""
    lost = set()
    tables = {"Done": "done", "Settled": "settled", "AskText": "ask", "Pick": "pick",
              "Confirm": "confirm", "Alarm": "alarm", "Listing": "listing"}  # fmt: skip
    for call in source.calls:
        name, given = called(call), {k.arg: k.value for k in call.keywords if k.arg}
        if name in tables:
            told, keys = {*given, "who"}, source.values(given.get("what"))
            table = tables[name]
            if name in {"Listing", "Confirm"}:
                told |= {"total", "count"}
        elif name == "Refusal":
            table, keys, told = "refusal", source.values(call.args[0]), set()
            if len(call.args) > 1:
                told = {k.value for k in call.args[1].keys}
        else:
            continue
        lost |= {
            f"{call.lineno} [{table}] {key}"
            for key in keys
            if _first_slots(template(table, key)) - told
        }
    assert not lost


def test_every_sentence_of_the_terminal_is_there():
    started = {
        f"start_{one}" for source in SOURCES for call in source.calls
        if called(call) == "StartRefusedError" for one in source.values(call.args[0])
    }  # fmt: skip
    wanted = {("cli", one) for one in started}
    for source in SOURCES:
        for call in source.calls:
            if called(call) == "sentence" and len(call.args) > 1:
                for table in source.values(call.args[0]):
                    wanted |= {(table, key) for key in source.values(call.args[1])}
    assert not [pair for pair in wanted if not has(*pair)]


def _returned(path: str) -> set[str]:
    """String literals that a module's functions return."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    returns = (node.value for node in ast.walk(tree) if isinstance(node, ast.Return))
    return {text for one in returns for text in _arms(one)}


def _arms(node: ast.expr | None) -> set[str]:
    match node:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.IfExp():
            return _arms(node.body) | _arms(node.orelse)
        case _:
            return set()


def test_codes_kept_in_data_have_words():
    linter = ast.parse((ROOT / "matrix/triage/linter.py").read_text(encoding="utf-8"))
    codes = {
        str(k.value.value) for call in ast.walk(linter) if isinstance(call, ast.Call)
        for k in call.keywords if k.arg == "code" and isinstance(k.value, ast.Constant)
    }  # fmt: skip
    assert codes == set(TEXTS["lint"])
    assert {f"lint_{code}" for code in codes} <= set(TEXTS["label"])
    checks = _returned("bot/link_checker.py") - {"ok"} | {"screenshot"}
    assert checks == set(TEXTS["check"])
    assert set(REASONS) == set(TEXTS["reject_reason"])
    assert set(REFERRALS) == set(TEXTS["referral"])
    assert set(EXPANSIONS["pause_"]) == set(TEXTS["pause"])
    assert {"bulletin", "case", "claim"} == set(TEXTS["candidate"])
    assert {one.value for one in Certainty} == set(TEXTS["certainty"])
    assert {UPWARD} == set(TEXTS["proposed"])
    # The outcomes that handlers owe a reporter, by what stands before the colon.
    owed = {
        head.replace("-", "_") for source in SOURCES for call in source.calls
        if called(call) in {"owe", "owe_case", "_ended", "_end"}
        for arg in call.args for head in _heads(source, arg)
    }  # fmt: skip
    assert set(TEXTS["outcome"]) <= owed
    assert owed & {"rejected", "referred", "not_accepted", "monitor_only"} <= set(TEXTS["outcome"])


def _heads(source: Source, node: ast.expr) -> set[str]:
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return {str(node.values[0].value).partition(":")[0]}
    return source.values(node)


def test_an_empty_list_says_what_to_do():
    wanted = set()
    for source in SOURCES:
        for call in source.calls:
            given = {k.arg: k.value for k in call.keywords if k.arg}
            if called(call) == "Listing" and "empty" in given:
                wanted |= source.values(given["what"])
    assert wanted <= set(TEXTS["when_empty"])


# -- how it is written -----------------------------------------------------------------------

HAN = "\u3400-\u9fff"
FAULTS = {
    "ASCII punctuation after a Chinese character": re.compile(rf"[{HAN}][,.!?](?![0-9A-Za-z])"),
    "no space between Chinese and Latin or digit": re.compile(
        rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]"
    ),
    "exclamation mark": re.compile(r"[!！]"),
    "亲": re.compile("亲"),
    "two full stops": re.compile(r"。。|，，|；；|。，|，。"),
    "space beside full-width punctuation": re.compile(r"[，。；：、？] (?!\{)"),
}


def sentences() -> Iterator[tuple[str, str]]:
    for table, rows in TEXTS.items():
        if table == "word":
            continue
        for key, text in rows.items():
            # A placeholder may be Chinese or Latin: it counts as neither.
            yield f"[{table}] {key}", SLOT.sub("\ue001", str(text))


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_typography(fault):
    assert not [where for where, text in sentences() if FAULTS[fault].search(text)]


def test_numbers_and_names_stand_apart_from_chinese():
    """Values that are always digits, or names among words, are set off by spaces."""
    digits = r"number|count|total|due_at|at:time|at:date|percent|minutes|serial|who"
    close = re.compile(rf"[{HAN}]\{{(?:{digits})[:}}|]|\{{(?:{digits})(?::\w+)?\}}[{HAN}]")
    found = []
    for table, rows in TEXTS.items():
        if table not in {"word", "import"}:
            found += [f"[{table}] {key}" for key, text in rows.items() if close.search(str(text))]
    assert not found


def test_a_rumor_is_never_quoted_without_its_mark():
    quoted = {"wording", "rumor"} | {"text"}
    shown = {"lead_line", "lead_line_masked", "queued_card", "queue_line"}
    for key, text in TEXTS["reply"].items():
        for line in str(text).splitlines():
            names = {name for name, _, _ in SLOT.findall(line)}
            if names & {"wording", "rumor"} or (key in shown and names & quoted):
                assert line.startswith("【网传】“"), f"{key}: {line}"


def test_a_colour_stands_beside_its_word():
    dots = re.compile(r"[🔴🟠🟡🔵](?! [红橙黄蓝])")
    assert not [where for where, text in sentences() if dots.search(text)]


def test_bold_marks_are_closed():
    assert not [where for where, text in sentences() if text.count("**") % 2]


def test_optional_facts_stand_on_lines_of_their_own():
    """A line with something empty vanishes whole: what must be said never shares one with it."""
    for name, kind in REPLIES.items():
        fields = {field.name: field for field in dataclasses.fields(kind)}
        for line in template("reply", name).strip("\n").splitlines():
            names = [n for n, _, _ in SLOT.findall(line) if n in fields]
            optional = {n for n in names if _may_be_missing(fields[n])}
            mandatory = {n for n in names if not _may_be_missing(fields[n])}
            if optional and mandatory and (name, line) not in MEANT:
                pytest.fail(f"{name}: {line}")


def _may_be_missing(field: dataclasses.Field) -> bool:
    return field.default in ("", None, ())


MEANT = {
    # Alternatives, or a detail that says nothing without the optional one.
    ("queue_line", "{grade} · {number} · {lead_state:queue_state}"),
    ("queue_line", "{grade} · {number} · {case_state}"),
    ("lead_answered", "这条已有辟谣（{issued_at:date}，{issuer}）："),
    ("feedback_bulletin", "您报的线索 {number} 有结果了：**{verdict}。**"),
    ("line", "{label:label}：{text}"),
    ("event_line", "{at:time} {entity:label} → {state:state} · {who}"),
    ("listing", "{empty:flag_empty}{what:when_empty}"),
}
