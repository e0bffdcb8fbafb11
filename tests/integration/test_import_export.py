"""Files in, files out, over a real database: the sample district and the command line's bodies."""

import asyncio
import re
import shutil
import threading
import tomllib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.tables.commands import DONE, NOTHING_WRITTEN, export_table, import_folder_or_file
from bot.tables.faults import TableFault
from bot.tables.reading import read_table
from bot.tables.sample import load_sample
from handlers.importing.directory import load_directory
from handlers.importing.plan import plan
from handlers.importing.schema import TABLES
from matrix.triage.routing import alarms
from storage.engine import open_engine
from storage.tables import METADATA
from storage.unit_of_work import SqlStore

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config/district/sample"
TODAY = "2026-09-01"
TEXTS = tomllib.loads((ROOT / "config/texts/zh_CN/importing.toml").read_text("utf-8"))


async def opened(folder: Path) -> SqlStore:
    """A store on a fresh database."""
    engine = open_engine(f"sqlite:///{folder}/piyao.db")
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return SqlStore(engine)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await opened(tmp_path)
    yield store
    await store.engine.dispose()


@pytest.fixture(scope="module")
def loaded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's database, made once."""
    folder = tmp_path_factory.mktemp("sample")

    async def load() -> None:
        store = await opened(folder)
        await load_sample(store, SAMPLE, key_of)
        await store.engine.dispose()

    asyncio.run(load())
    return folder / "piyao.db"


@pytest.fixture
async def loaded(loaded_file: Path, tmp_path: Path) -> AsyncIterator[SqlStore]:
    shutil.copy(loaded_file, tmp_path / "piyao.db")
    engine = open_engine(f"sqlite:///{tmp_path}/piyao.db")
    yield SqlStore(engine)
    await engine.dispose()


def key_of(text: str) -> str:
    return text[:8]


def texts(key: str, fields: Mapping[str, object]) -> str:
    table, _, name = key.partition(".")
    sentence: str = TEXTS[table][name]
    return sentence.format(**fields)


class Talk:
    """The command line: what was shown, and the answer to the question."""

    def __init__(self, *, answer: bool = True) -> None:
        self.answer = answer
        self.shown: list[str] = []

    def confirm(self, question: str) -> bool:
        self.shown.append(question)
        return self.answer

    async def bring(self, store: SqlStore, *paths: Path, table: str | None = None) -> int:
        return await import_folder_or_file(
            store, paths, table=table, confirm=self.confirm, show=self.shown.append,
            texts=texts, today=TODAY, key_of=key_of,
        )  # fmt: skip


def test_every_code_has_its_sentence_and_every_sentence_its_code() -> None:
    sources = [*(ROOT / "handlers/importing").glob("*.py"), *(ROOT / "bot/tables").glob("*.py")]
    sources += [ROOT / "bot/administration.py", ROOT / "bot/corporations.py"]
    source = "\n".join(path.read_text("utf-8") for path in sources)
    said = set(TEXTS["import"])
    codes = {f"file_{code}" for code in re.findall(r'TableFault\(\s*"(\w+)"', source)}
    codes |= {f"fault_{code}" for code in re.findall(r'CellFault\(\s*"(\w+)"', source)}
    codes |= {f"fault_{code}" for code in re.findall(r'yield "\w+", "(\w+)"', source)}
    codes |= {f"table_{table}" for table in TABLES}
    assert codes <= said
    for key in said - codes:
        code = key.removeprefix("fault_").removeprefix("file_")
        built = key.startswith("warning_") or key in {"new", "changed", "ended"}
        assert built or f'"{code}"' in source or f'"import.{key}"' in source, key


async def test_the_sample_loads_without_alarms(empty: SqlStore) -> None:
    await load_sample(empty, SAMPLE, key_of)
    async with empty.read() as work:
        directory = await load_directory(work, TODAY)
        events = len(await work.events())
        assert await work.bulletins.count(state="current", kind="imported") == 80
    assert alarms(directory.tables) == []
    assert len(directory.areas) == 66
    assert len(directory.accounts) == 60
    await load_sample(empty, SAMPLE, key_of)
    async with empty.read() as work:
        assert len(await work.events()) == events


