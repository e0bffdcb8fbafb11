"""What one process counts of itself, for Prometheus."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

from matrix.core.errors import DeliveryError


class Tally:
    """Counters since the process began, in a registry of their own.

    Counted plainly, made into figures when somebody asks: the library's own counter takes a lock
    for each of thousands of calls a second.
    """

    def __init__(self) -> None:
        """Nothing was counted."""
        self.registry = CollectorRegistry()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._sweeps = 0
        self.registry.register(self)

    def sent(self, channel: str, error: DeliveryError | None) -> None:
        """A call has come back."""
        self._calls[channel, outcome_of(error)] += 1

    def swept(self) -> None:
        """The clock has done a sweep."""
        self._sweeps += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The library's question for figures."""
        calls = CounterMetricFamily(
            "piyao_deliveries", "Calls to a platform by outcome.", labels=["channel", "outcome"]
        )
        for labels, count in self._calls.items():
            calls.add_metric(labels, count)
        yield calls
        yield CounterMetricFamily("piyao_sweeps", "Sweeps of the clock.", value=self._sweeps)


def outcome_of(error: DeliveryError | None) -> str:
    """``sent``, ``slow-down``, ``refused``, ``unknown`` or ``failed``: few words, never a code."""
    if error is None:
        return "sent"
    if error.retry_after is not None:
        return "slow-down"
    if error.permanent:
        return "refused"
    return "unknown" if error.unknown else "failed"
