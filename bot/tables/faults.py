"""What can be wrong with a file as a whole or with one of its rows: codes, no sentences."""

from matrix.core.errors import PiyaoError

__all__ = ["TableFault", "raise_all"]


class TableFault(PiyaoError):
    """A file that cannot be read or written as a table.

    ``row`` counts as the file's reader sees it (a header is row 1), 0 for the whole file.
    ``more`` are further faults of the same file, so that all are mended in one go.

    Codes: ``missing_file``, ``unknown_format``, ``too_big``, ``empty_file``, ``binary``,
    ``encoding``, ``bad_csv``, ``bad_workbook``, ``bad_json``, ``not_an_object``,
    ``nested_value``, ``separator_in_list``, ``double_column``, ``nameless_column``,
    ``too_many_cells``, ``error_cell``, ``control_character``, ``cell_too_long``.
    """

    def __init__(
        self, code: str, detail: str = "", row: int = 0, more: tuple["TableFault", ...] = ()
    ) -> None:
        """``detail`` is what the sentence quotes."""
        super().__init__(f"{code} {detail} {row}")
        self.code = code
        self.detail = detail
        self.row = row
        self.more = more

    @property
    def all(self) -> tuple["TableFault", ...]:
        """This fault and the others of the file."""
        return (self, *self.more)


def raise_all(faults: list[TableFault]) -> None:
    """Raise the first fault with the others in it; nothing when there are none."""
    if faults:
        first, *rest = faults
        raise TableFault(first.code, first.detail, first.row, tuple(rest))
