"""Clocks: one stands still until told otherwise, one goes on from where it was put."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts on Monday 9 November 2026, 15:05 in Beijing."""

    def __init__(self, at: datetime = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


class JumpingClock:
    """The computer's clock, and how far it was moved."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def forward(self, **span: float) -> None:
        self.moved += timedelta(**span)
