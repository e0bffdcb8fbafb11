"""The bodies of `piyao import` and `piyao export`: first what would change, then a question."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.tables.reading import TableFault, read_table
from bot.tables.stamp import TimedIds
from bot.tables.writing import write_table
from handlers.importing.export import export_rows
from handlers.importing.links import LINK_HEADER, link_rows
from handlers.importing.plan import AFTER_HEADER, Fault, Plan, apply, plan
from handlers.importing.schema import TABLES
from handlers.importing.sheet import Sheet
from matrix.core.errors import StaleVersion
from matrix.ports import Ids, Store, Work

__all__ = ["DONE", "NOTHING_WRITTEN", "export_table", "import_folder_or_file"]

Texts = Callable[[str, Mapping[str, object]], str]
DONE, NOTHING_WRITTEN = 0, 1
"""Exit statuses."""
FORMATS = (".csv", ".xlsx", ".jsonl")
LINES = 30
"""Changes of a table that are listed; the counts stand above them."""
LONGEST_QUOTE = 40
"""Characters of a value that are quoted in the difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What was read: rows by table, the number of each table's first row, the files."""

    rows: dict[str, Sheet]
    first_rows: dict[str, int]

    async def plan(self, work: Work, key_of: Callable[[str], str], today: str) -> Plan:
        """What they would do to what is stored now."""
        return await plan(work, self.rows, key_of=key_of, today=today, first_rows=self.first_rows)


async def import_folder_or_file(
    store: Store,
    paths: Sequence[Path],
    *,
    table: str | None,
    confirm: Callable[[str], bool],
    show: Callable[[str], None],
    texts: Texts,
    today: str,
    key_of: Callable[[str], str],
    ids: Ids | None = None,
    at: datetime | None = None,
) -> int:
    """Show every fault, or what would change, and ask; write all or nothing.

    A file's name says its table (``areas.csv``) unless ``table`` does; of a folder only such
    files are read. ``texts`` gives the sentence of a key under ``import.``. Returns ``DONE``
    (also when there was nothing to change) or ``NOTHING_WRITTEN``.
    """
    files = _read(paths, table, show, texts)
    if files is None:
        return NOTHING_WRITTEN
    return await import_rows(
        store, files, confirm=confirm, show=show, texts=texts, today=today, key_of=key_of,
        ids=ids, at=at,
    )  # fmt: skip


Besides = Callable[[Work], Awaitable[int]]


async def import_rows(
    store: Store,
    files: Rows,
    *,
    confirm: Callable[[str], bool],
    show: Callable[[str], None],
    texts: Texts,
    today: str,
    key_of: Callable[[str], str],
    ids: Ids | None = None,
    at: datetime | None = None,
    besides: Besides | None = None,
) -> int:
    """The same for rows that are there already. ``besides`` is written with them, and counted.

    It is called twice: first in a transaction that is given up, to know how much it would write.
    """
    shown, more = await _tried(store, files, key_of, today, besides)
    for line in _report(shown, texts):
        show(line)
    if shown.faults or not (shown.changes or more):
        return NOTHING_WRITTEN if shown.faults else DONE
    if more:
        show(texts("import.bindings", {"count": more}))
    count = len(shown.changes) + more
    if not confirm(texts("import.confirm", {"count": count})):
        show(texts("import.declined", {}))
        return NOTHING_WRITTEN
    try:
        async with store.work() as work:
            made = await files.plan(work, key_of, today)
            if made.changes != shown.changes:
                raise StaleVersion("import")  # noqa: TRY301 - as a save would, a moment later
            await apply(work, made, ids=ids or TimedIds(), at=at or datetime.now(UTC))
            if besides:
                await besides(work)
            await work.commit()
    except StaleVersion:
        show(texts("import.overtaken", {}))
        return NOTHING_WRITTEN
    show(texts("import.done", {"count": count}))
    return DONE


async def _tried(
    store: Store,
    files: Rows,
    key_of: Callable[[str], str],
    today: str,
    besides: Besides | None,
) -> tuple[Plan, int]:
    """What would be written, and how much besides; nothing is committed before the question."""
    async with store.work() as work:
        shown = await files.plan(work, key_of, today)
        if besides is None or shown.faults:
            return shown, 0
        await apply(work, shown, ids=TimedIds(), at=datetime.now(UTC))
        return shown, await besides(work)


