"""Table files: what is written is read back, what cannot be read is said by a code."""

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from bot.tables.faults import TableFault
from bot.tables.reading import LONGEST_FILE, read_table
from bot.tables.writing import write_table

FORMATS = (".csv", ".xlsx", ".jsonl")
HEADER = ["name", "note"]
NASTY = [
    {"name": "云江区", "note": ""},
    {"name": "=1+1", "note": "+86"},
    {"name": "-5", "note": "@总"},
    {"name": "'", "note": "'=x"},
    {"name": "'abc", "note": "''"},
    {"name": "第一行\n第二行", "note": '他说“"好"”, 对'},
    {"name": "＝SUM", "note": "𠮷野家 😀"},
    {"name": "", "note": "990101"},
]


def fault_of(path: Path) -> list[tuple[str, int]]:
    with pytest.raises(TableFault) as caught:
        read_table(path)
    return [(one.code, one.row) for one in caught.value.all]


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_written_is_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    write_table(path, HEADER, NASTY)
    assert read_table(path) == NASTY
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


_CELL = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"), exclude_characters="\ufeff"),
    max_size=8,
)


@pytest.mark.parametrize("ending", FORMATS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(_CELL, _CELL), max_size=4))
def test_any_cells_survive(tmp_path: Path, ending: str, rows: list[tuple[str, str]]) -> None:
    table = [{"name": name, "note": note} for name, note in rows]
    path = tmp_path / f"t{ending}"
    write_table(path, HEADER, [*table, {"name": "end", "note": ""}])
    assert read_table(path)[:-1] == table


def test_a_spreadsheet_sees_no_formula_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, HEADER, NASTY)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        cells = [cell for record in csv.reader(lines) for cell in record]
    assert not [cell for cell in cells if cell[:1] in set("=+-@＝")]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_reading_takes_off_only_its_own_apostrophe(tmp_path: Path) -> None:
    path = put(tmp_path / "t.csv", b"name,note\n'tis,'=1\n''=1,x\n")
    assert read_table(path) == [{"name": "'tis", "note": "=1"}, {"name": "'=1", "note": "x"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_encodings(tmp_path: Path, encoding: str, newline: str) -> None:
    text = newline.join(["code,name", "990101,云江区", "990102,新塝村与𠮷镇", ""])
    path = put(tmp_path / "areas.csv", text.encode(encoding))
    assert [row["name"] for row in read_table(path)] == ["云江区", "新塝村与𠮷镇"]


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b"", [("empty_file", 0)]),
        (b"\n", [("empty_file", 0)]),
        (b"PK\x03\x04rest", [("binary", 0)]),
        (b"a,b\n1,\x002\n", [("binary", 0)]),
        (b"a,b\n1,\x01\x02\n", [("binary", 0)]),
        ("a,b\n云,江\n".encode("utf-16"), [("binary", 0)]),
        ("a,b\n云江区云江区,".encode() + b"\xff\xfe\n", [("encoding", 2)]),
        ("a,b\ncafé,\xff\xff\n".encode("latin-1"), [("encoding", 2)]),
        (b'a,b\n1,"2\n', [("bad_csv", 2)]),
        (b"a,b\n1,2,3\n4,5\n6,7,8\n", [("too_many_cells", 2), ("too_many_cells", 4)]),
        (b"a,a,,b\n", [("nameless_column", 1), ("double_column", 1)]),
    ],
)
def test_faulty_csv(tmp_path: Path, data: bytes, faults: list[tuple[str, int]]) -> None:
    assert fault_of(put(tmp_path / "t.csv", data)) == faults


def test_short_rows_blank_rows_and_trailing_commas(tmp_path: Path) -> None:
    path = put(tmp_path / "t.csv", b"a,b,,\n1\n\n,,\n2,3,,\n\n")
    assert read_table(path) == [
        {"a": "1", "b": ""},
        {"a": "", "b": ""},
        {"a": "", "b": ""},
        {"a": "2", "b": "3"},
    ]


