"""The sample district, loaded by the same way as every import."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.tables.reading import TableFault, read_table
from bot.tables.stamp import TimedIds
from handlers.importing.plan import apply, plan
from handlers.importing.schema import TABLES
from matrix.ports import Ids, Store
from matrix.triage.calendar import LOCAL

__all__ = ["load_sample"]

_FORMATS = (".csv", ".jsonl")


async def load_sample(
    store: Store,
    folder: Path,
    key_of: Callable[[str], str],
    *,
    ids: Ids | None = None,
    at: datetime | None = None,
) -> None:
    """Bring a folder's tables in, in one transaction; a second time nothing changes.

    ``key_of`` makes the matching key of a claim.

    Raises:
        TableFault: a file cannot be read, or (``sample``) has the fault in ``detail``.
    """
    moment = at or datetime.now(UTC)
    files = _files(folder)
    tables = {name: read_table(path) for name, path in files.items()}
    today = moment.astimezone(LOCAL).date().isoformat()
    async with store.work() as work:
        made = await plan(work, tables, key_of=key_of, today=today)
        if made.faults:
            first = made.faults[0]
            detail = f"{files[first.table].name} {first.column} {first.code} {first.detail}"
            raise TableFault("sample", detail, first.row_number)
        await apply(work, made, ids=ids or TimedIds(), at=moment)
        await work.commit()


def _files(folder: Path) -> dict[str, Path]:
    found = {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.stem in TABLES and path.suffix in _FORMATS
    }
    if not found:
        raise TableFault("missing_file", folder.name)
    return found
