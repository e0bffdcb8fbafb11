"""Statements as their driver takes them: for those that run many times in a second.

Building a statement costs more than running it, and handing one to SQLAlchemy as an expression
costs five times as much as handing it over as text. Values are plain: numbers and texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import ClauseElement


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as text. ``names`` are its parameters by position, none where by name."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def given(self, values: Mapping[str, Any]) -> Any:
        """The parameters, in the form that the driver takes."""
        known = {**self.constants, **values}
        return tuple(known[name] for name in self.names) if self.names else known


def prepare(statement: ClauseElement, *, sqlite: bool) -> Prepared:
    """The text of a statement for one kind of database."""
    dialect: Any = SQLiteDialect_pysqlite if sqlite else PGDialect_psycopg
    compiled: Any = statement.compile(dialect=dialect())
    return Prepared(compiled.string, tuple(compiled.positiontup or ()), dict(compiled.params))