def test_a_workbook_of_numbers_dates_and_formulas(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["code", "size", "on", "vertical", "note", None])
    sheet.append([990101001001.0, 1.5, datetime(2026, 3, 5), True, "=A1&B1"])
    sheet.append([990101, None, datetime(2026, 3, 5, 8, 30), False, 7])
    sheet.append([None] * 5)
    path = tmp_path / "t.xlsx"
    book.save(path)
    assert read_table(path) == [
        {"code": "990101001001", "size": "1.5", "on": "2026-03-05", "vertical": "是", "note": "=A1&B1"},
        {"code": "990101", "size": "", "on": "2026-03-05T08:30:00", "vertical": "否", "note": "7"},
    ]  # fmt: skip


def test_error_cells_are_faults(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["a"])
    sheet.append(["#N/A"])
    sheet.append(["#REF!"])
    path = tmp_path / "t.xlsx"
    book.save(path)
    assert fault_of(path) == [("error_cell", 2), ("error_cell", 3)]


def test_a_written_workbook_holds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_table(path, HEADER, [{"name": "=1+1", "note": "00123"}])
    assert read_table(path) == [{"name": "=1+1", "note": "00123"}]


@pytest.mark.parametrize("data", [b"no zip", b"PK\x03\x04 broken"])
def test_a_broken_workbook(tmp_path: Path, data: bytes) -> None:
    assert fault_of(put(tmp_path / "t.xlsx", data)) == [("bad_workbook", 0)]


@pytest.mark.parametrize(
    ("cell", "code"), [("长" * 32_768, "cell_too_long"), ("a\x07", "control_character")]
)
def test_what_a_workbook_cannot_hold(tmp_path: Path, cell: str, code: str) -> None:
    path = tmp_path / "t.xlsx"
    with pytest.raises(TableFault) as caught:
        write_table(path, HEADER, [{"name": "", "note": cell}])
    assert (caught.value.code, caught.value.row) == (code, 2)
    assert list(tmp_path.iterdir()) == []


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"code": 990101, "size": 3.0, "names": ["云江", "云江县"], "ended": None, "on": True},
        {"code": "x", "names": []},
    ]
    text = "\r\n".join(json.dumps(line) for line in lines) + "\r\n\r\n"
    path = put(tmp_path / "t.jsonl", text.encode("utf-8-sig"))
    assert read_table(path) == [
        {"code": "990101", "size": "3", "names": "云江;云江县", "ended": "", "on": "是"},
        {"code": "x", "names": ""},
    ]


def test_json_lists_are_written_as_lists(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_table(path, ["a", "b"], [{"a": "1;2", "b": "1;2"}, {"a": "", "b": ""}], lists={"a"})
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [
        {"a": ["1", "2"], "b": "1;2"},
        {"a": [], "b": ""},
    ]


def test_every_faulty_line_of_json_is_told(tmp_path: Path) -> None:
    lines = ['{"a": 1}', "{", "", "[1]", '{"a": {"b": 1}}', '{"a": ["x;y"]}', "[" * 99_999]
    assert fault_of(put(tmp_path / "t.jsonl", "\n".join(lines).encode())) == [
        ("bad_json", 2),
        ("not_an_object", 4),
        ("nested_value", 5),
        ("separator_in_list", 6),
        ("bad_json", 7),
    ]


def test_formats_sizes_and_missing_files(tmp_path: Path) -> None:
    assert fault_of(tmp_path / "t.xls") == [("unknown_format", 0)]
    assert fault_of(tmp_path / "t.csv") == [("missing_file", 0)]
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(LONGEST_FILE + 1)
    assert fault_of(tmp_path / "big.csv") == [("too_big", 0)]
    with pytest.raises(TableFault, match="unknown_format"):
        write_table(tmp_path / "t.ods", HEADER, [])