async def export_table(store: Store, table: str, path: Path) -> int:
    """Write a table, or the links, to a file by its ending; returns the number of rows.

    Raises:
        NotFound: no such table.
        TableFault: a format we do not write, or a cell that it cannot hold.
    """
    async with store.read() as work:
        if table == "links":
            write_table(path, LINK_HEADER, rows := await link_rows(work), ())
            return len(rows)
        header, rows = await export_rows(work, table)
    write_table(path, header, rows, TABLES[table].lists)
    return len(rows)


def _read(
    paths: Sequence[Path], table: str | None, show: Callable[[str], None], texts: Texts
) -> Rows | None:
    """Rows of all files, or None after showing what is wrong with any of them."""
    files = Rows(rows={}, first_rows={})
    sound = True
    for path in _found(paths, show, texts):
        name = table or path.stem
        try:
            if name in files.rows:
                raise TableFault("double_table", name)  # noqa: TRY301 - one place shows them all
            files.rows[name] = read_table(path)
        except TableFault as fault:
            sound = False
            for one in fault.all:
                fields = {"file": path.name, "row": one.row, "detail": one.detail}
                show(texts(f"import.file_{one.code}", fields))
        files.first_rows[name] = 1 if path.suffix.lower() == ".jsonl" else AFTER_HEADER
    if sound and not files.rows:
        show(texts("import.no_files", {"tables": "、".join(TABLES)}))
    return files if sound and files.rows else None


def _found(paths: Sequence[Path], show: Callable[[str], None], texts: Texts) -> Iterator[Path]:
    """The files named, and those of the folders named that bear a table's name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inner in sorted(path.iterdir()):
            if inner.suffix.lower() not in FORMATS:
                continue
            if inner.stem in TABLES:
                yield inner
            else:
                show(texts("import.skipped_file", {"file": inner.name}))


def _report(made: Plan, texts: Texts) -> Iterator[str]:
    if made.faults:
        yield texts("import.faults", {"count": len(made.faults)})
        yield from (_fault(fault, texts) for fault in made.faults)
        return
    if not made.changes:
        yield texts("import.no_changes", {})
    for name in TABLES:
        yield from _changes(name, made, texts)
    if made.warnings:
        yield texts("import.warnings", {"count": len(made.warnings)})
    for why, subject, detail in made.warnings:
        key = "unit" if not subject else "topic"
        fields = {"subject": subject, "detail": detail}
        yield texts(f"import.warning_{key}_{why.replace('-', '_')}", fields)


def _fault(fault: Fault, texts: Texts) -> str:
    sentence = texts(
        f"import.fault_{fault.code}",
        {"row": fault.row_number, "column": fault.column, "detail": fault.detail},
    )
    if fault.code == "unknown_table":
        return sentence
    return texts("import.fault", {"table": _table(fault.table, texts), "sentence": sentence})


def _changes(name: str, made: Plan, texts: Texts) -> Iterator[str]:
    counts = {kind: made.counts.get((name, kind), 0) for kind in ("new", "changed", "ended")}
    if not any(counts.values()):
        return
    yield texts("import.summary", {"table": _table(name, texts), **counts})
    # What alters or ends something stored deserves a look before what is only added.
    ours = sorted(
        (one for one in made.changes if one.table == name), key=lambda one: one.kind == "new"
    )
    for change in ours[:LINES]:
        yield texts(f"import.{change.kind}", {"key": change.key})
        if change.kind != "new":
            for column, before, after in change.fields:
                quoted = {"before": _quote(before, texts), "after": _quote(after, texts)}
                yield texts("import.field", {"column": column, **quoted})
    if len(ours) > LINES:
        yield texts("import.more", {"count": len(ours) - LINES})


def _quote(value: str, texts: Texts) -> str:
    flat = " ".join(value.split())
    if not flat:
        return texts("import.nothing", {})
    return flat if len(flat) <= LONGEST_QUOTE else f"{flat[:LONGEST_QUOTE]}…"


def _table(name: str, texts: Texts) -> str:
    return texts(f"import.table_{name}", {})
