"""Column types: aware instants, and JSON that keeps Chinese readable."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

_MICRO = 1_000_000


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, stored as integer microseconds since 1970.

    Both databases then compare, sort and index it alike, and SQLite cannot lose the zone.
    """

    impl = BigInteger
    cache_ok = True

    @staticmethod
    def micros(value: datetime | None) -> int | None:
        """To the database. Raises ValueError for a naive instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive instant")
        return round(value.timestamp() * _MICRO)

    @staticmethod
    def instant(value: int | None) -> datetime | None:
        """From the database."""
        return None if value is None else datetime.fromtimestamp(value / _MICRO, tz=UTC)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database. Raises ValueError for a naive instant."""
        del dialect
        return self.micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return self.instant(value)