async def test_a_faulty_sample_is_refused(empty: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "faulty"
    folder.mkdir()
    with pytest.raises(TableFault, match="missing_file"):
        await load_sample(empty, folder, key_of)
    (folder / "people.csv").write_text("handle,name\np1,\n", "utf-8")
    with pytest.raises(TableFault, match=r"sample people\.csv name empty"):
        await load_sample(empty, folder, key_of)
    async with empty.read() as work:
        assert await work.people.count() == 0


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".jsonl"])
@pytest.mark.parametrize("table", TABLES)
async def test_every_table_goes_out_and_comes_back_the_same(
    loaded: SqlStore, tmp_path: Path, table: str, ending: str
) -> None:
    path = tmp_path / f"{table}{ending}"
    written = await export_table(loaded, table, path)
    # Calendars, days and shifts are a district's own: the sample has none.
    source = next((one for one in SAMPLE.iterdir() if one.stem == table), None)
    assert written == (len(read_table(source)) if source else 0)
    if not written:
        return
    async with loaded.read() as work:
        made = await plan(work, {table: read_table(path)}, key_of=key_of, today=TODAY)
    assert made.faults == ()
    assert made.changes == ()


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".jsonl"])
async def test_an_export_of_everything_rebuilds_the_same_district(
    loaded: SqlStore, empty_twin: SqlStore, tmp_path: Path, ending: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for table in TABLES:
        path = folder / f"{table}{ending}"
        if not await export_table(loaded, table, path):
            path.unlink()
    assert await Talk().bring(empty_twin, folder) == DONE
    for table in TABLES:
        async with loaded.read() as here, empty_twin.read() as there:
            ours = await getattr(here, table).find()
            theirs = await getattr(there, table).find()
        if table != "bulletins":
            assert ours == theirs
        else:
            assert [(one.number, one.claim_key, one.expires_at) for one in ours] == [
                (one.number, one.claim_key, one.expires_at) for one in theirs
            ]


@pytest.fixture
async def empty_twin(tmp_path: Path) -> AsyncIterator[SqlStore]:
    folder = tmp_path / "twin"
    folder.mkdir()
    store = await opened(folder)
    yield store
    await store.engine.dispose()


async def test_the_difference_is_shown_before_it_is_written(
    loaded: SqlStore, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("handle,name,ended\np001,王小芳,\np002,李敏,是\nq1,新人,\n".encode("gb18030"))
    no = Talk(answer=False)
    assert await no.bring(loaded, path) == NOTHING_WRITTEN
    assert no.shown == [
        "人员（people）：新增 1，修改 1，停用 1。",
        "  修改 p001",
        "    name：王芳 → 王小芳",
        "  停用 p002",
        "    ended：（空） → 是",
        "  新增 q1",
        "以上共 3 处变更，确认写入吗？",
        "已取消，什么都没有写入。",
    ]
    async with loaded.read() as work:
        assert (await work.people.get("p001")).name == "王芳"
    yes = Talk()
    assert await yes.bring(loaded, path) == DONE
    assert yes.shown[-1] == "已写入 3 处变更。"
    async with loaded.read() as work:
        assert (await work.people.get("p001")).name == "王小芳"
    again = Talk()
    assert await again.bring(loaded, path) == DONE
    assert again.shown[0] == "文件内容与库中一致，没有需要写入的变更。"


async def test_faults_are_shown_with_their_rows_and_nothing_is_asked(
    loaded: SqlStore, tmp_path: Path
) -> None:
    path = tmp_path / "bulletins.jsonl"
    path.write_text('{"number": "x", "issuer": "moon", "issued_on": "soon"}\n', "utf-8")
    talk = Talk()
    assert await talk.bring(loaded, path) == NOTHING_WRITTEN
    assert talk.shown[0] == "发现 8 处错误，什么都没有写入。请全部改正后重新导入："
    assert "  辟谣通报（bulletins）：第 1 行缺少“title”列。" in talk.shown
    assert "  辟谣通报（bulletins）：第 1 行的“issuer”引用了不存在的“moon”。" in talk.shown
    assert not any("确认" in line for line in talk.shown)


async def test_files_that_cannot_be_read_are_all_shown(empty: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "areas.csv").write_bytes(b"a,b\n1,2,3\n4,5,6\n")
    (folder / "units.xlsx").write_bytes(b"no workbook")
    (folder / "notes.csv").write_bytes(b"a\n1\n")
    (folder / "read.me").write_bytes(b"x")
    talk = Talk()
    assert await talk.bring(empty, folder, tmp_path / "people.csv") == NOTHING_WRITTEN
    assert talk.shown == [
        "“areas.csv”第 2 行的单元格多于列名（2 个）。",
        "“areas.csv”第 3 行的单元格多于列名（2 个）。",
        "已跳过“notes.csv”：文件名不是任何一张表的名称。",
        "“units.xlsx”不是有效的 XLSX 工作簿。",
        "“people.csv”无法打开。",
    ]


async def test_the_table_may_be_named(empty: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "员工名单.csv"
    path.write_text("handle,name\np1,王芳\n", "utf-8")
    talk = Talk()
    assert await talk.bring(empty, path) == NOTHING_WRITTEN
    assert talk.shown[-1] == "  没有名为“员工名单”的表。"
    assert await talk.bring(empty, path, path, table="people") == NOTHING_WRITTEN
    assert talk.shown[-1] == "“员工名单.csv”与另一个文件都是“people”表，请只保留一个。"
    assert await talk.bring(empty, path, table="people") == DONE


async def test_an_empty_folder_says_what_is_looked_for(empty: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    talk = Talk()
    assert await talk.bring(empty, folder) == NOTHING_WRITTEN
    assert "areas、calendars、days、units" in talk.shown[0]


async def test_who_changes_the_data_meanwhile_stops_the_import(
    loaded: SqlStore, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("handle,name\np001,王小芳\n", "utf-8")
    faster = tmp_path / "faster" / "people.csv"
    faster.parent.mkdir()
    faster.write_text("handle,name\np001,王大芳\n", "utf-8")
    plans = []

    async def overtaken() -> int:
        """The second import runs between the first one's difference and its answer."""

        def answer(question: str) -> bool:
            del question
            other = open_engine(str(loaded.engine.url))

            async def run() -> None:
                plans.append(await Talk().bring(SqlStore(other), faster))
                await other.dispose()

            thread = threading.Thread(target=lambda: asyncio.run(run()))
            thread.start()
            thread.join()
            return True

        return await import_folder_or_file(
            loaded, [path], table=None, confirm=answer, show=shown.append, texts=texts,
            today=TODAY, key_of=key_of,
        )  # fmt: skip

    shown: list[str] = []
    assert await overtaken() == NOTHING_WRITTEN
    assert plans == [DONE]
    assert shown[-1] == "确认期间数据已被他人改动，什么都没有写入。请重新导入并核对差异。"
    async with loaded.read() as work:
        assert (await work.people.get("p001")).name == "王大芳"
